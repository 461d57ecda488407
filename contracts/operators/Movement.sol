// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OP_CAT, OP_PAD, OP_STRIDED} from "../libraries/ConstantsLib.sol";
import {StepCodec} from "../libraries/StepCodec.sol";
import {Formats} from "../math/Formats.sol";
import {BF16, F16, F32} from "../types/Roots.sol";

/// @title Operators that only move elements: strided, cat, patches, pad, gather (PROTOCOL.md, section 3)
/// @notice Where an element of the result comes from, and whether it arrived unchanged.
library Movement {
    /// @return known whether the record says so without contradiction
    /// @return slot operand that the element comes from; 0 for the fill of `patches` and `pad`
    /// @return index flat index in that operand; not yet compared with its size
    function sourceOf(bytes calldata record, uint256 element)
        internal
        pure
        returns (bool known, uint256 slot, uint256 index)
    {
        uint8 code = StepCodec.operator(record);
        if (code == OP_STRIDED) return _strided(record, element);
        if (code == OP_CAT) return _cat(record, element);
        if (code == OP_PAD) return _pad(record, element);
        return _patches(record, element);
    }

    /// @notice Where `gather` reads its data, once its index is known.
    /// @param index the opened one
    /// @return known whether it lies inside the looked-up axis
    function lookedUp(bytes calldata record, uint256 element, int256 index) internal pure returns (bool known, uint256) {
        uint256 axes = StepCodec.axes(record);
        if (index < 0 || index >= StepCodec.attribute(record, 3 * axes + 1)) return (false, 0);
        (bool fits, int256 first) = StepCodec.position(record, element, 0, 2 * axes);
        first += index * StepCodec.attribute(record, 3 * axes);
        return (fits && first >= 0, uint256(first));
    }

    /// @notice Whether the committed element differs from the record's fill: an integer of its dtype, or a f32, rounded.
    function isFillFault(bytes calldata record, uint8 dtype, uint256 committed) internal pure returns (bool) {
        int256 fill = StepCodec.attribute(record, 0);
        if (dtype != F32 && dtype != F16 && dtype != BF16) {
            return committed != uint256(fill) & ((1 << (8 * StepCodec.header(record, 0).width())) - 1);
        }
        if (fill < 0 || fill >= 1 << 32) return false;
        return isFault(F32, Formats.widen(dtype, committed), Formats.narrow(dtype, uint32(uint256(fill))));
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

    /// @dev Sizes are below 2^32, so that their product and every index stay small.
    function _pad(bytes calldata record, uint256 element) private pure returns (bool, uint256, uint256) {
        uint256 axes = StepCodec.axes(record);
        if (StepCodec.operands(record) != 1 || StepCodec.attributes(record) != 1 + 3 * axes) return (false, 0, 0);
        (uint256 whole, uint256 held, uint256 index, uint256 slot) = (1, 1, 0, 1);
        for (uint256 axis = axes; axis != 0; --axis) {
            int256 dim = StepCodec.attribute(record, axis);
            int256 size = StepCodec.attribute(record, axes + axis);
            if (dim < 1 || size < 1 || whole >= 1 << 32 || held >= 1 << 32) return (false, 0, 0);
            int256 place = int256(element % uint256(dim)) - StepCodec.attribute(record, 2 * axes + axis);
            if (place < 0 || place >= size) slot = 0;
            else index += uint256(place) * held;
            element /= uint256(dim);
            (whole, held) = (whole * uint256(dim), held * uint256(size));
        }
        bool fits = whole == StepCodec.header(record, 0).elements() && held == StepCodec.header(record, 1).elements();
        return (fits, slot, index);
    }

    function _patches(bytes calldata record, uint256 element) private pure returns (bool, uint256, uint256) {
        if (StepCodec.operands(record) != 1 || StepCodec.attributes(record) != 18) return (false, 0, 0);
        int256[18] memory p;
        for (uint256 k = 0; k < 18; ++k) {
            p[k] = StepCodec.attribute(record, k);
            // Only fill and paddings may be zero; 2^32 bounds every product below.
            if (p[k] < (k == 0 || k == 10 || k == 11 ? int256(0) : int256(1)) || p[k] >= 1 << 32) return (false, 0, 0);
        }
        if (p[2] % p[5] != 0 || !_patchesFit(record, p)) return (false, 0, 0);
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
        // Between the rows and columns of a spread picture lies fill as well.
        if (y < 0 || y % p[16] != 0 || (y /= p[16]) >= p[3]) return (true, 0, 0);
        if (x < 0 || x % p[17] != 0 || (x /= p[17]) >= p[4]) return (true, 0, 0);
        return (true, 1, uint256((channel * p[3] + y) * p[4] + x));
    }

    /// @dev `[N, C, H, W]` is the operand, `[N, groups, oH·oW, C/groups·kH·kW]` the result. Seven factors below 2^32.
    function _patchesFit(bytes calldata record, int256[18] memory p) private pure returns (bool) {
        return uint256(p[1] * p[2] * p[3] * p[4]) == StepCodec.header(record, 1).elements()
            && uint256(p[1] * p[2] * p[14] * p[15] * p[6] * p[7]) == StepCodec.header(record, 0).elements();
    }
}
