// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader} from "../types/Roots.sol";

/// @notice What a fault proof is about.
/// Step: one output element of one operator, from its own committed operands.
/// Link: the claimed output against the traced one.
/// Undefined: whether an element overflows though all that it is made of is finite. In a claim that names it as such and
/// is wrong it is slashed; in a claim of an output that has such an element it is rejected.
enum FaultKind {
    Step,
    Link,
    Undefined
}

/// @notice What the judge found. Beyond a sound bound is slashed; beyond only a calibrated bound or band is rejected.
enum Verdict {
    NoFault,
    BeyondCalibrated,
    BeyondSound
}

/// @notice A run of consecutive elements of one tensor of a bundle.
/// @param leaves the bytes of the leaves that hold the run, whole and without padding, in order
/// @param siblings from the run of leaves to the top of the tensor's tree: for each level, bottom up, the left neighbour
/// if the run starts at an odd node, then the right neighbour if it ends at an even node that has one
/// @param bundlePath siblings from the tensor's root to the top of its bundle, bottom up
struct Opening {
    bytes leaves;
    bytes32[] siblings;
    bytes32[] bundlePath;
}

/// @notice One wrong thing in an opened trace.
/// @param step number of the step; for a link fault the last one
/// @param element flat index of the output element
/// @param stepRecord canonical bytes of the step (PROTOCOL.md, "Graphs and numerics")
/// @param stepPath siblings from the step's leaf to the top of the graph
/// @param openings the result's run, then each operand's, in the order the operator names them
/// @param hint for a contraction: the top product exponent (checked; a wrong one can only acquit). Link on labels: the
/// index of a larger logit
/// @param factor calibrated factor of the step, in 1/256; zero if only the sound bound is claimed to be broken
/// @param numericsPath siblings from the step's numerics word to the top of the numerics; empty if `factor` is zero
struct FaultProof {
    FaultKind kind;
    uint32 step;
    uint32 element;
    bytes stepRecord;
    bytes32[] stepPath;
    Opening[] openings;
    int32 hint;
    uint32 factor;
    bytes32[] numericsPath;
}

/// @notice What a trace is judged against: all of it committed before the dispute.
/// @param undefined whether the claim names a step and an element that overflow, in place of an output
/// @param claimedOutput inline output bytes, or the 32-byte root of the claimed output tensor; if undefined
/// `step:u32 | element:u32`
struct Committed {
    GraphRoot graphRoot;
    bytes32 graphHeader;
    BundleRoot inputsRoot;
    BundleRoot weightsRoot;
    BundleRoot traceRoot;
    NumericsRoot numericsRoot;
    bytes32 numericsHeader;
    TensorHeader outputHeader;
    uint32 outputBand;
    uint32 slashBand;
    bool undefined;
    bytes claimedOutput;
}

/// @title One element of one step, in exact arithmetic
/// @notice Computes an enclosure of the exact real result on the committed operands and a bound on what honest
/// floating-point hardware may add to it; a committed value outside both, rounded outwards by the format's own rounding,
/// is a fault. When unsure it acquits.
interface IStepJudge {
    error UnknownOperator(uint8 received);
    error BadStepRecord(uint256 received, uint256 expected);
    error StepNotInGraph(uint32 step);
    error StepOutOfRange(uint256 received, uint256 steps);
    error ElementOutOfRange(uint256 received, uint256 elements);
    error WrongOpenings(uint256 received, uint256 expected);
    error WrongLeafBytes(uint256 received, uint256 expected);
    error WrongPathLength(uint256 received, uint256 expected);
    error NotInBundle(uint256 opening);
    error NotInNumerics(uint32 step);
    /// @notice An output of so few bytes stands whole in its claim: none of it can be missing.
    error InlineOutput(uint256 received, uint256 limit);

    function judge(Committed calldata committed, FaultProof calldata proof) external view returns (Verdict);

    /// @notice Checks one leaf of the tensor in slot `slot` of a step (0 the result, 1.. its operands) against the
    /// committed roots; or of the claimed output, as `LeafRef` names it. Reverts if it is not that leaf.
    /// @param opening exactly one leaf; of the claimed output without a bundle path
    function requireLeaf(
        Committed calldata committed,
        uint32 step,
        bytes calldata stepRecord,
        bytes32[] calldata stepPath,
        uint8 slot,
        uint32 leaf,
        Opening calldata opening
    ) external view;

    /// @notice Checks that leaf `leaf` of slot `slot` of step `step` exists in the graph, or in a claimed output that is
    /// not inline; and in a trace that ends where it overflows, not after the step that does. Reverts otherwise.
    function requireSlot(
        Committed calldata committed,
        uint32 step,
        bytes calldata stepRecord,
        bytes32[] calldata stepPath,
        uint8 slot,
        uint32 leaf
    ) external view;
}
