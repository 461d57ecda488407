// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../contracts/interfaces/IClaimChain.sol";
import {DemandPage, DisputeStatus, IDisputeGame, LeafRef, StepProof} from "../../contracts/interfaces/IDisputeGame.sol";
import {IStepJudge, Opening, Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {ClaimId} from "../../contracts/types/Ids.sol";
import {DisputeCast} from "./mocks/DisputeCast.sol";

/// @notice Demand and supply: which leaves, when, and what a missing one means. Collect 40 s, supply 60 s, prove 80 s.
contract DisputeGameDemandTest is DisputeCast {
    // Demand.

    function test_demand_beforeOpening_reverts() public {
        (ClaimWitness memory witness,) = challenged();
        vm.expectRevert(_wrongStatus(DisputeStatus.Challenged));
        demandLeaves(DEMANDER, witness, 1);
    }

    function test_demand_nothing_reverts() public {
        (ClaimWitness memory witness,) = opened();
        vm.expectRevert(IDisputeGame.NothingDemanded.selector);
        demandLeaves(DEMANDER, witness, 0);
    }

    function test_demand_withoutAProofForEachRef_reverts() public {
        (ClaimWitness memory witness,) = opened();
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongCount.selector, 1, 2));
        game.demand(witness, refs(2), new StepProof[](1));
    }

    function test_demand_leafThatDoesNotExist_reverts() public {
        (ClaimWitness memory witness,) = opened();
        LeafRef[] memory list = refs(2);
        list[1].step = 100;
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 100, 100));
        vm.prank(DEMANDER);
        game.demand(witness, list, new StepProof[](2));
    }

    function test_demand_moreThan256InAll_reverts() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 200);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooManyLeaves.selector, 257, 256));
        demandLeaves(CHALLENGER, witness, 57);
        demandLeaves(CHALLENGER, witness, 56);
        assertEq(game.disputeOf(id).demanded, 256);
    }

    function test_demand_withoutDeposit_reverts() public {
        (ClaimWitness memory witness,) = opened();
        uint256 deposit = game.demandDeposit(3);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, THIEF, 0, deposit));
        demandLeaves(THIEF, witness, 3);
    }

    function test_demand_aroundTheCollectPeriod_isInTimeOnlyBefore() public {
        (ClaimWitness memory witness,) = opened();
        vm.warp(START + 39);
        demandLeaves(DEMANDER, witness, 1);
        for (uint256 moment = START + 40; moment <= START + 41; ++moment) {
            vm.warp(moment);
            vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooLate.selector, moment, START + 40));
            demandLeaves(DEMANDER, witness, 1);
        }
    }

    function test_demand_keepsOnePageForEachCall() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 3);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Demanded(id, 1, CHALLENGER, refs(2), game.demandDeposit(2));
        demandLeaves(CHALLENGER, witness, 2);

        assertEq(game.pagesOf(id), 2);
        DemandPage memory page = game.pageOf(id, 1);
        assertEq(page.demander, CHALLENGER);
        assertEq(page.depositWei, game.demandDeposit(2));
        assertEq(page.refsHash, keccak256(abi.encode(refs(2))));
        assertEq(page.count, 2);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownPage.selector, 2, 2));
        game.pageOf(id, 2);
    }

    // Supply.

    function test_supply_unknownPage_reverts() public {
        (ClaimWitness memory witness,) = opened();
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.UnknownPage.selector, 0, 0));
        supplyLeaves(witness, 0, 1, 0, 1);
    }

    function test_supply_otherRefsThanDemanded_reverts() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 3);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDisputeGame.WrongPage.selector, keccak256(abi.encode(refs(2))), keccak256(abi.encode(refs(3)))
            )
        );
        supplyLeaves(witness, 0, 2, 0, 1);
    }

    function test_supply_positionOutOfPage_reverts() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 3);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.PositionOutOfPage.selector, 3, 3));
        supplyLeaves(witness, 0, 3, 2, 2);
    }

    function test_supply_afterSomebodyElse_countsEachLeafOnce() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 3);
        vm.prank(THIEF);
        supplyLeaves(witness, 0, 3, 1, 1);
        supplyLeaves(witness, 0, 3, 0, 2);
        assertEq(game.disputeOf(id).supplied, 2);
        assertEq(game.pageOf(id, 0).supplied, 3);
        concludeAt(witness, START + 100);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_supply_sameLeafTwiceInOneCall_countsOnce() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 3);
        Opening[] memory openings = new Opening[](2);
        openings[0].leaves = openings[1].leaves = "leaf";
        game.supply(witness, 0, refs(3), new uint256[](2), new StepProof[](2), openings);
        assertEq(game.disputeOf(id).supplied, 1);
    }

    function test_supply_wrongLeaf_reverts() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 1);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.WrongLeafBytes.selector, 0, 1024));
        game.supply(witness, 0, refs(1), positions(0, 1), new StepProof[](1), new Opening[](1));
    }

    function test_supply_withoutAnOpeningForEach_reverts() public {
        (ClaimWitness memory witness,) = opened();
        demandLeaves(DEMANDER, witness, 2);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongCount.selector, 1, 2));
        game.supply(witness, 0, refs(2), positions(0, 2), new StepProof[](2), new Opening[](1));
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.WrongCount.selector, 1, 2));
        game.supply(witness, 0, refs(2), positions(0, 2), new StepProof[](1), new Opening[](2));
    }

    function test_supply_aroundTheClock_endsWhereStarvationBegins() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 1);
        vm.warp(START + 99);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooEarly.selector, START + 99, START + 100));
        game.conclude(witness);
        uint256 before = vm.snapshotState();
        supplyLeaves(witness, 0, 1, 0, 1);
        vm.revertToState(before);
        for (uint256 moment = START + 100; moment <= START + 101; ++moment) {
            vm.warp(moment);
            vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooLate.selector, moment, START + 100));
            supplyLeaves(witness, 0, 1, 0, 1);
        }
        vm.warp(START + 100);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Silenced(id, DisputeStatus.Opened);
        game.conclude(witness);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_supply_all256Leaves_thenAcquitsAfterTheProveWindow() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 256);
        supplyLeaves(witness, 0, 256, 255, 1);
        supplyLeaves(witness, 0, 256, 0, 255);
        assertEq(game.disputeOf(id).supplied, 256);
        assertEq(game.pageOf(id, 0).supplied, type(uint256).max);
        vm.warp(START + 179);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooEarly.selector, START + 179, START + 180));
        game.conclude(witness);
        concludeAt(witness, START + 180);
        assertStatus(id, DisputeStatus.Acquitted);
    }

    function test_supply_allButOne_isStillRefuted() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 3);
        demandLeaves(CHALLENGER, witness, 1);
        supplyLeaves(witness, 0, 3, 0, 2);
        supplyLeaves(witness, 1, 1, 0, 1);
        concludeAt(witness, START + 100);
        assertStatus(id, DisputeStatus.Refuted);
    }

    function test_supply_announcesEveryLeaf() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 1);
        Opening memory opening;
        opening.leaves = "leaf";
        vm.expectEmit(true, true, true, true, address(game));
        emit IDisputeGame.Supplied(id, 0, 0, refs(1)[0], opening);
        supplyLeaves(witness, 0, 1, 0, 1);
    }

    function test_prove_whileLeavesAreMissing_isPossible() public {
        (ClaimWitness memory witness, ClaimId id) = opened();
        demandLeaves(DEMANDER, witness, 1);
        vm.warp(START + 50);
        proveFault(witness, Verdict.BeyondSound);
        assertStatus(id, DisputeStatus.Refuted);
        assertSettled();
    }

    function _wrongStatus(DisputeStatus received) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDisputeGame.WrongStatus.selector, received, DisputeStatus.Opened);
    }
}
