// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DisputeGame} from "./DisputeGame.sol";
import {IScoreClaims} from "./interfaces/IScoreClaims.sol";
import {IStepJudge} from "./interfaces/IStepJudge.sol";
import {IVault} from "./interfaces/IVault.sol";

/// @title The dispute game of scores
/// @notice The same game as of inferences, with escrow of its own: its claims are items of claims of scores, and its models
/// scorers with the weights that were claimed.
contract ScoreGame is DisputeGame {
    constructor(IVault vault_, IScoreClaims scoreClaims_, IStepJudge judge_)
        DisputeGame(vault_, scoreClaims_, scoreClaims_, judge_)
    {}
}
