// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof} from "../../contracts/interfaces/IStepJudge.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {ScoreStage} from "./mocks/ScoreStage.sol";

/// @notice How long the items of a claim of scores can be challenged: hidden weights that are supplied late become known while
/// there is still time for every item, and no row of challengers puts off the end for ever. Windows: challenge 200 s,
/// open 100, collect 40, supply 60, prove 80.
contract ScoreWindowTest is ScoreStage {
    function test_window_afterADemand_endsAWholeWindowAfterTheSupply() public {
        ClaimWitness[] memory items = scored(honest(3));
        _demanded(items[0], START + 199);
        vm.warp(START + 498);
        challengeItem(items[1], CHALLENGER);
        vm.warp(START + 499);
        _expectOver(START + 499);
        challengeItem(items[2], CHALLENGER);
    }

    function test_window_afterADisputeWithoutADemand_isWhatItWas() public {
        ClaimWitness[] memory items = scored(honest(2));
        vm.warp(START + 199);
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], honestRun());
        vm.warp(START + 200);
        _expectOver(START + 200);
        challengeItem(items[1], CHALLENGER);
    }

    /// @dev Else a row of challengers could put off the end for ever.
    function test_window_demandsInLateDisputes_keepNothingOpen() public {
        ClaimWitness[] memory items = scored(honest(3));
        _demanded(items[0], START + 199);
        _demanded(items[1], START + 498);
        vm.warp(START + 499);
        _expectOver(START + 499);
        challengeItem(items[2], CHALLENGER);
    }

    function test_window_earlierDemandAfterALaterOne_shortensNothing() public {
        ClaimWitness[] memory items = scored(honest(3));
        challengeItem(items[1], CHALLENGER);
        openItem(items[1], honestRun());
        vm.warp(START + 30);
        challengeItem(items[0], CHALLENGER);
        openItem(items[0], honestRun());
        _expectKeptOpen(items[0], START + 330);
        demandWeight(items[0], DEMANDER);
        demandWeight(items[1], DEMANDER);
        vm.warp(START + 329);
        challengeItem(items[2], CHALLENGER);
    }

    function test_window_demandOfAFallenClaim_keepsNothingOpen() public {
        Run[] memory runs = honest(2);
        runs[0] = runWith(WRONG);
        ClaimWitness[] memory items = scored(runs);
        for (uint256 i = 0; i < 2; ++i) {
            challengeItem(items[i], CHALLENGER);
            openItem(items[i], runs[i]);
        }
        scoreGame.prove(items[0], stepProof(runs[0]));
        demandWeight(items[1], DEMANDER);
        assertStanding(items[0], Certainty.Refuted, 1);
        assertEq(uint256(Instant.unwrap(scoreClaims.standingOf(batchIdOf(items[0])).finalAt)), START + 200);
    }

    /// @dev The liar opens and supplies at the last moment, long after the model's own window: what its weights show of
    /// another item still counts, and whoever demanded them pays nothing.
    function test_window_weightsSuppliedAtTheLastMoment_showAnotherItem() public {
        Run[] memory runs = honest(3);
        runs[2] = runWith(WRONG);
        ClaimWitness[] memory items = scored(runs);
        vm.warp(START + 150);
        challengeItem(items[0], CHALLENGER);
        vm.warp(START + 249);
        openItem(items[0], runs[0]);
        vm.warp(START + 288);
        _expectKeptOpen(items[0], START + 549);
        demandWeight(items[0], DEMANDER);
        vm.warp(START + 348);
        supplyWeight(items[0]);

        vm.warp(START + 400);
        challengeItem(items[2], SENDER);
        openItem(items[2], runs[2]);
        FaultProof memory proof = stepProof(runs[2]);
        vm.prank(SENDER);
        scoreGame.prove(items[2], proof);
        concludeItem(items[0], START + 429);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether + 2 ether);
        assertEq(vault.balanceOf(CHALLENGER), HELD);
        assertEq(vault.balanceOf(DEMANDER), HELD);
        assertStanding(items[0], Certainty.Refuted, 0);
        assertEq(vault.escrowOf(address(scoreGame)), 0);
    }

    // Parts.

    /// @dev An honest item challenged and opened at `moment`, a weight of it demanded and supplied.
    function _demanded(ClaimWitness memory witness, uint256 moment) private {
        vm.warp(moment);
        challengeItem(witness, CHALLENGER);
        openItem(witness, honestRun());
        demandWeight(witness, DEMANDER);
        supplyWeight(witness);
    }

    function _expectKeptOpen(ClaimWitness memory witness, uint256 until) private {
        vm.expectEmit(true, false, false, true, address(scoreClaims));
        emit IScoreClaims.ScoresKeptOpen(batchIdOf(witness), Instant.wrap(uint40(until)));
    }

    function _expectOver(uint256 moment) private {
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOver.selector, moment));
    }
}
