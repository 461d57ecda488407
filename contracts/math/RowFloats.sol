// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BF16, F16} from "../types/Roots.sol";
import {Formats} from "./Formats.sol";

/// @notice A row of floats in memory, as f32, eight a word; zeros fill the last word up.
/// @param start where its first word lies
/// @param count elements
struct Row {
    uint256 start;
    uint256 count;
}

/// @title Rows of floats of any dtype, laid out for reading by the word
library RowFloats {
    /// @param run canonical bytes of the elements
    /// @dev Each element of 16 bits is stored as a whole word, whose rest the next ones and the last zeros overwrite.
    function load(bytes calldata run, uint8 dtype) internal pure returns (Row memory row) {
        bool narrow = dtype == F16 || dtype == BF16;
        row.count = run.length / (narrow ? 2 : 4);
        uint256 length = 4 * row.count;
        uint256 start;
        assembly ("memory-safe") {
            start := mload(0x40)
            mstore(0x40, add(start, and(add(length, 0x3f), not(0x1f))))
            if iszero(narrow) { calldatacopy(start, run.offset, length) }
            mstore(add(start, length), 0)
        }
        row.start = start;
        if (narrow) _widen(row, run, dtype);
    }

    /// @notice Element `index` of the row.
    function element(Row memory row, uint256 index) internal pure returns (uint32 bits) {
        assembly ("memory-safe") {
            bits := shr(224, mload(add(mload(row), shl(2, index))))
        }
    }

    /// @dev Finite elements of f16 that are not subnormal, and all of bf16, in place; the others by the table.
    function _widen(Row memory row, bytes calldata run, uint8 dtype) private pure {
        uint256 place = row.start;
        uint256 end = place + 4 * row.count;
        uint256 source;
        assembly ("memory-safe") {
            source := run.offset
        }
        while (place != end) {
            uint256 bits;
            assembly ("memory-safe") {
                bits := shr(240, calldataload(source))
                source := add(source, 2)
            }
            bool plain = dtype == BF16;
            assembly ("memory-safe") {
                switch plain
                case 1 { bits := shl(16, bits) }
                default {
                    // The exponent field less one: bias 15 becomes 127, ten places of fraction 23.
                    plain := lt(sub(and(bits, 0x7c00), 0x400), 0x7800)
                    if plain { bits := or(shl(16, and(bits, 0x8000)), add(shl(13, and(bits, 0x7fff)), 0x38000000)) }
                }
            }
            if (!plain) bits = Formats.widen(dtype, bits);
            assembly ("memory-safe") {
                mstore(place, shl(224, bits))
                place := add(place, 4)
            }
        }
    }
}
