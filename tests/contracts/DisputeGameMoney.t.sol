// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../contracts/interfaces/IClaimChain.sol";
import {DisputeStatus, IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {ClaimId} from "../../contracts/types/Ids.sol";
import {Vm} from "./Harness.sol";
import {DisputeCast} from "./mocks/DisputeCast.sol";

/// @notice Who gains and loses what. A bond is 8 ether: 4 burned, 2 to the challenger, 2 for gas and parts.
contract DisputeGameMoneyTest is DisputeCast {
    uint256 private constant HELD = 1000 ether;

    // Bonds and deposits.

    function test_challengeBond_isTwoOpeningsOrAnEighth() public {
        assertEq(game.challengeBond(BOND), 1 ether);
        vm.fee(10_000 gwei);
        assertEq(game.challengeBond(BOND), 2 * game.OPEN_GAS() * 10_000 gwei);
    }

    function test_demandDeposit_isTheSupplyOfEachLeaf() public view {
        assertEq(game.demandDeposit(3), 3 * game.SUPPLY_LEAF_GAS() * FEE);
    }

    // Acquitted.

    function test_conclude_acquitted_burnsHalfTheChallengeBondAndPaysTheExecutor() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        uint256 executorBefore = vault.balanceOf(EXECUTOR);
        demandLeaves(DEMANDER, witness, 2);
        supplyLeaves(witness, 0, 2, 0, 2);
        concludeAt(witness, START + 180);
        assertStatus(id, DisputeStatus.Acquitted);
        assertEq(vault.balanceOf(EXECUTOR), executorBefore + 0.5 ether + game.demandDeposit(2));
        assertEq(vault.burned(), 0.5 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether);
        assertEq(vault.balanceOf(SENDER), 0);
        assertSettled();
    }

    // Refuted.

    function test_prove_late_paysTheSenderGasAndPart() public {
        (ClaimWitness memory witness,) = opened();
        vm.warp(START + 80);
        proveFault(witness, Verdict.BeyondSound);
        assertEq(vault.burned(), 4 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), 2 ether);
        assertSettled();
    }

    function test_prove_early_paysTheSenderOnlyItsGas() public {
        (ClaimWitness memory witness,) = opened();
        vm.warp(START + 79);
        proveFault(witness, Verdict.BeyondSound);
        uint256 gasWei = vault.balanceOf(SENDER);
        assertTrue(gasWei > 100_000 * FEE && gasWei < 500_000 * FEE, "the gas of a small proof");
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether + (2 ether - gasWei));
        assertEq(vault.burned(), 4 ether);
        assertSettled();
    }

    function test_prove_withDemanders_sharesInEqualParts() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 5);
        demandLeaves(DEMANDER, witness, 1);
        demandLeaves(CHALLENGER, witness, 1);
        vm.warp(START + 140);
        vm.recordLogs();
        proveFault(witness, Verdict.BeyondSound);
        (uint256 gasWei, uint256 part) = _splitOfSender(3);
        assertEq(vault.balanceOf(SENDER), gasWei + part);
        assertEq(vault.balanceOf(DEMANDER), HELD + 2 * part);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether + part);
        assertSettled();
    }

    function test_prove_gasAboveAQuarter_isCut() public {
        vm.txGasPrice(1_000_000 gwei);
        (ClaimWitness memory witness,) = opened();
        vm.fee(1_000_000 gwei);
        proveFault(witness, Verdict.BeyondSound);
        assertEq(vault.balanceOf(SENDER), 2 ether);
        assertSettled();
    }

    function test_prove_priorityFee_isNotPaidAboveTwiceTheBaseFee() public {
        (ClaimWitness memory witness,) = opened();
        uint256 before = vm.snapshotState();
        vm.txGasPrice(2 * FEE);
        proveFault(witness, Verdict.BeyondSound);
        uint256 gasWei = vault.balanceOf(SENDER);
        vm.revertToState(before);
        vm.txGasPrice(100 * FEE);
        proveFault(witness, Verdict.BeyondSound);
        assertEq(vault.balanceOf(SENDER), gasWei);
    }

    function test_conclude_silent_paysWhoeverConcluded() public {
        (ClaimWitness memory witness,) = challenged();
        concludeAt(witness, START + 100);
        assertEq(vault.burned(), 4 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), 2 ether);
        assertSettled();
    }

    function test_conclude_starved_returnsDeposits() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 4);
        vm.recordLogs();
        concludeAt(witness, START + 100);
        (, uint256 part) = _splitOfSender(1);
        assertEq(vault.balanceOf(DEMANDER), HELD + part);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertSettled();
    }

    function test_prove_afterAcquittal_sharesOnlyTheBond() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 1);
        supplyLeaves(witness, 0, 1, 0, 1);
        concludeAt(witness, START + 180);
        uint256 executorAfter = vault.balanceOf(EXECUTOR);
        uint256 demanderAfter = vault.balanceOf(DEMANDER);
        vm.recordLogs();
        proveFault(witness, Verdict.BeyondSound);
        (, uint256 part) = _splitOfSender(1);
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether + 2 ether);
        assertEq(vault.balanceOf(DEMANDER), demanderAfter + part);
        assertEq(vault.balanceOf(EXECUTOR), executorAfter);
        assertSettled();
    }

    function test_proveEager_burnsTheChallengersQuarter() public {
        (ClaimWitness memory witness,) = live(0, true);
        vm.prank(SENDER);
        game.proveEager(witness, proofOf(Verdict.BeyondSound));
        assertEq(vault.burned(), 6 ether);
        assertEq(vault.balanceOf(SENDER), 2 ether);
        assertSettled();
    }

    // Rejected.

    function test_prove_beyondCalibrated_chargesOnlyTheCost() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 1);
        uint256 costWei = game.disputeOf(id).costWei;
        uint256 executorBefore = vault.balanceOf(EXECUTOR);
        supplyLeaves(witness, 0, 1, 0, 1);
        vm.warp(START + 180);
        proveFault(witness, Verdict.BeyondCalibrated);
        uint256 gasWei = vault.balanceOf(SENDER);
        assertTrue(costWei > 100_000 * FEE && costWei < 400_000 * FEE, "the gas of a challenge");
        assertTrue(gasWei > 60_000 * FEE && gasWei < 400_000 * FEE, "the gas of a small proof");
        assertEq(vault.balanceOf(CHALLENGER), HELD + costWei);
        assertEq(vault.balanceOf(DEMANDER), HELD);
        assertEq(vault.balanceOf(EXECUTOR), executorBefore + BOND - costWei - gasWei);
        assertEq(vault.burned(), 0);
        assertSettled();
    }

    function test_prove_beyondCalibrated_neverCostsMoreThanTheBond() public {
        (ClaimWitness memory witness,) = opened();
        vm.fee(100_000_000 gwei);
        vm.txGasPrice(100_000_000 gwei);
        vm.warp(START + 120);
        uint256 executorBefore = vault.balanceOf(EXECUTOR);
        proveFault(witness, Verdict.BeyondCalibrated);
        assertEq(vault.balanceOf(EXECUTOR), executorBefore);
        assertSettled();
    }

    // Attacks.

    function testFuzz_challenge_oneself_neverPays(uint8 end, uint8 pages, uint64 feeWei) public {
        vm.fee(bound(feeWei, 1 gwei, 1_000 gwei));
        vm.txGasPrice(bound(feeWei, 1 gwei, 1_000 gwei));
        uint256 before = vault.balanceOf(EXECUTOR);
        (ClaimWitness memory witness,) = live(0, false);
        vm.prank(EXECUTOR);
        game.challenge(witness);
        if (end % 4 != 0) openTrace(witness);
        if (end % 4 != 0) {
            for (uint256 i = 0; i < pages % 8; ++i) {
                demandLeaves(EXECUTOR, witness, 1);
                if (end % 4 != 1) supplyLeaves(witness, i, 1, 0, 1);
            }
        }
        vm.warp(START + 180);
        vm.startPrank(EXECUTOR);
        if (end % 4 == 1) game.prove(witness, proofOf(Verdict.BeyondSound));
        else if (end % 4 == 2) game.prove(witness, proofOf(Verdict.BeyondCalibrated));
        else game.conclude(witness);
        vm.stopPrank();
        // The three other bonds of the batch are still locked; a live bond comes back when the claim is final.
        uint256 lockedWei = 3 * BOND + (end % 4 == 3 ? BOND : 0);
        uint256 afterwards = vault.balanceOf(EXECUTOR) + lockedWei;
        assertTrue(end % 4 == 2 ? afterwards <= before : afterwards < before, "an accomplice only loses");
        assertSettled();
    }

    function test_challenge_anHonestClaim_costsTheGriefer() public {
        (ClaimWitness memory witness,) = opened();
        concludeAt(witness, START + 120);
        assertEq(vault.balanceOf(CHALLENGER), HELD - game.challengeBond(BOND));
    }

    function test_prove_with256Pages_fitsIntoATransaction() public {
        (ClaimWitness memory witness,) = opened();
        vm.deal(address(this), 256 ether);
        for (uint160 i = 0; i < 256; ++i) {
            address demander = address(0xD000 + i);
            vault.deposit{value: 1 ether}(demander);
            demandLeaves(demander, witness, 1);
        }
        uint256 startGas = gasleft();
        proveFault(witness, Verdict.BeyondSound);
        assertLe(startGas - gasleft(), 12_000_000);
        assertSettled();
    }

    /// @dev From the `Slashed` event: what is not part of it is the sender's gas.
    function _splitOfSender(uint256 pages) private returns (uint256 gasWei, uint256 part) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IDisputeGame.Slashed.selector) continue;
            (uint256 bond, uint256 burned, uint256 challenger, uint256 sender, uint256 demanders) =
                abi.decode(logs[i].data, (uint256, uint256, uint256, uint256, uint256));
            assertEq(burned + challenger + sender + demanders, bond);
            part = demanders / pages;
            gasWei = sender - part;
            assertEq((2 ether - gasWei) / (pages + 1), part);
        }
        assertTrue(part > 0, "a bond was split");
    }
}
