// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Committed, FaultProof, Verdict} from "./IStepJudge.sol";

/// @title Where judging ends
/// @dev Raises the errors of `IStepJudge`.
interface ILimitsJudge {
    /// @notice Decides a proof of kind `Undefined` (PROTOCOL.md, "Undefined"). A claim that names an overflow must have
    /// it there; a claim of an output may have none, for past an overflow nothing can be judged.
    function judge(Committed calldata committed, FaultProof calldata proof) external view returns (Verdict);
}
