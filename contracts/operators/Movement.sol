// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OP_CAT, OP_STRIDED} from "../libraries/ConstantsLib.sol";
import {StepCodec} from "../libraries/StepCodec.sol";
import {BF16, F16, F32} from "../types/Roots.sol";

/// @title Operators that only move elements: strided, cat, patches (PROTOCOL.md, section 3)
/// @notice Where an element of the result comes from, and whether it arrived unchanged.
library Movement {
    /// @return known whether the record says so without contradiction
    /// @return slot operand that the element comes from; 0 for the fill of `patches`
    /// @return index flat index in that operand; not yet compared with its size
    function sourceOf(bytes calldata record, uint256 element)
        internal
        pure
        returns (bool known, uint256 slot, uint256 index)
    {
        uint8 code = StepCodec.operator(record);
        if (code == OP_STRIDED) return _strided(record, element);
        if (code == OP_CAT) return _cat(record, element);
        return _patches(record, element);
    }

    /// @notice f32 that `patches` reads outside the picture.
    function fillOf(bytes calldata record) internal pure returns (uint32) {
        return uint32(uint256(StepCodec.attribute(record, 0)));
    }

    /// @notice Whether the committed element differs from its source: in any bit, except between two NaNs.
    function isFault(uint8 dtype, uint256 committed, uint256 source) internal pure returns (bool) {
        return committed != source && !(isNaN(dtype, committed) && isNaN(dtype, source));
    }

    function isNaN(uint8 dtype, uint256 bits) internal pure returns (bool) {
        if (dtype == F32) return bits & 0x7fffffff > 0x7f800000;
        if (dtype == F16) return bits & 0x7fff > 0x7c00;
        return dtype == BF16 && bits & 0x7fff > 0x7f80;
    }

    function _strided(bytes calldata record, uint256 element) private pure returns (bool, uint256, uint256) {
        uint256 axes = StepCodec.axes(record);
        if (StepCodec.operands(record) != 1 || StepCodec.attributes(record) != 1 + 2 * axes) return (false, 0, 0);
        (bool fits, int256 index) = StepCodec.position(record, element, 1, 1 + axes);
        index += StepCodec.attribute(record, 0);
        return (fits && index >= 0, 1, uint256(index));
    }

    function _cat(bytes calldata record, uint256 element) private pure returns (bool, uint256 slot, uint256) {
        uint256 total = _joinedLength(record);
        if (total == 0) return (false, 0, 0);
        uint256 inner = uint256(StepCodec.attribute(record, 0));
        if (StepCodec.header(record, 0).elements() % (total * inner) != 0) return (false, 0, 0);
        uint256 row = (element / inner) % total;
        uint256 length = uint256(StepCodec.attribute(record, slot = 1));
        while (row >= length) {
            row -= length;
            length = uint256(StepCodec.attribute(record, ++slot));
        }
        return (true, slot, ((element / (total * inner)) * length + row) * inner + element % inner);
    }

    /// @dev `L`, the sum of the operands' lengths; zero if the record contradicts itself.
    function _joinedLength(bytes calldata record) private pure returns (uint256 total) {
        uint256 operands = StepCodec.operands(record);
        if (StepCodec.attributes(record) != 1 + operands) return 0;
        for (uint256 slot = 0; slot <= operands; ++slot) {
            int256 size = StepCodec.attribute(record, slot);
            if (size < 1 || size >= 1 << 32) return 0;
            if (slot != 0) total += uint256(size);
        }
    }

    function _patches(bytes calldata record, uint256 element) private pure returns (bool, uint256, uint256) {
        if (StepCodec.operands(record) != 1 || StepCodec.attributes(record) != 16) return (false, 0, 0);
        int256[16] memory p;
        for (uint256 k = 0; k < 16; ++k) {
            p[k] = StepCodec.attribute(record, k);
            // Only paddings may be zero; 2^32 bounds every product below.
            if (k != 0 && (p[k] < (k == 10 || k == 11 ? int256(0) : int256(1)) || p[k] >= 1 << 32)) {
                return (false, 0, 0);
            }
        }
        if (p[0] < 0 || p[0] >= 1 << 32 || p[2] % p[5] != 0 || !_patchesFit(record, p)) return (false, 0, 0);
        int256 rest = int256(element);
        int256 j = rest % p[7];
        int256 i = (rest /= p[7]) % p[6];
        int256 channel = (rest /= p[6]) % (p[2] / p[5]);
        int256 x = (rest /= p[2] / p[5]) % p[15];
        int256 y = (rest /= p[15]) % p[14];
        // What is left numbers images and groups, and channels lie group by group.
        channel += (rest / p[14]) * (p[2] / p[5]);
        y = y * p[8] - p[10] + i * p[12];
        x = x * p[9] - p[11] + j * p[13];
        if (y < 0 || y >= p[3] || x < 0 || x >= p[4]) return (true, 0, 0);
        return (true, 1, uint256((channel * p[3] + y) * p[4] + x));
    }

    /// @dev `[N, C, H, W]` is the operand, `[N, groups, oH·oW, C/groups·kH·kW]` the result. Seven factors below 2^32.
    function _patchesFit(bytes calldata record, int256[16] memory p) private pure returns (bool) {
        return uint256(p[1] * p[2] * p[3] * p[4]) == StepCodec.header(record, 1).elements()
            && uint256(p[1] * p[2] * p[14] * p[15] * p[6] * p[7]) == StepCodec.header(record, 0).elements();
    }
}
