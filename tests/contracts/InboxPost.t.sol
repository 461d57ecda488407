// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./mocks/InboxFixture.sol";
import {Models} from "./mocks/Models.sol";
import {IInbox, EmptyReason, PostTerms, Request, RequestBatch, Signed} from "../../contracts/interfaces/IInbox.sol";
import {RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {U8} from "../../contracts/types/Roots.sol";

contract InboxPostTest is InboxFixture {
    uint96 private constant DUE = FEE + TIP;

    function setUp() public override {
        super.setUp();
        _fund(alice, 10 * DUE);
    }

    // Refusals of the whole batch.

    function test_post_fromAnyoneElse_reverts() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotTheSequencer.selector, alice, SEQUENCER));
        inbox.post(_terms(), new Signed[](1));
    }

    function test_post_sizeOutOfRange_reverts() public {
        uint256[2] memory sizes = [uint256(0), 513];
        for (uint256 i = 0; i < sizes.length; ++i) {
            vm.prank(SEQUENCER);
            vm.expectRevert(abi.encodeWithSelector(IInbox.BatchSizeOutOfRange.selector, sizes[i], 512));
            inbox.post(_terms(), new Signed[](sizes[i]));
        }
    }

    function test_post_badTerms_reverts() public {
        PostTerms memory terms = _terms();
        terms.feeWei = MIN_FEE - 1;
        vm.prank(SEQUENCER);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeTooLow.selector, MIN_FEE - 1, MIN_FEE));
        inbox.post(terms, new Signed[](1));
    }

    /// @dev Long inputs, so that the 64th of the gas which the check leaves over still suffices to say what happened.
    function test_post_withTooLittleGasForInputs_reverts() public {
        PostTerms memory terms = _terms();
        terms.model = models.register(Models.single(U8, 4096, 0, 255));
        Signed[] memory requests = _one(_sign(ALICE_KEY, 0, _inputs(1)));
        requests[0].inputs = new bytes(4096);
        vm.prank(SEQUENCER);
        (bool success, bytes memory reason) =
            address(inbox).call{gas: 250_000}(abi.encodeCall(IInbox.post, (terms, requests)));
        assertTrue(!success, "no reason to log it empty");
        assertEq(reason, abi.encodeWithSelector(IInbox.OutOfGasForInputs.selector, 0));
    }

    // Requests logged empty.

    function test_post_badSignatures_areLoggedEmpty() public {
        Signed[] memory requests = new Signed[](5);
        for (uint256 i = 0; i < 5; ++i) {
            requests[i] = _sign(ALICE_KEY, 0, _inputs(1));
        }
        requests[0].signature[5] ^= 0x01;
        requests[1].signature = "";
        requests[2].signature = abi.encodePacked(requests[2].signature, uint8(0));
        requests[3].signature = _sign(BOB_KEY, 0, _inputs(1)).signature;
        // Nobody signs nothing: recovery fails with the zero address, which must not pass for a requester.
        (requests[4].requester, requests[4].signature) = (address(0), "");
        _postsEmpty(requests, EmptyReason.BadSignature);
    }

    /// @dev The other root of the same signature: n - s with the other parity.
    function test_post_malleableSignature_isLoggedEmpty() public {
        Signed memory signed = _sign(ALICE_KEY, 0, _inputs(1));
        bytes memory signature = signed.signature;
        (bytes32 r, uint256 s, uint8 v) = (_word(signature, 0), uint256(_word(signature, 32)), uint8(signature[64]));
        s = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - s;
        signed.signature = abi.encodePacked(r, s, v == 27 ? 28 : 27);
        _postsEmpty(_one(signed), EmptyReason.BadSignature);
    }

    function test_post_signedForAnotherChain_isLoggedEmpty() public {
        Signed memory signed = _sign(ALICE_KEY, 0, _inputs(1));
        vm.chainId(block.chainid + 1);
        _postsEmpty(_one(signed), EmptyReason.BadSignature);
    }

    function test_post_underOtherTerms_isLoggedEmpty() public {
        Signed[] memory requests = _one(_sign(ALICE_KEY, 0, _inputs(1)));
        PostTerms memory terms = _terms();
        terms.feeWei += 1;
        (, bytes memory reasons) = _post(terms, requests);
        assertEq(reasons, abi.encodePacked(EmptyReason.BadSignature));
    }

    function test_post_replayed_isLoggedEmpty() public {
        Signed[] memory requests = _one(_sign(ALICE_KEY, 0, _inputs(1)));
        _post(_terms(), requests);
        _postsEmpty(requests, EmptyReason.StaleNonce);
    }

    function test_post_nonceAhead_isLoggedEmpty() public {
        _postsEmpty(_one(_sign(ALICE_KEY, 1, _inputs(1))), EmptyReason.StaleNonce);
    }

    function test_post_unfunded_isLoggedEmptyAndKeepsItsNonce() public {
        _fund(bob, DUE - 1);
        Signed[] memory requests = _one(_sign(BOB_KEY, 0, _inputs(1)));
        _postsEmpty(requests, EmptyReason.Unfunded);
        assertEq(vault.balanceOf(bob), DUE - 1);
        _fund(bob, 1);
        (, bytes memory reasons) = _post(_terms(), requests);
        assertEq(reasons, abi.encodePacked(EmptyReason.None));
        assertEq(vault.balanceOf(bob), 0);
    }

    function test_post_badInputs_areLoggedEmpty() public {
        Signed[] memory requests = new Signed[](4);
        for (uint256 i = 0; i < 4; ++i) {
            requests[i] = _sign(ALICE_KEY, 0, _inputs(1));
        }
        requests[0].inputs[0] = 0x7f;
        requests[1].inputs = new bytes(28);
        requests[2].inputs = new bytes(4097);
        requests[3].inputs = "";
        _postsEmpty(requests, EmptyReason.BadInputs);
    }

    // Successes.

    function test_post_mixedBatch_takesTheGoodOnes() public {
        _fund(bob, DUE);
        Signed[] memory requests = new Signed[](5);
        requests[0] = _sign(ALICE_KEY, 0, _inputs(1));
        requests[1] = _sign(BOB_KEY, 5, _inputs(2));
        requests[2] = _sign(ALICE_KEY, 1, _inputs(3));
        requests[3] = _sign(BOB_KEY, 0, _inputs(4));
        requests[4] = _sign(BOB_KEY, 1, _inputs(5));
        (RequestBatchId batchId, bytes memory reasons) = _post(_terms(), requests);
        assertEq(reasons, hex"0002000003");
        assertEq(claimChain.emptyBits(batchId, 0), (1 << 1) | (1 << 4));
        assertEq(claimChain.emptyBits(batchId, 1), 0);
        assertEq(inbox.nonceOf(alice), 2);
        assertEq(inbox.nonceOf(bob), 1);
        assertEq(vault.escrowOf(address(inbox)), 3 * DUE);
        assertEq(vault.balanceOf(alice), 8 * DUE);
    }

    /// @dev The root and a path are built here by hand: three leaves, the second of them empty.
    function test_post_isABatchInLaneOne_whoseRequestsCanBeShown() public {
        Signed[] memory requests = new Signed[](3);
        requests[0] = _sign(ALICE_KEY, 0, _inputs(1));
        requests[1] = _sign(ALICE_KEY, 0, _inputs(2));
        requests[2] = _sign(ALICE_KEY, 1, _inputs(3));
        Request memory third = _request(_terms(), alice, 1, _inputs(3));
        RequestId one = inbox.requestIdOf(_request(_terms(), alice, 0, _inputs(1)));
        RequestId three = inbox.requestIdOf(third);
        bytes32 left = keccak256(abi.encode(one, bytes32(0)));
        bytes32 root = keccak256(abi.encode(left, keccak256(abi.encode(three, bytes32(0)))));
        RequestBatch memory batch = _batch(_terms(), 1, 0, 3, root);
        vm.expectEmit(true, true, false, true, address(inbox));
        emit IInbox.Posted(inbox.batchIdOf(batch), batch, _terms(), requests, hex"000200");
        (RequestBatchId batchId,) = _post(_terms(), requests);
        assertTrue(batchId == inbox.batchIdOf(batch), "the root follows from the data");
        assertEq(inbox.laneLength(1), 3);
        assertEq(inbox.laneLength(0), 0);
        bytes32[] memory path = new bytes32[](1);
        path[0] = left;
        assertTrue(inbox.requireOrdered(batch, 2, third, path) == three, "number 2 of the batch");
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotInBatch.selector, three, 0));
        path = new bytes32[](2);
        inbox.requireOrdered(batch, 0, third, path);
    }

    function test_post_thenRequest_shareOneStreamOfNonces() public {
        _post(_terms(), _one(_sign(ALICE_KEY, 0, _inputs(1))));
        vm.prank(alice);
        inbox.request{value: DUE}(_wish());
        assertEq(inbox.nonceOf(alice), 2);
        (, bytes memory reasons) = _post(_terms(), _one(_sign(ALICE_KEY, 2, _inputs(1))));
        assertEq(reasons, abi.encodePacked(EmptyReason.None));
        assertEq(inbox.laneLength(1), 2);
    }

    function test_post_byRoot_needsNoInlineInputs() public {
        Signed memory signed = _sign(ALICE_KEY, 0, _inputs(1));
        signed.inputsRoot = models.commitInputs(model, signed.inputs);
        signed.inputs = "";
        (, bytes memory reasons) = _post(_terms(), _one(signed));
        assertEq(reasons, abi.encodePacked(EmptyReason.None));
    }

    function test_refund_ofOneOfABatch_paysItsSigner() public {
        Signed[] memory requests = new Signed[](2);
        requests[0] = _sign(ALICE_KEY, 0, _inputs(1));
        requests[1] = _sign(ALICE_KEY, 1, _inputs(2));
        _post(_terms(), requests);
        Request memory second = _request(_terms(), alice, 1, _inputs(2));
        bytes32[] memory path = new bytes32[](1);
        path[0] = RequestId.unwrap(inbox.requestIdOf(_request(_terms(), alice, 0, _inputs(1))));
        bytes32 root = keccak256(abi.encode(path[0], inbox.requestIdOf(second)));
        vm.warp(START + 1 hours);
        inbox.refund(_batch(_terms(), 1, 0, 2, root), 1, second, path);
        assertEq(vault.balanceOf(alice), 9 * DUE);
        assertEq(vault.escrowOf(address(inbox)), DUE);
    }

    /// @dev Bits of the second word too, and an index per request even when it is empty.
    function test_post_fullBatch_isTaken() public {
        Signed[] memory requests = new Signed[](512);
        for (uint256 i = 0; i < 512; ++i) {
            requests[i] = requests[0];
        }
        requests[511] = _sign(ALICE_KEY, 0, _inputs(1));
        (RequestBatchId batchId,) = _post(_terms(), requests);
        assertEq(claimChain.emptyBits(batchId, 0), type(uint256).max);
        assertEq(claimChain.emptyBits(batchId, 1), type(uint256).max >> 1);
        assertEq(inbox.laneLength(1), 512);
        assertEq(vault.escrowOf(address(inbox)), DUE);
    }

    function _postsEmpty(Signed[] memory requests, EmptyReason reason) private {
        uint64 nonce = inbox.nonceOf(alice);
        uint256 escrowWei = vault.escrowOf(address(inbox));
        (RequestBatchId batchId, bytes memory reasons) = _post(_terms(), requests);
        for (uint256 i = 0; i < requests.length; ++i) {
            assertEq(uint8(reasons[i]), uint8(reason));
        }
        assertEq(claimChain.emptyBits(batchId, 0), (1 << requests.length) - 1);
        assertEq(inbox.nonceOf(alice), nonce);
        assertEq(vault.escrowOf(address(inbox)), escrowWei);
        assertTrue(inbox.isOrdered(batchId), "an empty place is a place");
    }

    function _post(PostTerms memory terms, Signed[] memory requests)
        private
        returns (RequestBatchId batchId, bytes memory reasons)
    {
        vm.recordLogs();
        vm.prank(SEQUENCER);
        batchId = inbox.post(terms, requests);
        bytes memory data = _lastLogOf(address(inbox));
        (,,, reasons) = abi.decode(data, (RequestBatch, PostTerms, Signed[], bytes));
    }

    function _one(Signed memory signed) private pure returns (Signed[] memory requests) {
        requests = new Signed[](1);
        requests[0] = signed;
    }

    function _word(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}
