// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Verdict} from "../interfaces/IStepJudge.sol";
import {BF16, F16} from "../types/Roots.sol";
import {Approx, Approximate} from "./Approx.sol";
import {Float} from "./Float.sol";

/// @notice What honest hardware may add to an exact result (PROTOCOL.md, section 5, "Rounded operators").
/// @param scale `S`: what a calibrated factor multiplies; at least `2^-24` of every term that the result is made of
/// @param sound `t` without `rest`
/// @param rest what is allowed whatever the factor: flushing
struct Bound {
    Approx scale;
    Approx sound;
    Approx rest;
}

/// @title Is a committed float outside what honest hardware may make of an exact result
library BoundLib {
    /// @notice The judgement of `y`, an element of `dtype` (f32, f16 or bf16) as the f32 of its value.
    /// @param centre the exact result, within `2^-48` of the terms it is made of
    /// @param factor calibrated factor in 1/256; zero for none
    function judge(uint8 dtype, uint32 y, Approx centre, Bound memory bound, uint256 factor)
        internal
        pure
        returns (Verdict)
    {
        if (isOutside(dtype, y, centre, _reach(bound, bound.sound))) return Verdict.BeyondSound;
        if (factor == 0) return Verdict.NoFault;
        Approx calibrated = Approximate.min(bound.sound, bound.scale * Approximate.make(int256(factor), -8));
        bool rejected = isOutside(dtype, y, centre, _reach(bound, calibrated));
        return rejected ? Verdict.BeyondCalibrated : Verdict.NoFault;
    }

    /// @notice Whether `y` lies outside `RN(centre − reach) .. RN(centre + reach)`, by value; one that is not finite does iff
    /// both ends are finite.
    /// @param reach not negative
    function isOutside(uint8 dtype, uint32 y, Approx centre, Approx reach) internal pure returns (bool) {
        uint32 lo = nearest(dtype, centre - reach);
        uint32 hi = nearest(dtype, centre + reach);
        if (!Float.isFinite(y)) return Float.isFinite(lo) && Float.isFinite(hi);
        return Float.order(y) < Float.order(lo) || Float.order(y) > Float.order(hi);
    }

    /// @notice `RN` to `dtype`, ties to even, subnormals kept, overflow to infinity: as the f32 of that value.
    /// @dev A 16-bit float is first made a multiple of its last place, which f32 holds exactly. Last places: 11 bits and
    /// 2^-24 in f16, 8 bits and 2^-133 in bf16; bf16 overflows with f32, f16 at 2^16.
    function nearest(uint8 dtype, Approx a) internal pure returns (uint32) {
        unchecked {
            int256 m = a.mantissa();
            uint256 size = uint256(m < 0 ? -m : m);
            int256 e = a.exponent();
            if (dtype != F16 && dtype != BF16) return Float.round(m < 0, size, e);
            int256 place = e + (dtype == F16 ? int256(116) : int256(119));
            int256 least = dtype == F16 ? int256(-24) : int256(-133);
            if (place < least) place = least;
            uint32 bits = Float.round(m < 0, _multiple(size, uint256(place - e)), place);
            bool overflown = dtype == F16 && bits & 0x7fffffff >= 0x47800000;
            return overflown ? bits & 0x80000000 | Float.INFINITY : bits;
        }
    }

    /// @dev `2^-24 · S` covers what the enclosure errs by.
    function _reach(Bound memory bound, Approx allowed) private pure returns (Approx) {
        return allowed + bound.scale.scaled(-24) + bound.rest;
    }

    /// @dev `size / 2^shift`, to nearest, ties to even; `size` below 2^127, `shift` at least 116.
    function _multiple(uint256 size, uint256 shift) private pure returns (uint256 multiple) {
        unchecked {
            if (shift > 128) return 0;
            uint256 rest = size & ((1 << shift) - 1);
            uint256 half = 1 << (shift - 1);
            multiple = size >> shift;
            if (rest > half || (rest == half && multiple & 1 == 1)) ++multiple;
        }
    }
}
