// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleLib} from "./MerkleLib.sol";
import {Family, OperatorsLib} from "./OperatorsLib.sol";
import {IStepJudge} from "../interfaces/IStepJudge.sol";
import {TensorHeader} from "../types/Roots.sol";

/// @dev Where an operand comes from.
uint256 constant FROM_INPUT = 0;
uint256 constant FROM_WEIGHT = 1;
uint256 constant FROM_RESULT = 2;

/// @title Step records and graph headers (PROTOCOL.md, "Graphs and numerics"), read where they lie in calldata
/// @notice Slot 0 of a record is the step's result, 1 and up its operands. It does not know what operators mean.
/// @dev All readers but `requireRecord` are for records that passed it, and for slots and attributes that they have.
library StepCodec {
    uint256 private constant HEAD_BYTES = 36;
    uint256 private constant OPERAND_BYTES = 37;

    /// @notice Refuses a record of another length than it says, an unknown operator, and malformed tensor headers.
    function requireRecord(bytes calldata record) internal pure {
        if (record.length < HEAD_BYTES) revert IStepJudge.BadStepRecord(record.length, HEAD_BYTES);
        uint256 expected = HEAD_BYTES + OPERAND_BYTES * operands(record) + 8 * attributes(record);
        if (record.length != expected) revert IStepJudge.BadStepRecord(record.length, expected);
        uint8 code = operator(record);
        if (OperatorsLib.familyOf(code) == Family.Unknown) revert IStepJudge.UnknownOperator(code);
        for (uint256 slot = 0; slot <= operands(record); ++slot) {
            MerkleLib.requireHeader(header(record, slot));
        }
    }

    /// @notice Whether `requireRecord` takes it.
    function isRecord(bytes calldata record) internal pure returns (bool) {
        if (record.length < HEAD_BYTES) return false;
        if (record.length != HEAD_BYTES + OPERAND_BYTES * operands(record) + 8 * attributes(record)) return false;
        if (OperatorsLib.familyOf(operator(record)) == Family.Unknown) return false;
        for (uint256 slot = 0; slot <= operands(record); ++slot) {
            if (!MerkleLib.isHeader(header(record, slot))) return false;
        }
        return true;
    }

    function operator(bytes calldata record) internal pure returns (uint8) {
        return uint8(record[0]);
    }

    /// @notice Axes in the attributes.
    function axes(bytes calldata record) internal pure returns (uint256) {
        return uint8(record[1]);
    }

    function operands(bytes calldata record) internal pure returns (uint256) {
        return uint8(record[2]);
    }

    function attributes(bytes calldata record) internal pure returns (uint256) {
        return uint8(record[3]);
    }

    function header(bytes calldata record, uint256 slot) internal pure returns (TensorHeader) {
        return TensorHeader.wrap(bytes32(_word(record, slot == 0 ? 4 : HEAD_BYTES + OPERAND_BYTES * (slot - 1) + 5)));
    }

    /// @param slot an operand's, from 1 on
    /// @return source `FROM_INPUT`, `FROM_WEIGHT` or `FROM_RESULT`; a malformed graph may say something else
    /// @return index of the tensor among those
    function origin(bytes calldata record, uint256 slot) internal pure returns (uint256 source, uint256 index) {
        uint256 word = _word(record, HEAD_BYTES + OPERAND_BYTES * (slot - 1));
        return (word >> 248, uint32(word >> 216));
    }

    function attribute(bytes calldata record, uint256 index) internal pure returns (int256) {
        uint256 word = _word(record, HEAD_BYTES + OPERAND_BYTES * operands(record) + 8 * index);
        return int64(uint64(word >> 192));
    }

    /// @notice `Σ iₐ · sₐ` for the indices `iₐ` of `element` over the record's dims, and whether the dims multiply up to
    /// the elements of the result.
    /// @param dims number of the first dim among the attributes; `strides` of the first stride
    function position(bytes calldata record, uint256 element, uint256 dims, uint256 strides)
        internal
        pure
        returns (bool fits, int256 sum)
    {
        uint256 size = 1;
        for (uint256 axis = axes(record); axis != 0; --axis) {
            int256 dim = attribute(record, dims + axis - 1);
            if (dim < 1 || size >= 1 << 32) return (false, 0);
            size *= uint256(dim);
            sum += int256(element % uint256(dim)) * attribute(record, strides + axis - 1);
            element /= uint256(dim);
        }
        return (size == header(record, 0).elements(), sum);
    }

    /// @notice Tensors of one origin in a graph: its inputs, weights or steps; none of an unknown origin.
    /// @param graphHeader inputs:u32 | weights:u32 | steps:u32 | zero:u160
    function tensorsFrom(bytes32 graphHeader, uint256 source) internal pure returns (uint256) {
        return source > FROM_RESULT ? 0 : uint32(uint256(graphHeader) >> (224 - 32 * source));
    }

    /// @notice Whether every operand of step `step` is there before it.
    function isOrdered(bytes calldata record, uint256 step, bytes32 graphHeader) internal pure returns (bool) {
        for (uint256 slot = 1; slot <= operands(record); ++slot) {
            (uint256 source, uint256 index) = origin(record, slot);
            if (index >= (source == FROM_RESULT ? step : tensorsFrom(graphHeader, source))) return false;
        }
        return true;
    }

    function _word(bytes calldata record, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(record.offset, offset))
        }
    }
}
