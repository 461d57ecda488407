// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {DisputeStatus, IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof} from "../../contracts/interfaces/IStepJudge.sol";
import {ScoreStage} from "./mocks/ScoreStage.sol";

/// @notice Whole disputes over items of claims of scores, with the real game and judge, to the last wei. Windows: challenge
/// 200 s, open 100, collect 40, supply 60, prove 80. The claim's bond is 8 ether, a challenge's 1.
contract ScoreGameTest is ScoreStage {
    // The honest executor.

    function test_game_honestItem_isAcquitted_andTheClaimFinal() public {
        Run[] memory runs = honest(5);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[3], CHALLENGER);
        openItem(items[3], runs[3]);
        _expectNoFault(items[3], stepProof(runs[3]));
        _expectNoFault(items[3], calibratedProof(runs[3]));
        _expectNoFault(items[3], linkProof(runs[3]));
        assertStanding(items[0], Certainty.Provisional, 1);

        concludeItem(items[3], START + 120);
        assertStanding(items[0], Certainty.Provisional, 0);
        vm.warp(START + 280);
        scoreClaims.finalise(items[0].claims);
        assertEq(vault.balanceOf(EXECUTOR), HELD + 0.5 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether);
        _assertOver(items[0], Certainty.Final);
    }

    function test_game_hiddenWeights_areDemanded_andSupplied() public {
        Run[] memory runs = honest(2);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], runs[1]);
        demandWeight(items[1], DEMANDER);
        supplyWeight(items[1]);
        uint256 depositWei = scoreGame.demandDeposit(1);
        concludeItem(items[1], START + 180);
        assertEq(vault.balanceOf(DEMANDER), HELD - depositWei);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND + 0.5 ether + depositWei);
        // A whole window after the supply, and a prove window for what only rejects.
        vm.warp(START + 379);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 380));
        scoreClaims.finalise(items[0].claims);
        vm.warp(START + 380);
        scoreClaims.finalise(items[0].claims);
        _assertOver(items[0], Certainty.Final);
    }

    function test_game_hiddenWeights_areDemanded_andNotSupplied_isRefuted() public {
        ClaimWitness[] memory items = scored(honest(2));
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], honestRun());
        demandWeight(items[1], DEMANDER);
        concludeItem(items[1], START + 100);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.burned(), 4 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    // The liar.

    function test_game_falseItem_isRefuted_andTheWholeBondSplit() public {
        Run[] memory runs = _with(5, 2, WRONG);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[2], CHALLENGER);
        openItem(items[2], runs[2]);
        vm.warp(START + 80);
        _prove(items[2], stepProof(runs[2]));
        assertEq(vault.burned(), 4 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_falseScoreOverAnHonestTrace_isRefutedByItsLink() public {
        ClaimWitness[] memory items = scored(_with(3, 0, WRONG));
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], honestRun());
        _expectNoFault(items[0], stepProof(honestRun()));
        _prove(items[0], linkProof(honestRun()));
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_silence_isRefuted() public {
        ClaimWitness[] memory items = scored(honest(3));
        challengeItem(items[1], CHALLENGER);
        vm.warp(START + 99);
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.TooEarly.selector, START + 99, START + 100));
        scoreGame.conclude(items[1]);
        concludeItem(items[1], START + 100);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    /// @dev The liar's own challenge keeps nobody from the false item beside it.
    function test_game_selfChallengeOfAnHonestItem_shieldsNothing() public {
        Run[] memory runs = _with(3, 2, WRONG);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[0], EXECUTOR);
        openItem(items[0], runs[0]);
        vm.warp(START + 199);
        challengeItem(items[2], CHALLENGER);
        openItem(items[2], runs[2]);
        concludeItem(items[0], START + 200);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.InDispute.selector, 1));
        scoreClaims.finalise(items[0].claims);
        vm.warp(START + 290);
        _prove(items[2], stepProof(runs[2]));
        // Half of its own challenge bond is burned; of the claim's it gets nothing.
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND - 0.5 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_falseItem_isRefutedAfterItsAcquittalToo() public {
        Run[] memory runs = _with(2, 1, WRONG);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], runs[1]);
        concludeItem(items[1], START + 120);
        vm.warp(START + 279);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 280));
        scoreClaims.finalise(items[0].claims);
        _prove(items[1], stepProof(runs[1]));
        assertEq(vault.balanceOf(CHALLENGER), HELD - 1 ether + 2 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_acquittedItem_cannotBeProvenOnceFinal() public {
        Run[] memory runs = _with(2, 1, WRONG);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], runs[1]);
        concludeItem(items[1], START + 280);
        scoreClaims.finalise(items[0].claims);
        FaultProof memory proof = stepProof(runs[1]);
        vm.expectRevert(
            abi.encodeWithSelector(IScoreClaims.WrongCertainty.selector, Certainty.Final, Certainty.Provisional)
        );
        scoreGame.prove(items[1], proof);
        _assertOver(items[0], Certainty.Final);
    }

    // Side by side.

    /// @dev As many items as anyone likes, at a price that no griefer bears; those that are over count no more.
    function test_game_manyItemsAtOnce_doubleTheBondOfTheNext() public {
        ClaimWitness[] memory items = scored(honest(66));
        for (uint256 i = 0; i < 65; ++i) {
            challengeItem(items[i], CHALLENGER);
            if (i < 2) openItem(items[i], honestRun());
        }
        for (uint256 i = 0; i < 65; ++i) {
            assertEq(scoreGame.disputeOf(itemOf(items[i])).bondWei, i < 32 ? 1 ether : i < 64 ? 2 ether : 4 ether);
        }
        assertEq(vault.balanceOf(CHALLENGER), 0);
        concludeItem(items[0], START + 120);
        concludeItem(items[1], START + 120);
        challengeItem(items[65], DEMANDER);
        assertEq(scoreGame.disputeOf(itemOf(items[65])).bondWei, 2 ether);
    }

    function test_game_secondFalseItem_costsItsChallengerNothing() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(WRONG, WRONG);
        _prove(items[0], stepProof(runs[0]));
        assertStanding(items[0], Certainty.Refuted, 1);
        uint256 senderWei = vault.balanceOf(SENDER);
        vm.warp(START + 80);
        _prove(items[1], stepProof(runs[1]));
        assertEq(vault.balanceOf(DEMANDER), HELD);
        assertEq(vault.balanceOf(SENDER), senderWei);
        assertEq(vault.burned(), 4 ether);
        _assertOver(items[0], Certainty.Refuted);
        assertEq(uint256(scoreGame.disputeOf(itemOf(items[1])).status), uint256(DisputeStatus.Refuted));
    }

    function test_game_secondItemInSilence_costsItsChallengerNothing() public {
        Run[] memory runs = _with(2, 0, WRONG);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[0], CHALLENGER);
        challengeItem(items[1], DEMANDER);
        openItem(items[0], runs[0]);
        _prove(items[0], stepProof(runs[0]));
        concludeItem(items[1], START + 100);
        assertEq(vault.balanceOf(DEMANDER), HELD);
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_secondItemThatOnlyRejects_costsItsChallengerNothing() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(WRONG, ROUGH);
        _prove(items[0], stepProof(runs[0]));
        vm.warp(START + 120);
        _prove(items[1], calibratedProof(runs[1]));
        assertEq(vault.balanceOf(DEMANDER), HELD);
        _assertOver(items[0], Certainty.Refuted);
    }

    /// @dev Whoever challenged the second item doubted a liar: nothing of what it put up is lost or stuck.
    function test_game_secondItemOfAFallenClaim_isAcquittedAtNoCostToWhoeverDoubtedIt() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(WRONG, HONEST);
        demandWeight(items[1], DEMANDER);
        supplyWeight(items[1]);
        _prove(items[0], stepProof(runs[0]));
        uint256 executorWei = vault.balanceOf(EXECUTOR);
        concludeItem(items[1], START + 180);
        assertEq(vault.balanceOf(DEMANDER), HELD);
        assertEq(vault.balanceOf(EXECUTOR), executorWei);
        assertEq(vault.burned(), 4 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    /// @dev The other way round: it was acquitted before the claim fell, when nobody knew.
    function test_game_itemAcquittedBeforeItsClaimFell_hasCostItsChallengerTheBond() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(WRONG, HONEST);
        concludeItem(items[1], START + 120);
        _prove(items[0], stepProof(runs[0]));
        assertEq(vault.balanceOf(DEMANDER), HELD - 1 ether);
        _assertOver(items[0], Certainty.Refuted);
    }

    // What only rejects.

    function test_game_roughItem_isRejectedAtTheEndOfTheWindow() public {
        Run[] memory runs = _with(2, 0, ROUGH);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], runs[0]);
        _expectNoFault(items[0], stepProof(runs[0]));
        vm.warp(START + 199);
        FaultProof memory proof = calibratedProof(runs[0]);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 200));
        scoreGame.prove(items[0], proof);
        vm.warp(START + 200);
        _prove(items[0], proof);
        uint256 lostWei = HELD - vault.balanceOf(EXECUTOR);
        assertLe(lostWei, 0.002 ether);
        assertEq(vault.balanceOf(CHALLENGER) + vault.balanceOf(SENDER), 2 * HELD + lostWei);
        assertTrue(vault.balanceOf(CHALLENGER) > HELD && vault.balanceOf(SENDER) > HELD, "both are paid their gas");
        _assertOver(items[0], Certainty.Rejected);
    }

    /// @dev The executor has no say in which comes first, the rejection or the end.
    function test_game_acquittedRoughItem_isRejectedAfterTheWindow() public {
        Run[] memory runs = _with(2, 0, ROUGH);
        ClaimWitness[] memory items = scored(runs);
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], runs[0]);
        concludeItem(items[0], START + 120);
        vm.warp(START + 279);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 280));
        scoreClaims.finalise(items[0].claims);
        _prove(items[0], calibratedProof(runs[0]));
        _assertOver(items[0], Certainty.Rejected);
    }

    /// @dev A liar with a slashable item makes a small fault of another one its way out, and finds it closed.
    function test_game_rejectionOfItsOwn_savesNoLiar() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(ROUGH, WRONG);
        vm.warp(START + 120);
        FaultProof memory proof = calibratedProof(runs[0]);
        vm.prank(EXECUTOR);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.InDispute.selector, 1));
        scoreGame.prove(items[0], proof);
        _prove(items[1], stepProof(runs[1]));
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
        assertEq(vault.burned(), 4 ether);
        _prove(items[0], proof);
        _assertOver(items[0], Certainty.Refuted);
    }

    function test_game_afterARejection_nothingIsLeftToSlash() public {
        (ClaimWitness[] memory items, Run[] memory runs) = _twoDisputes(ROUGH, WRONG);
        concludeItem(items[1], START + 200);
        _prove(items[0], calibratedProof(runs[0]));
        uint256 executorWei = vault.balanceOf(EXECUTOR);
        _prove(items[1], stepProof(runs[1]));
        assertEq(vault.balanceOf(EXECUTOR), executorWei);
        _assertOver(items[0], Certainty.Rejected);
    }

    // Clocks.

    function test_game_challengeAtTheEdgesOfTheWindow() public {
        ClaimWitness[] memory items = scored(honest(3));
        vm.warp(START + 199);
        challengeItem(items[0], CHALLENGER);
        vm.warp(START + 200);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOver.selector, START + 200));
        challengeItem(items[1], CHALLENGER);
        vm.warp(START + 201);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOver.selector, START + 200));
        challengeItem(items[1], CHALLENGER);
    }

    function test_game_finality_waitsForEveryAcquittedItem() public {
        ClaimWitness[] memory items = scored(honest(2));
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], honestRun());
        vm.warp(START + 150);
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], honestRun());
        // The later end of the two counts, whichever is concluded first.
        concludeItem(items[1], START + 270);
        concludeItem(items[0], START + 271);
        vm.warp(START + 349);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 350));
        scoreClaims.finalise(items[0].claims);
        vm.warp(START + 350);
        scoreClaims.finalise(items[0].claims);
        _assertOver(items[0], Certainty.Final);
    }

    function test_game_proveEager_isRefused() public {
        ClaimWitness[] memory items = scored(_with(2, 0, WRONG));
        FaultProof memory proof = stepProof(runWith(WRONG));
        vm.expectRevert(abi.encodeWithSelector(IDisputeGame.NoEagerTrace.selector, itemOf(items[0])));
        scoreGame.proveEager(items[0], proof);
    }

    // Parts.

    /// @dev Items 0 and 1 in dispute and opened, the first by CHALLENGER, the second by DEMANDER.
    function _twoDisputes(uint32 first, uint32 second)
        private
        returns (ClaimWitness[] memory items, Run[] memory runs)
    {
        runs = honest(4);
        (runs[0], runs[1]) = (runWith(first), runWith(second));
        items = scored(runs);
        challengeItem(items[0], CHALLENGER);
        challengeItem(items[1], DEMANDER);
        openItem(items[0], runs[0]);
        openItem(items[1], runs[1]);
        assertStanding(items[0], Certainty.Provisional, 2);
    }

    function _with(uint256 count, uint256 place, uint32 value) private pure returns (Run[] memory runs) {
        runs = honest(count);
        runs[place] = runWith(value);
    }

    function _prove(ClaimWitness memory witness, FaultProof memory proof) private {
        vm.prank(SENDER);
        scoreGame.prove(witness, proof);
    }

    function _expectNoFault(ClaimWitness memory witness, FaultProof memory proof) private {
        vm.expectRevert(IDisputeGame.NoFaultFound.selector);
        scoreGame.prove(witness, proof);
    }

    function _assertOver(ClaimWitness memory witness, Certainty expected) private view {
        assertStanding(witness, expected, 0);
        assertEq(vault.escrowOf(address(scoreGame)), 0);
        assertEq(vault.escrowOf(address(scoreClaims)), 0);
    }
}
