// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, InputSpec} from "../interfaces/IModelRegistry.sol";
import {BOOL, F32, I32, I64, TensorHeader, U8} from "../types/Roots.sol";

/// @title Ranges of inputs
/// @notice Says whether a registered range makes sense and whether canonical bytes lie in it. It hashes nothing.
/// @dev Elements are compared by keys, unsigned words in the order of the values. An integer's key is its bits with the
/// sign bit turned over, if it has one; a f32's likewise, with all other bits turned over too where it is negative. That
/// order has -0 just below +0, so an end that is zero is widened to hold both. Every range's ends are finite, and the
/// keys of NaN and of the infinities lie beyond those of all finite values: they need no test of their own.
library RangeLib {
    uint256 private constant F32_SIGN = 1 << 31;
    uint256 private constant F32_INFINITY = 0x7f800000;

    /// @notice Refuses a dtype that inputs cannot have, ends that the dtype cannot hold, and `lo` above `hi`.
    /// @param input number of the input, for the error
    function requireRange(uint256 input, InputSpec calldata spec) internal pure {
        bool fits = _holds(spec.header, spec.lo) && _holds(spec.header, spec.hi);
        if (!fits) revert IModelRegistry.BadRange(input, spec.lo, spec.hi);
        (uint256 signBit, uint256 minus) = _order(spec.header);
        (uint256 least, uint256 greatest) = _ends(spec, signBit, minus);
        if (least > greatest) revert IModelRegistry.BadRange(input, spec.lo, spec.hi);
    }

    /// @notice Refuses the first element of `data`, one tensor's canonical bytes, that is out of `spec`'s range.
    /// @param first flat index of the tensor's first element over the concatenated inputs, for the error
    function requireWithin(InputSpec memory spec, bytes calldata data, uint256 first) internal pure {
        uint256 width = spec.header.width();
        (uint256 signBit, uint256 minus) = _order(spec.header);
        (uint256 least, uint256 greatest) = _ends(spec, signBit, minus);
        // A key below `least` wraps around to one far above `span`. The shift keeps the element's bytes of the word.
        uint256 span = greatest - least;
        uint256 offset = 0;
        uint256 raw;
        bool outside = false;
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            for {} lt(offset, data.length) { offset := add(offset, width) } {
                raw := shr(shift, calldataload(add(data.offset, offset)))
                let key := xor(raw, signBit)
                if and(raw, signBit) { key := xor(key, minus) }
                if gt(sub(key, least), span) {
                    outside := 1
                    break
                }
            }
        }
        if (outside) _refuse(spec, first + offset / width, raw);
    }

    /// @notice Whether one element lies in `spec`'s range.
    /// @param raw its bits
    function isWithin(InputSpec memory spec, uint256 raw) internal pure returns (bool) {
        (uint256 signBit, uint256 minus) = _order(spec.header);
        (uint256 least, uint256 greatest) = _ends(spec, signBit, minus);
        uint256 key = _key(raw, signBit, minus);
        return least <= key && key <= greatest;
    }

    /// @return signBit of an element, zero if the dtype has none
    /// @return minus what is turned over in a negative element
    function _order(TensorHeader header) private pure returns (uint256 signBit, uint256 minus) {
        uint8 code = header.dtype();
        if (code == F32) return (F32_SIGN, F32_SIGN - 1);
        if (code == I64) return (1 << 63, 0);
        if (code == I32) return (1 << 31, 0);
    }

    function _ends(InputSpec memory spec, uint256 signBit, uint256 minus)
        private
        pure
        returns (uint256 least, uint256 greatest)
    {
        (uint256 lo, uint256 hi) = (uint64(spec.lo), uint64(spec.hi));
        if (minus != 0 && lo == 0) lo = F32_SIGN;
        if (minus != 0 && hi == F32_SIGN) hi = 0;
        // Of a negative i32 the upper half, all ones, is no part of the element.
        if (spec.header.dtype() == I32) (lo, hi) = (uint32(lo), uint32(hi));
        return (_key(lo, signBit, minus), _key(hi, signBit, minus));
    }

    function _key(uint256 raw, uint256 signBit, uint256 minus) private pure returns (uint256 key) {
        key = raw ^ signBit;
        if (raw & signBit != 0) key ^= minus;
    }

    /// @dev Whether `end` is a finite value of the dtype.
    function _holds(TensorHeader header, int64 end) private pure returns (bool) {
        uint8 code = header.dtype();
        if (code == F32) return end >= 0 && uint64(end) < 1 << 32 && uint64(end) & (F32_SIGN - 1) < F32_INFINITY;
        if (code == I64) return true;
        if (code == I32) return end >= type(int32).min && end <= type(int32).max;
        if (code == U8) return end >= 0 && end <= 255;
        if (code == BOOL) return end == 0 || end == 1;
        revert IModelRegistry.BadHeader(TensorHeader.unwrap(header));
    }

    /// @dev Shows the element as ranges are written: bits of a f32, the value of an integer.
    function _refuse(InputSpec memory spec, uint256 element, uint256 raw) private pure {
        int64 shown = spec.header.dtype() == I32 ? int64(int32(uint32(raw))) : int64(uint64(raw));
        revert IModelRegistry.InputOutOfRange(element, shown, spec.lo, spec.hi);
    }
}
