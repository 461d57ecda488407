// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch} from "../../contracts/interfaces/IContestable.sol";
import {IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {Generation, GenerationStatus, IGenerations} from "../../contracts/interfaces/IGenerations.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {ClaimBatchId, ClaimId, RequestId} from "../../contracts/types/Ids.sol";
import {Burner, Flooder, Listener, Reenterer, Vanisher} from "./mocks/Consumers.sol";
import {GenerationStage} from "./mocks/GenerationStage.sol";

/// @notice Final texts: the executor is paid, and the requester's contract is told, friendly or not.
contract GenerationsSettleTest is GenerationStage {
    uint256 private constant FINAL_AT = START + WINDOW;

    function _refused(Generation memory generation, bytes memory tokens, bytes memory reason) private {
        ClaimBatch memory made = claims();
        vm.expectRevert(reason);
        generations.settle(generation, made, tokens);
    }

    function _settle(Generation memory generation) private {
        ClaimBatch memory made = claims();
        vm.prank(keeper);
        generations.settle(generation, made, text());
    }

    function _final(Generation memory generation) private returns (ClaimBatchId made) {
        made = claimed(generation);
        vm.warp(FINAL_AT);
        _settle(generation);
    }

    /// @dev The executor's bond lies with the mock.
    function _assertPaid(Generation memory generation) private view {
        assertStatus(generation, GenerationStatus.Final);
        assertMoney(0, HELD - BOND + FEE, HELD, 0);
        assertEq(vault.escrowOf(address(generations)), 0);
    }

    // Refusals.

    function test_settle_unclaimed_reverts() external {
        Generation memory generation = requested(false);
        _refused(generation, text(), wrongStatus(GenerationStatus.Open, GenerationStatus.Claimed));
    }

    function test_settle_inTheWindow_reverts() external {
        Generation memory generation = requested(false);
        claimed(generation);
        vm.warp(FINAL_AT - 1);
        _refused(generation, text(), abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, FINAL_AT));
        vm.warp(FINAL_AT);
        _settle(generation);
    }

    function test_settle_fallen_reverts() external {
        Generation memory generation = requested(false);
        ClaimBatchId made = claimed(generation);
        vm.warp(FINAL_AT);
        scoreClaims.set(made, Certainty.Refuted);
        _refused(generation, text(), abi.encodeWithSelector(IGenerations.NotFinal.selector, Certainty.Refuted));
    }

    function test_settle_swappedToken_reverts() external {
        Generation memory generation = requested(false);
        claimed(generation);
        vm.warp(FINAL_AT);
        bytes memory other = tokensOf(NEW, 51);
        _refused(
            generation,
            other,
            abi.encodeWithSelector(IGenerations.WrongOutput.selector, keccak256(other), keccak256(text()))
        );
    }

    function test_settle_anotherClaim_reverts() external {
        Generation memory generation = requested(false);
        ClaimBatchId made = claimed(generation);
        vm.warp(FINAL_AT);
        ClaimBatch memory other = claims();
        other.executor = bob;
        ClaimBatchId received = scoreClaims.claimBatchIdOf(other);
        vm.expectRevert(abi.encodeWithSelector(IGenerations.WrongClaim.selector, received, made));
        generations.settle(generation, other, text());
    }

    function test_settle_withTooLittleGasForTheCallback_reverts() external {
        Generation memory generation = calling(address(new Listener()));
        claimed(generation);
        vm.warp(FINAL_AT);
        ClaimBatch memory made = claims();
        (bool success, bytes memory reason) = address(generations).call{gas: 460_000}(
            abi.encodeCall(generations.settle, (generation, made, text()))
        );
        assertTrue(!success, "refused");
        assertEq(bytes32(bytes4(reason)), bytes32(IClaimChain.InsufficientGas.selector));
        assertStatus(generation, GenerationStatus.Claimed);
    }

    function test_settle_again_reverts() external {
        Generation memory generation = requested(false);
        _final(generation);
        _refused(generation, text(), abi.encodeWithSelector(IGenerations.NothingToSend.selector));
        _assertPaid(generation);
    }

    function test_settle_againWhenItWasHeard_reverts() external {
        Generation memory generation = calling(address(new Listener()));
        _final(generation);
        _refused(generation, text(), abi.encodeWithSelector(IGenerations.NothingToSend.selector));
    }

    // Payment.

    function test_settle_finalisesOnTheWay_andPaysTheExecutor() external {
        Generation memory generation = requested(false);
        ClaimBatchId made = claimed(generation);
        vm.warp(FINAL_AT);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.GenerationFinal(idOf(generation), alice, made);
        _settle(generation);
        _assertPaid(generation);
    }

    function test_settle_ofAClaimThatIsFinalAlready_paysTheExecutor() external {
        Generation memory generation = requested(false);
        claimed(generation);
        vm.warp(FINAL_AT);
        scoreClaims.finalise(claims());
        _settle(generation);
        _assertPaid(generation);
    }

    // Callbacks.

    function test_settle_tellsTheConsumer_withExactGas() external {
        Listener listener = new Listener();
        Generation memory generation = calling(address(listener));
        fall(generation, Certainty.Refuted);
        take(generation, bob);
        ClaimBatchId made = claim(generation, bob, 2 * BOND);
        vm.warp(FINAL_AT);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.CallbackSent(idOf(generation), made);
        _settle(generation);
        assertEq(listener.calls(), 1);
        assertEq(RequestId.unwrap(listener.request()), RequestId.unwrap(idOf(generation)));
        assertEq(ClaimId.unwrap(listener.claim()), ClaimId.unwrap(scoreClaims.claimIdOf(made, 0)));
        assertEq(uint256(listener.certainty()), uint256(Certainty.Final));
        assertEq(listener.sequence(), 2);
        assertEq(listener.output(), text());
        assertLe(listener.gasSeen(), 400_000);
        assertLe(395_000, listener.gasSeen());
    }

    function test_settle_hostileConsumers_keepNobodyFromBeingPaid() external {
        address[4] memory hostile =
            [address(new Burner()), address(new Flooder(true)), address(new Flooder(false)), address(new Vanisher())];
        for (uint256 i = 0; i < hostile.length; ++i) {
            uint256 before = vm.snapshotState();
            Generation memory generation = calling(hostile[i]);
            _final(generation);
            _assertPaid(generation);
            assertTrue(stateOf(generation).heard == (i == 3), "only the last one lets itself be told");
            vm.revertToState(before);
        }
    }

    function test_settle_failedCallback_isSentAgain_andPaysNobodyTwice() external {
        Listener listener = new Listener();
        listener.setRefusing(true);
        Generation memory generation = calling(address(listener));
        ClaimBatchId made = claimed(generation);
        vm.warp(FINAL_AT);
        vm.expectEmit(true, true, true, true, address(generations));
        emit IGenerations.CallbackFailed(idOf(generation), made);
        _settle(generation);
        _assertPaid(generation);
        _settle(generation);
        assertTrue(!stateOf(generation).heard, "refused again");
        listener.setRefusing(false);
        _refused(
            generation,
            tokensOf(NEW, 51),
            abi.encodeWithSelector(
                IGenerations.WrongOutput.selector, keccak256(tokensOf(NEW, 51)), keccak256(text())
            )
        );
        _settle(generation);
        assertTrue(stateOf(generation).heard, "told");
        assertEq(listener.output(), text());
        _assertPaid(generation);
    }

    function test_settle_consumerThatCallsBack_findsAFinishedState() external {
        Reenterer consumer = new Reenterer(address(generations));
        Generation memory generation = calling(address(consumer));
        claimed(generation);
        consumer.prepare(abi.encodeCall(generations.settle, (generation, claims(), text())));
        consumer.prepare(abi.encodeCall(generations.refund, (generation)));
        consumer.prepare(abi.encodeCall(generations.reopen, (generation)));
        consumer.prepare(abi.encodeCall(generations.take, (generation)));
        vm.warp(FINAL_AT);
        _settle(generation);
        assertEq(consumer.outcomeCount(), 4);
        assertEq(consumer.outcomes(0), abi.encodeWithSelector(IGenerations.NothingToSend.selector));
        assertEq(consumer.outcomes(1), wrongStatus(GenerationStatus.Final, GenerationStatus.Open));
        assertEq(consumer.outcomes(2), wrongStatus(GenerationStatus.Final, GenerationStatus.Claimed));
        assertEq(consumer.outcomes(3), wrongStatus(GenerationStatus.Final, GenerationStatus.Open));
        _assertPaid(generation);
    }
}
