// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, InputSpec} from "../interfaces/IModelRegistry.sol";
import {BOOL, F32, I32, I64, TensorHeader, U8} from "../types/Roots.sol";

/// @title Ranges of inputs
/// @notice Says whether a registered range makes sense and whether canonical bytes lie in it. It hashes nothing.
/// @dev f32 values are compared as sign and magnitude of their bits, which is their order as numbers, -0 equal to +0.
/// Every range's ends are finite, and the bits of NaN and of the infinities lie beyond those of all finite values: so
/// they are out of every range without a test of their own.
library RangeLib {
    uint256 private constant F32_SIGN = 1 << 31;
    uint256 private constant F32_INFINITY = 0x7f800000;

    /// @notice Refuses a dtype that inputs cannot have, ends that the dtype cannot hold, and `lo` above `hi`.
    /// @param input number of the input, for the error
    function requireRange(uint256 input, InputSpec calldata spec) internal pure {
        uint8 code = spec.header.dtype();
        bool fits = _holds(spec.header, code, spec.lo) && _holds(spec.header, code, spec.hi);
        if (!fits || _end(code, spec.lo) > _end(code, spec.hi)) revert IModelRegistry.BadRange(input, spec.lo, spec.hi);
    }

    /// @notice Refuses the first element of `data`, one tensor's canonical bytes, that is out of `spec`'s range.
    /// @param first flat index of the tensor's first element over the concatenated inputs, for the error
    function requireWithin(InputSpec memory spec, bytes calldata data, uint256 first) internal pure {
        uint8 code = spec.header.dtype();
        uint256 width = spec.header.width();
        uint256 shift = 256 - 8 * width;
        (int256 least, int256 greatest) = (_end(code, spec.lo), _end(code, spec.hi));
        for (uint256 offset = 0; offset < data.length; offset += width) {
            uint256 raw = _word(data, offset) >> shift;
            int256 value = _value(code, raw);
            if (value < least || value > greatest) {
                int64 shown = code == F32 ? int64(uint64(raw)) : int64(value);
                revert IModelRegistry.InputOutOfRange(first + offset / width, shown, spec.lo, spec.hi);
            }
        }
    }

    /// @dev Whether `end` is a finite value of the dtype.
    function _holds(TensorHeader header, uint8 code, int64 end) private pure returns (bool) {
        if (code == F32) return end >= 0 && end <= int64(uint64(type(uint32).max)) && _magnitude(end) < F32_INFINITY;
        if (code == I64) return true;
        if (code == I32) return end >= type(int32).min && end <= type(int32).max;
        if (code == U8) return end >= 0 && end <= int64(uint64(type(uint8).max));
        if (code == BOOL) return end == 0 || end == 1;
        revert IModelRegistry.BadHeader(TensorHeader.unwrap(header));
    }

    function _end(uint8 code, int64 end) private pure returns (int256) {
        return code == F32 ? _value(code, uint64(end)) : int256(end);
    }

    /// @dev A number that is ordered as the element with these bits is.
    function _value(uint8 code, uint256 raw) private pure returns (int256) {
        if (code == F32) return raw < F32_SIGN ? int256(raw) : -int256(raw - F32_SIGN);
        if (code == I64) return int64(uint64(raw));
        if (code == I32) return int32(uint32(raw));
        return int256(raw);
    }

    function _magnitude(int64 bits) private pure returns (uint256) {
        return uint64(bits) & (F32_SIGN - 1);
    }

    /// @dev The 32 bytes from `offset` on; what lies beyond the data is shifted out by the caller.
    function _word(bytes calldata data, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }
}
