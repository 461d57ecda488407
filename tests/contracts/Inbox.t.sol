// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./mocks/InboxFixture.sol";
import {Models} from "./mocks/Models.sol";
import {Inbox} from "../../contracts/Inbox.sol";
import {IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox, PostTerms, Request, RequestBatch, Wish} from "../../contracts/interfaces/IInbox.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";
import {ModelId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";

contract InboxTest is InboxFixture {
    bytes32[] private noPath;

    // Refusals.

    function test_request_wrongPayment_reverts() public {
        uint256[3] memory payments = [uint256(0), FEE + TIP - 1, FEE + TIP + 1];
        for (uint256 i = 0; i < payments.length; ++i) {
            vm.prank(alice);
            vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayment.selector, payments[i], FEE + TIP));
            inbox.request{value: payments[i]}(_wish());
        }
    }

    function test_request_feeTooLow_reverts() public {
        Wish memory wish = _wish();
        wish.feeWei = MIN_FEE - 1;
        _refuses(wish, abi.encodeWithSelector(IInbox.FeeTooLow.selector, MIN_FEE - 1, MIN_FEE));
    }

    function test_request_unknownModel_reverts() public {
        Wish memory wish = _wish();
        wish.model = ModelId.wrap(keccak256("no such model"));
        _refuses(wish, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, wish.model));
    }

    function test_request_deadlineOutOfRange_reverts() public {
        uint40 earliest = START + CHALLENGE;
        uint40 latest = START + 30 days;
        uint40[4] memory deadlines = [0, earliest - 1, latest + 1, type(uint40).max];
        for (uint256 i = 0; i < deadlines.length; ++i) {
            Wish memory wish = _wish();
            wish.deadline = Instant.wrap(deadlines[i]);
            bytes4 selector = IInbox.DeadlineOutOfRange.selector;
            _refuses(wish, abi.encodeWithSelector(selector, deadlines[i], earliest, latest));
        }
    }

    function test_request_callbackGasOutOfRange_reverts() public {
        _refusesCallback(CONSUMER, 0, 1_000_000);
        _refusesCallback(CONSUMER, 1_000_001, 1_000_000);
        _refusesCallback(address(0), 1, 0);
    }

    function test_request_inlineInputsTooLong_reverts() public {
        Wish memory wish = _wish();
        wish.inputs = new bytes(4097);
        _refuses(wish, abi.encodeWithSelector(IInbox.InlineInputsTooLong.selector, 4097, 4096));
    }

    function test_request_badInlineInputs_reverts() public {
        Wish memory wish = _wish();
        wish.inputs = new bytes(31);
        _refuses(wish, abi.encodeWithSelector(IModelRegistry.WrongInputLength.selector, 31, 32));
        wish.inputs = _inputs(1);
        wish.inputs[4] = 0x7f;
        bytes4 selector = IModelRegistry.InputOutOfRange.selector;
        _refuses(wish, abi.encodeWithSelector(selector, 1, int64(0x7f800001), int64(0), int64(uint64(Models.ONE))));
    }

    function test_request_withoutInputs_reverts() public {
        Wish memory wish = _wish();
        wish.inputs = "";
        _refuses(wish, abi.encodeWithSelector(IInbox.MissingInputs.selector));
    }

    function test_release_fromAnyoneElse_reverts() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotTheClaimChain.selector, alice, address(claimChain)));
        inbox.release(0);
    }

    function test_requireOrdered_unknownBatch_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        ++batch.first;
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownRequestBatch.selector, inbox.batchIdOf(batch)));
        inbox.requireOrdered(batch, 0, made, noPath);
    }

    function test_requireOrdered_anotherRequest_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        ++made.nonce;
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotInBatch.selector, inbox.requestIdOf(made), 0));
        inbox.requireOrdered(batch, 0, made, noPath);
    }

    function test_requireOrdered_beyondTheBatch_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.IndexOutOfTree.selector, 1, 1));
        inbox.requireOrdered(batch, 1, made, noPath);
        vm.expectRevert(abi.encodeWithSelector(KeccakTree.WrongPathLength.selector, 1, 0));
        inbox.requireOrdered(batch, 0, made, new bytes32[](1));
    }

    function test_refund_beforeClaimChainAgrees_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        vm.warp(START + 1 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotYetRefundable.selector, batch.deadline));
        inbox.refund(batch, 0, made, noPath);
    }

    function test_refund_ofAnUnorderedRequest_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        vm.warp(START + 1 hours);
        made.requester = bob;
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotInBatch.selector, inbox.requestIdOf(made), 0));
        inbox.refund(batch, 0, made, noPath);
    }

    function test_refund_twice_reverts() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        vm.warp(START + 1 hours);
        inbox.refund(batch, 0, made, noPath);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.ClaimIsLive.selector, bytes32(0), 0));
        inbox.refund(batch, 0, made, noPath);
    }

    // Successes.

    function test_requestIdOf_isTheEip712Digest() public {
        Request memory any = Request({
            requester: address(0x1111111111111111111111111111111111111111),
            nonce: 7,
            kind: 0,
            model: ModelId.wrap(bytes32(uint256(type(uint256).max) / 255 * 0x22)),
            inputsRoot: BundleRoot.wrap(bytes32(uint256(type(uint256).max) / 255 * 0x33)),
            property: 0,
            parents: 0,
            feeWei: 1e15,
            tipWei: 1e14,
            minBondWei: 1e16,
            deadline: Instant.wrap(1_900_000_000),
            callback: address(0x4444444444444444444444444444444444444444),
            callbackGas: 200_000
        });
        Inbox elsewhere = Inbox(0x5555555555555555555555555555555555555555);
        vm.etch(address(elsewhere), address(inbox).code);
        vm.chainId(1);
        // By eth_account 0.13's encode_typed_data, chain 1, verifying contract 0x5555…
        bytes32 expected = 0xb79f99e9cf246cbbb161a9a3d5e2695fce76e7c03a67b260876f06af46aa92d4;
        assertEq(RequestId.unwrap(elsewhere.requestIdOf(any)), expected);
        assertTrue(RequestId.unwrap(inbox.requestIdOf(any)) != expected, "another contract, another id");
        vm.chainId(2);
        assertTrue(RequestId.unwrap(elsewhere.requestIdOf(any)) != expected, "another chain, another id");
    }

    function test_request_isABatchOfOneInLaneZero() public {
        PostTerms memory terms = _calledBack();
        Request memory made = _request(terms, alice, 0, _inputs(1));
        RequestId expected = inbox.requestIdOf(made);
        RequestBatch memory batch = _batch(terms, 0, 0, 1, RequestId.unwrap(expected));
        vm.expectEmit(true, true, false, true, address(inbox));
        emit IInbox.Requested(expected, inbox.batchIdOf(batch), batch, made, _inputs(1));
        vm.prank(alice);
        (RequestId id, RequestBatchId batchId) = inbox.request{value: FEE + TIP}(_wish());
        assertTrue(id == expected && batchId == inbox.batchIdOf(batch), "ids as announced");
        assertTrue(inbox.isOrdered(batchId), "ordered");
        assertEq(inbox.nonceOf(alice), 1);
        assertEq(inbox.laneLength(0), 1);
        assertEq(inbox.laneLength(1), 0);
        assertEq(vault.escrowOf(address(inbox)), FEE + TIP);
        assertTrue(inbox.requireOrdered(batch, 0, made, noPath) == id, "shown to be ordered");
        bytes32 protocols = keccak256(
            abi.encode(keccak256("anh.v1.request-batch"), block.chainid, address(inbox), batch)
        );
        assertEq(RequestBatchId.unwrap(batchId), protocols);
    }

    function test_request_sameWishTwice_hasTwoIds() public {
        vm.startPrank(alice);
        (RequestId one,) = inbox.request{value: FEE + TIP}(_wish());
        (RequestId two,) = inbox.request{value: FEE + TIP}(_wish());
        assertTrue(!(one == two), "the nonce tells them apart");
        assertEq(inbox.laneLength(0), 2);
    }

    function test_request_atTheLimits_isTaken() public {
        vm.startPrank(alice);
        Wish memory wish = _wish();
        wish.deadline = Instant.wrap(START + CHALLENGE);
        wish.callbackGas = 1_000_000;
        inbox.request{value: FEE + TIP}(wish);
        wish.deadline = Instant.wrap(START + 30 days);
        (wish.callback, wish.callbackGas) = (address(0), 0);
        inbox.request{value: FEE + TIP}(wish);
        (wish.feeWei, wish.tipWei) = (MIN_FEE, 0);
        inbox.request{value: MIN_FEE}(wish);
    }

    function test_request_byRoot_keepsTheRoot() public {
        Wish memory wish = _wish();
        (wish.inputs, wish.inputsRoot) = ("", BundleRoot.wrap(keccak256("kept off chain")));
        Request memory made = _request(_calledBack(), alice, 0, _inputs(1));
        made.inputsRoot = wish.inputsRoot;
        vm.prank(alice);
        (RequestId id,) = inbox.request{value: FEE + TIP}(wish);
        assertTrue(id == inbox.requestIdOf(made), "the id binds the root given");
    }

    function test_release_movesFeesToClaimChain() public {
        _ask();
        vm.prank(address(claimChain));
        inbox.release(FEE);
        assertEq(vault.escrowOf(address(inbox)), TIP);
        assertEq(vault.escrowOf(address(claimChain)), FEE);
    }

    function test_refund_paysTheRequesterFeeAndTip() public {
        (RequestBatch memory batch, Request memory made) = _ask();
        RequestId id = inbox.requestIdOf(made);
        vm.warp(START + 1 hours);
        assertTrue(!inbox.isRefunded(id), "not yet");
        vm.expectEmit(true, true, false, true, address(inbox));
        emit IInbox.Refunded(id, inbox.batchIdOf(batch), 0, FEE + TIP);
        vm.prank(bob);
        inbox.refund(batch, 0, made, noPath);
        assertTrue(inbox.isRefunded(id), "known to whoever asks");
        assertEq(vault.balanceOf(alice), FEE + TIP);
        assertEq(vault.escrowOf(address(inbox)), 0);
    }

    function _ask() private returns (RequestBatch memory batch, Request memory made) {
        made = _request(_calledBack(), alice, inbox.nonceOf(alice), _inputs(1));
        uint64 first = inbox.laneLength(0);
        vm.prank(alice);
        (RequestId id,) = inbox.request{value: FEE + TIP}(_wish());
        batch = _batch(_calledBack(), 0, first, 1, RequestId.unwrap(id));
    }

    /// @dev `_wish`'s terms.
    function _calledBack() private view returns (PostTerms memory terms) {
        terms = _terms();
        (terms.callback, terms.callbackGas) = (CONSUMER, 200_000);
    }

    function _refuses(Wish memory wish, bytes memory reason) private {
        vm.prank(alice);
        vm.expectRevert(reason);
        inbox.request{value: uint256(wish.feeWei) + wish.tipWei}(wish);
    }

    function _refusesCallback(address callback, uint32 callbackGas, uint32 maximum) private {
        Wish memory wish = _wish();
        (wish.callback, wish.callbackGas) = (callback, callbackGas);
        _refuses(wish, abi.encodeWithSelector(IInbox.CallbackGasOutOfRange.selector, callbackGas, maximum));
    }
}
