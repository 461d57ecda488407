// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DisputeGame} from "./DisputeGame.sol";
import {Certainty, ClaimBatch, ClaimWitness} from "./interfaces/IContestable.sol";
import {Windows} from "./interfaces/IModels.sol";
import {IScoreClaims} from "./interfaces/IScoreClaims.sol";
import {IStepJudge} from "./interfaces/IStepJudge.sol";
import {IVault} from "./interfaces/IVault.sol";
import {DISPUTES_PER_DOUBLING} from "./libraries/ConstantsLib.sol";
import {Course, DisputeClock} from "./libraries/DisputeClock.sol";

/// @title The dispute game of scores
/// @notice The same game as of inferences, with escrow of its own: its claims are items of claims of scores, and its models
/// scorers with the weights that were claimed. What is demanded in one item's dispute concerns all items, so it keeps them
/// open to challenges.
contract ScoreGame is DisputeGame {
    IScoreClaims public immutable scoreClaims;

    constructor(IVault vault_, IScoreClaims scoreClaims_, IStepJudge judge_)
        DisputeGame(vault_, scoreClaims_, scoreClaims_, judge_)
    {
        scoreClaims = scoreClaims_;
    }

    /// @dev `contest` knows how long, and has refused what comes later.
    function _requireChallengeable(ClaimBatch calldata, Windows memory) internal view override {}

    /// @dev Each challenge and leaf pays its executor for the answer, but only in the end: until then it is out of pocket, and
    /// the chain has to have room. So many items at once are dear. Whoever doubts honestly needs one item, or for hidden
    /// weights a few; a liar that challenges itself to make them dear burns half of what it puts up.
    function _bondOf(ClaimBatch calldata claims) internal view override returns (uint256) {
        uint256 others = scoreClaims.standingOf(scoreClaims.claimBatchIdOf(claims)).disputes - 1;
        return challengeBond(claims.bondWei) << (others / DISPUTES_PER_DOUBLING);
    }

    /// @dev An item in dispute of a claim that is over: it was refuted, for a rejection waits for every dispute.
    function _hasFallen(ClaimBatch calldata claims) internal view override returns (bool) {
        return scoreClaims.standingOf(scoreClaims.claimBatchIdOf(claims)).certainty == Certainty.Refuted;
    }

    /// @dev A whole challenge window follows the last moment of supply: hidden weights would else be known only when no item
    /// but the disputed one could be challenged any more. Not for challenges that were late themselves, so that the time
    /// until a claim is final does not grow with their number.
    function _afterFirstDemand(ClaimWitness calldata witness, Course memory course, Windows memory windows)
        internal
        override
    {
        if (!course.challengedAt.isBefore(witness.claims.claimedAt.afterwards(windows.challenge))) return;
        scoreClaims.keepOpen(witness.claims, DisputeClock.supplyEnd(course, windows).afterwards(windows.challenge));
    }
}
