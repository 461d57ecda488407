// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Verdict} from "./IStepJudge.sol";

/// @notice One element of one step, with the canonical bytes of all that was opened of it, already shown to be what was
/// committed.
/// @param record canonical bytes of the step (PROTOCOL.md, "Graphs and numerics"), of the length that it says, with proper
/// headers
/// @param element flat index of the result's element
/// @param factor calibrated factor of the step, in 1/256; zero if only the sound bound is claimed to be broken
/// @param hint the proof's hint
/// @param numericsHeader profile and flags of the model
/// @param result bytes of the committed element
/// @param operands bytes of each further opened run, in the order in which the operator names them
struct Case {
    bytes record;
    uint256 element;
    uint32 factor;
    int32 hint;
    bytes32 numericsHeader;
    bytes result;
    bytes[] operands;
}

/// @title A family of operators
/// @notice Decides one element from values that are known to be committed. Stateless; knows no tree, no trace, no claim.
interface IOperatorJudge {
    /// @notice Whether the committed element is beyond what honest hardware may make of the operands. `NoFault` where it
    /// cannot be decided: dtypes or attributes that the operator has no meaning for, operands that are not finite.
    function judge(Case calldata shown) external view returns (Verdict);
}
