// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {PostTerms, Request, RequestBatch, Signed, Wish} from "../../contracts/interfaces/IInbox.sol";
import {ModelId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../contracts/types/Roots.sol";
import {InboxFixture} from "./mocks/InboxFixture.sol";
import {Models} from "./mocks/Models.sol";

/// @notice One id over models of the same weights: a request's bucket follows from the length of its inputs.
contract FamiliesTest is InboxFixture {
    ModelId internal wider;
    ModelId internal family;

    function setUp() public override {
        super.setUp();
        wider = models.register(Models.single(F32, 16, 0, int64(uint64(Models.ONE))));
        family = models.registerFamily(_pair(model, wider));
    }

    // What is refused.

    function test_registerFamily_ofOneOrTooMany_reverts() public {
        bytes4 selector = IModelRegistry.BucketsOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 1, 64));
        models.registerFamily(new ModelId[](1));
        vm.expectRevert(abi.encodeWithSelector(selector, 65, 64));
        models.registerFamily(new ModelId[](65));
    }

    function test_registerFamily_ofAnUnknownModel_reverts() public {
        ModelId unknown = ModelId.wrap(keccak256("no such model"));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, unknown));
        models.registerFamily(_pair(model, unknown));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, family));
        models.registerFamily(_pair(model, family));
    }

    function test_registerFamily_overOtherWeights_reverts() public {
        Model memory other = Models.single(F32, 4, 0, int64(uint64(Models.ONE)));
        other.weightsRoot = BundleRoot.wrap(keccak256("other weights"));
        ModelId id = models.register(other);
        bytes32 weights = keccak256("weights");
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.OtherWeights.selector, id, keccak256("other weights"), weights)
        );
        models.registerFamily(_pair(model, id));
    }

    function test_registerFamily_ofInputsOfOneLength_reverts() public {
        Model memory other = Models.single(F32, 8, 0, int64(uint64(Models.ONE)));
        other.minBondGas += 1;
        ModelId id = models.register(other);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.SameInputLength.selector, id, model, 32));
        models.registerFamily(_pair(model, id));
    }

    function test_registerFamily_again_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.AlreadyRegistered.selector, family));
        models.registerFamily(_pair(model, wider));
    }

    function test_request_ofALengthWithoutABucket_reverts() public {
        Wish memory wish = _wish();
        (wish.model, wish.inputs) = (family, new bytes(36));
        _refuses(wish, abi.encodeWithSelector(IModelRegistry.NoBucket.selector, family, 36));
    }

    function test_request_byRoot_mustNameTheBucket() public {
        Wish memory wish = _wish();
        (wish.model, wish.inputs, wish.inputsRoot) = (family, "", BundleRoot.wrap(keccak256("inputs")));
        _refuses(wish, abi.encodeWithSelector(IModelRegistry.NoBucket.selector, family, 0));
    }

    function test_post_toAFamily_reverts() public {
        PostTerms memory terms = _terms();
        terms.model = family;
        Signed[] memory signed = new Signed[](1);
        vm.prank(SEQUENCER);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NoBucket.selector, family, 0));
        inbox.post(terms, signed);
    }

    // What follows.

    function test_request_toAFamily_isOrderedForTheBucketOfItsLength() public {
        _isOrderedFor(32, model);
        _isOrderedFor(64, wider);
    }

    function test_request_toABucketByRoot_isOrdered() public {
        Wish memory wish = _wish();
        (wish.model, wish.inputs, wish.inputsRoot) = (wider, "", BundleRoot.wrap(keccak256("inputs")));
        _ask(wish);
    }

    function test_registerFamily_keepsItsBuckets() public view {
        assertEq(abi.encode(models.bucketsOf(family)), abi.encode(_pair(model, wider)));
        assertEq(ModelId.unwrap(family), keccak256(abi.encode(keccak256("anh.v1.family"), _pair(model, wider))));
        (ModelId alone,) = models.admit(model, 7);
        assertEq(ModelId.unwrap(alone), ModelId.unwrap(model));
        assertTrue(!models.exists(family), "a family is no model");
    }

    function _isOrderedFor(uint256 length, ModelId bucket) private {
        Wish memory wish = _wish();
        (wish.model, wish.inputs) = (family, new bytes(length));
        PostTerms memory terms = _terms();
        (terms.model, terms.callback, terms.callbackGas) = (bucket, wish.callback, wish.callbackGas);
        Request memory request = _request(terms, alice, inbox.nonceOf(alice), wish.inputs);
        uint64 place = inbox.laneLength(0);
        (RequestId id, RequestBatchId batchId) = _ask(wish);
        assertEq(RequestId.unwrap(id), RequestId.unwrap(inbox.requestIdOf(request)));
        RequestBatch memory batch = _batch(terms, 0, place, 1, RequestId.unwrap(id));
        assertEq(RequestBatchId.unwrap(batchId), RequestBatchId.unwrap(inbox.batchIdOf(batch)));
    }

    function _refuses(Wish memory wish, bytes memory reason) private {
        vm.prank(alice);
        vm.expectRevert(reason);
        inbox.request{value: FEE + TIP}(wish);
    }

    function _ask(Wish memory wish) private returns (RequestId, RequestBatchId) {
        vm.prank(alice);
        return inbox.request{value: FEE + TIP}(wish);
    }

    function _pair(ModelId one, ModelId two) private pure returns (ModelId[] memory list) {
        list = new ModelId[](2);
        (list[0], list[1]) = (one, two);
    }
}
