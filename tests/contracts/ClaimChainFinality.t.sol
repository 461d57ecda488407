// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {RequestBatchId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";

/// @notice From claims to final claims, batch by batch and one by one.
contract ClaimChainFinalityTest is ClaimStage {
    function _refused(Made memory made, bytes memory reason) private {
        vm.expectRevert(reason);
        chain.finalise(made.order.batch, made.claims);
    }

    function _refusedContested(Made memory made, uint32 index, bytes memory reason) private {
        vm.expectRevert(reason);
        chain.finaliseContested(_witness(made, index));
    }

    function _finalise(Made memory made) private {
        vm.prank(keeper);
        chain.finalise(made.order.batch, made.claims);
    }

    function _windowOpen(uint40 until) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IClaimChain.WindowOpen.selector, Instant.wrap(until));
    }

    function test_finalise_beforeWindowIsOver_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        _refused(made, _windowOpen(START + WINDOW));
        vm.warp(START + WINDOW - 1);
        _refused(made, _windowOpen(START + WINDOW));
    }

    function test_finalise_otherRequestBatch_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        _afterWindow();
        made.order.batch.feeWei *= 10;
        RequestBatchId forged = inbox.batchIdOf(made.order.batch);
        _refused(made, abi.encodeWithSelector(IClaimChain.UnknownRequestBatch.selector, forged));
    }

    function test_finalise_claimsNeverMade_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        _afterWindow();
        made.claims.executor = thief;
        _refused(made, _wrongCertainty(Certainty.None, Certainty.Provisional));
        (made.claims.executor, made.claims.bondWei) = (honest, 100 ether);
        _refused(made, _wrongCertainty(Certainty.None, Certainty.Provisional));
    }

    function test_finalise_twice_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        _afterWindow();
        _finalise(made);
        _refused(made, _wrongCertainty(Certainty.None, Certainty.Provisional));
    }

    function test_finalise_atWindowsEnd_paysAll() external {
        Made memory made = _leaseAndClaim(honest, _order(3));
        vm.warp(START + WINDOW);
        vm.expectEmit(true, false, false, true, address(chain));
        emit IClaimChain.Finalised(made.id, 3, keeper);
        _finalise(made);
        assertEq(vault.balanceOf(honest), 200 ether + 3 * FEE);
        assertEq(vault.balanceOf(keeper), 3 * TIP);
        assertEq(vault.escrowOf(address(chain)), 0);
        assertEq(vault.escrowOf(address(inbox)), 0);
        _assertCertainty(made, 2, Certainty.Final, 0);
    }

    function test_finalise_withCallbacks_keepsTipsForSettlement() external {
        Made memory made = _leaseAndClaim(honest, _order(3, asker, 1000));
        _afterWindow();
        _finalise(made);
        assertEq(vault.balanceOf(keeper), 0);
        assertEq(vault.escrowOf(address(chain)), 3 * TIP);
        _assertCertainty(made, 2, Certainty.Final, 0);
    }

    function test_finalise_twoBatchesOverTheSameRequests_payEachRequestOnce() external {
        Order memory order = _order(300);
        _lease(honest, order);
        Made memory early = _claim(honest, order, Attempt(100, 180, _below(180), false, BOND, 1));
        Made memory late = _claim(honest, order, _all(order));
        _afterWindow();
        _finalise(late);
        _finalise(early);
        assertEq(vault.balanceOf(honest), 200 ether + 300 * FEE);
        assertEq(vault.balanceOf(keeper), 300 * TIP);
        assertEq(vault.escrowOf(address(inbox)), 0);
    }

    function test_finalise_of512_isOneStep() external {
        Made memory made = _leaseAndClaim(honest, _order(512));
        _afterWindow();
        uint256 gasBefore = gasleft();
        _finalise(made);
        assertLe(gasBefore - gasleft(), 120_000);
        assertEq(vault.balanceOf(honest), 200 ether + 512 * FEE);
        _assertCertainty(made, 511, Certainty.Final, 0);
    }

    function test_finalise_leavesContestedClaimsOut() external {
        Made memory made = _leaseAndClaim(liar, _order(3));
        chain.contest(_witness(made, 1));
        _afterWindow();
        _finalise(made);
        assertEq(vault.balanceOf(liar), 200 ether + 2 * FEE - BOND);
        _assertCertainty(made, 0, Certainty.Final, 0);
        _assertCertainty(made, 1, Certainty.Challenged, 0);
    }

    function test_certainty_countsDownToTheWindowsEnd() external {
        Made memory made = _leaseAndClaim(honest, _order(1));
        vm.warp(START + WINDOW - 1);
        _assertCertainty(made, 0, Certainty.Provisional, 1);
        vm.warp(START + WINDOW + 5);
        _assertCertainty(made, 0, Certainty.Provisional, 0);
    }

    function test_finaliseContested_notAcquitted_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        _refusedContested(made, 0, _wrongCertainty(Certainty.None, Certainty.Provisional));
        chain.contest(_witness(made, 0));
        _refusedContested(made, 0, _wrongCertainty(Certainty.Challenged, Certainty.Provisional));
    }

    function test_finaliseContested_forgedFee_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _afterWindow();
        made.order.batch.feeWei *= 2;
        RequestBatchId forged = inbox.batchIdOf(made.order.batch);
        _refusedContested(made, 0, abi.encodeWithSelector(IClaimChain.UnknownRequestBatch.selector, forged));
    }

    function test_finaliseContested_waitsForTheBatchesWindow() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START + 10));
        _assertCertainty(made, 0, Certainty.Provisional, WINDOW);
        vm.warp(START + WINDOW - 1);
        _refusedContested(made, 0, _windowOpen(START + WINDOW));
    }

    function test_finaliseContested_waitsForTheDispute() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        chain.contest(_witness(made, 0));
        uint40 finalAt = START + WINDOW + 10;
        chain.acquit(_witness(made, 0), Instant.wrap(finalAt));
        _assertCertainty(made, 0, Certainty.Provisional, WINDOW + 10);
        vm.warp(finalAt - 1);
        _refusedContested(made, 0, _windowOpen(finalAt));
        vm.warp(finalAt);
        vm.prank(keeper);
        chain.finaliseContested(_witness(made, 0));
        _assertCertainty(made, 0, Certainty.Final, 0);
        _assertCertainty(made, 1, Certainty.Provisional, 0);
        assertEq(vault.balanceOf(honest), 200 ether + FEE - BOND);
        assertEq(vault.balanceOf(keeper), TIP);
        _refusedContested(made, 0, _wrongCertainty(Certainty.Final, Certainty.Provisional));
    }

    function test_finaliseContested_thenBatch_paysEachOnce() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _afterWindow();
        chain.finaliseContested(_witness(made, 0));
        _finalise(made);
        assertEq(vault.balanceOf(honest), 200 ether + 2 * FEE);
        assertEq(vault.escrowOf(address(chain)), 0);
        _refused(made, _wrongCertainty(Certainty.None, Certainty.Provisional));
    }
}
