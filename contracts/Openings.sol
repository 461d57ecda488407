// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Committed, FaultProof, IStepJudge, Opening} from "./interfaces/IStepJudge.sol";
import {LEAF_BYTES} from "./libraries/ConstantsLib.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {FROM_INPUT, FROM_RESULT, FROM_WEIGHT, StepCodec} from "./libraries/StepCodec.sol";
import {Run} from "./libraries/Runs.sol";
import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader, TensorRoot} from "./types/Roots.sol";

/// @title What a proof shows of what was committed
/// @notice Steps of the graph, elements of tensors, factors of the numerics. Judges nothing.
/// @dev What is not shown reverts, with errors of `IStepJudge`.
abstract contract Openings {
    /// @dev A tensor of a bundle, as a step names it.
    struct Slot {
        TensorHeader header;
        uint256 index;
        uint256 size;
        BundleRoot bundle;
    }

    /// @dev Checks opening `number` to hold the elements of `run`; their offset in calldata.
    function _open(Committed calldata committed, FaultProof calldata proof, Run memory run, uint256 number)
        internal
        view
        returns (uint256)
    {
        Slot memory slot = _slotOf(committed, proof.step, proof.stepRecord, run.slot);
        uint256 width = slot.header.width();
        uint256 first = (run.first * width) / LEAF_BYTES;
        uint256 last = ((run.first + run.count) * width - 1) / LEAF_BYTES;
        Opening calldata opening = proof.openings[number];
        _requireOpening(slot, first, last, opening, number);
        return _offset(opening.leaves) + run.first * width - first * LEAF_BYTES;
    }

    /// @dev Opens every run, the first with opening `number`, and notes where its bytes lie.
    function _openAll(Committed calldata committed, FaultProof calldata proof, Run[] memory runs, uint256 number)
        internal
        view
    {
        for (uint256 i = 0; i < runs.length; ++i) {
            runs[i].offset = _open(committed, proof, runs[i], number + i);
        }
    }

    function _requireOpening(Slot memory slot, uint256 first, uint256 last, Opening calldata opening, uint256 number)
        internal
        view
    {
        TensorRoot root = MerkleLib.runRoot(slot.header, first, last, opening.leaves, opening.siblings);
        BundleRoot bundle = MerkleLib.bundlePath(root, slot.index, slot.size, opening.bundlePath);
        if (!(bundle == slot.bundle)) revert IStepJudge.NotInBundle(number);
    }

    function _slotOf(Committed calldata committed, uint256 step, bytes calldata record, uint256 slot)
        internal
        pure
        returns (Slot memory named)
    {
        uint256 source = FROM_RESULT;
        named.index = step;
        if (slot != 0) (source, named.index) = StepCodec.origin(record, slot);
        named.header = StepCodec.header(record, slot);
        named.size = StepCodec.tensorsFrom(committed.graphHeader, source);
        named.bundle = source == FROM_INPUT
            ? committed.inputsRoot
            : source == FROM_WEIGHT ? committed.weightsRoot : committed.traceRoot;
    }

    function _requireStep(Committed calldata committed, uint256 step, bytes calldata record, bytes32[] calldata path)
        internal
        view
    {
        uint256 steps = StepCodec.tensorsFrom(committed.graphHeader, FROM_RESULT);
        if (step >= steps) revert IStepJudge.StepOutOfRange(step, steps);
        if (!_isInGraph(committed, step, record, path)) revert IStepJudge.StepNotInGraph(uint32(step));
        StepCodec.requireRecord(record);
    }

    function _isInGraph(Committed calldata committed, uint256 step, bytes calldata record, bytes32[] calldata path)
        internal
        view
        returns (bool)
    {
        bytes32 header = committed.graphHeader;
        uint256 steps = StepCodec.tensorsFrom(header, FROM_RESULT);
        GraphRoot root = MerkleLib.graphPath(record, step, steps, header, path);
        return GraphRoot.unwrap(root) == GraphRoot.unwrap(committed.graphRoot);
    }

    /// @dev A factor of zero claims nothing of the numerics, so nothing is shown of them.
    function _requireFactor(Committed calldata committed, FaultProof calldata proof) internal view {
        bytes32[] calldata path = proof.numericsPath;
        if (proof.factor == 0) {
            if (path.length != 0) revert IStepJudge.WrongPathLength(path.length, 0);
            return;
        }
        uint256 steps = StepCodec.tensorsFrom(committed.graphHeader, FROM_RESULT);
        NumericsRoot root = MerkleLib.numericsPath(proof.factor, proof.step, steps, committed.numericsHeader, path);
        if (NumericsRoot.unwrap(root) != NumericsRoot.unwrap(committed.numericsRoot)) revert IStepJudge.NotInNumerics(proof.step);
    }

    function _requireAtLeast(FaultProof calldata proof, uint256 expected) internal pure {
        if (proof.openings.length < expected) revert IStepJudge.WrongOpenings(proof.openings.length, expected);
    }

    function _requireCount(FaultProof calldata proof, uint256 expected) internal pure {
        if (proof.openings.length != expected) revert IStepJudge.WrongOpenings(proof.openings.length, expected);
    }

    function _offset(bytes calldata data) internal pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := data.offset
        }
    }

    /// @dev The element of `width` bytes that lies in calldata at `offset`.
    function _bits(uint256 offset, uint256 width) internal pure returns (uint256 bits) {
        assembly ("memory-safe") {
            bits := shr(sub(256, shl(3, width)), calldataload(offset))
        }
    }

    /// @dev `step:u32 | element:u32` that an undefined claim names.
    function _placeOf(Committed calldata committed) internal pure returns (uint256) {
        return uint64(bytes8(committed.claimedOutput));
    }
}
