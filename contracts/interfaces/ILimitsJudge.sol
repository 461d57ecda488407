// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Committed, FaultProof, Verdict} from "./IStepJudge.sol";
import {GraphRoot} from "../types/Roots.sol";

/// @notice A step of a graph, at one element of its result.
/// @param record canonical bytes of the step, or whatever the graph has in their place
/// @param path siblings from the step's leaf to the top of the graph
struct StepPlace {
    uint32 step;
    uint32 element;
    bytes record;
    bytes32[] path;
}

/// @title Where judging ends
/// @dev Raises the errors of `IStepJudge`.
interface ILimitsJudge {
    /// @notice Decides a proof of kind `Undefined` (PROTOCOL.md, "Undefined"). A claim that names an overflow must have
    /// it there; a claim of an output may have none, for past an overflow nothing can be judged.
    function judge(Committed calldata committed, FaultProof calldata proof) external view returns (Verdict);

    /// @notice Whether no proof can ever be judged at this place of a graph: its record is malformed or contradicts
    /// itself there, its operator has no meaning for its dtypes or attributes, it reads what is not before it, or more than
    /// a proof can open. Reverts if the graph has no such place.
    function isUnjudgeable(GraphRoot root, bytes32 graphHeader, StepPlace calldata place) external view returns (bool);
}
