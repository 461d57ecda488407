// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Verdict} from "../interfaces/IStepJudge.sol";
import {Float} from "./Float.sol";
import {Formats} from "./Formats.sol";

/// @notice What a window found of a sum of products, in units of `2^(base − 300)`.
/// @param terms `n`: products in the sum
/// @param base exponent of the window's lowest product
/// @param span from there to the greatest exponent that a product may have
/// @param halves `P`, the positive terms in the window, in the low 128 bits; `N`, its negative ones, in the high ones
/// @param flushable `sub`: magnitudes of the terms with a subnormal operand
struct Sum {
    uint256 terms;
    int256 base;
    uint256 span;
    uint256 halves;
    uint256 flushable;
}

/// @notice What hardware promises of one sum.
/// @param dtype of the result
/// @param count roundings that a term may pass through
/// @param digits errors are units of `2^-digits`
struct Promise {
    uint8 dtype;
    uint256 count;
    uint256 digits;
}

/// @title Window arithmetic: the enclosure of an exact sum, and what honest hardware may add to it
/// @notice Formulas and their source: PROTOCOL.md, section 5, "Contract".
library Real {
    /// @notice The sound bound, as a factor: the calibrated one is the lesser of it and the registered one.
    uint256 internal constant SOUND = type(uint256).max;
    /// @dev Digits of sums that are f32: with fewer, tensor cores cut what they add.
    uint256 private constant F32_DIGITS = 24;

    /// @notice Exponents that the window spans below its top, so that `terms` products of 48 bits add up to less than 2^128.
    /// @param terms from 1 to 2^16 − 1
    function range(uint256 terms) internal pure returns (uint256 span) {
        assembly ("memory-safe") {
            // ceil(log2 terms) is the bit length of terms − 1, which has at most 16 bits.
            let rest := sub(terms, 1)
            let bits := shl(3, gt(rest, 0xff))
            bits := or(bits, shl(2, gt(shr(bits, rest), 0xf)))
            bits := or(bits, shl(1, gt(shr(bits, rest), 3)))
            rest := shr(bits, rest)
            span := sub(80, add(bits, add(gt(rest, 0), gt(rest, 1))))
        }
    }

    /// @notice The verdict on the committed `y` (f32 bits); `factor` is zero if only the sound bound is claimed to be broken.
    function judge(Sum memory sum, Promise memory promised, uint32 y, uint256 factor) internal pure returns (Verdict) {
        if (isFault(sum, promised, y, SOUND)) return Verdict.BeyondSound;
        return factor != 0 && isFault(sum, promised, y, factor) ? Verdict.BeyondCalibrated : Verdict.NoFault;
    }

    /// @notice Whether the committed `y` (f32 bits) is beyond what `factor` (1/256; or `SOUND`) allows.
    function isFault(Sum memory sum, Promise memory promised, uint32 y, uint256 factor) internal pure returns (bool) {
        // Sums are below 2^130, `flushable` below 2^145, `tiny` below 2^160; products with counts add 40 bits at most.
        unchecked {
            uint256 cut = sum.terms << 47;
            uint256 magnitude = uint128(sum.halves) + (sum.halves >> 128) + cut;
            (bool representable, uint256 slack) = _slack(sum, promised, factor, magnitude);
            if (!representable) return false;
            if (!Float.isFinite(y)) {
                return Float.isFinite(_nearest(promised.dtype, int256(magnitude + slack), sum.base));
            }
            int256 middle = int256(uint256(uint128(sum.halves))) - int256(sum.halves >> 128);
            return _isOutside(promised.dtype, y, middle, cut + slack, sum.base);
        }
    }

    /// @dev `t`; not representable where `tiny` is not.
    function _slack(Sum memory sum, Promise memory promised, uint256 factor, uint256 magnitude)
        private
        pure
        returns (bool representable, uint256 slack)
    {
        (representable, slack) = _tiny(sum.terms, sum.base);
        // As above.
        unchecked {
            slack += _rounding(sum, promised, factor, magnitude) + sum.flushable;
        }
    }

    function _isOutside(uint8 dtype, uint32 y, int256 middle, uint256 reach, int256 base) private pure returns (bool) {
        // As above.
        unchecked {
            return Float.order(y) < Float.order(_nearest(dtype, middle - int256(reach), base))
                || Float.order(y) > Float.order(_nearest(dtype, middle + int256(reach), base));
        }
    }

    /// @dev The least of `m · S / (2^digits − m)`, `factor · S / (256 (2^digits − m))`, and of f32 sums
    /// `(S + (n − 1) · M) / (2^24 − n)`, each rounded up; `S` is `magnitude`.
    function _rounding(Sum memory sum, Promise memory promised, uint256 factor, uint256 magnitude)
        private
        pure
        returns (uint256 least)
    {
        // As above.
        unchecked {
            uint256 rest = (1 << promised.digits) - promised.count;
            least = _ceil(promised.count * magnitude, rest);
            if (promised.digits == F32_DIGITS) {
                uint256 anyOrder = magnitude + (sum.terms - 1) * _greaterHalf(sum);
                least = Math.min(least, _ceil(anyOrder, (1 << F32_DIGITS) - sum.terms));
            }
            if (factor != SOUND) least = Math.min(least, _ceil(factor * magnitude, 256 * rest));
        }
    }

    /// @dev `M`: no partial sum of any order is larger.
    function _greaterHalf(Sum memory sum) private pure returns (uint256) {
        unchecked {
            return Math.max(uint128(sum.halves), sum.halves >> 128) + (sum.terms << 47);
        }
    }

    function _ceil(uint256 dividend, uint256 divisor) private pure returns (uint256) {
        unchecked {
            return (dividend + divisor - 1) / divisor;
        }
    }

    /// @dev `ceil(terms · 2^-124 / unit)`, where `unit = 2^(base − 300)`; not representable from 2^160 on. Below one
    /// unit its ceiling is one: `terms` is less than 2^16 and the exponent at most −16.
    function _tiny(uint256 terms, int256 base) private pure returns (bool representable, uint256 tiny) {
        unchecked {
            int256 exponent = 176 - base;
            if (exponent >= 160) return (false, 0);
            if (exponent >= 0) tiny = terms << uint256(exponent);
            else tiny = exponent <= -16 ? 1 : (terms + (1 << uint256(-exponent)) - 1) >> uint256(-exponent);
            return (tiny < 1 << 160, tiny);
        }
    }

    function _nearest(uint8 dtype, int256 units, int256 base) private pure returns (uint32) {
        unchecked {
            return Formats.round(dtype, units < 0, uint256(units < 0 ? -units : units), base - 300);
        }
    }
}
