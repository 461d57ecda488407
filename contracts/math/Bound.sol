// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Verdict} from "../interfaces/IStepJudge.sol";
import {Approx, Approximate} from "./Approx.sol";
import {Float} from "./Float.sol";
import {Formats} from "./Formats.sol";

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
    /// @notice A bound of `count` times `scale`, which is given in units of 2^-24, and `rest`, in units of 2^-126.
    function counted(Approx scale, Approx count, Approx rest) internal pure returns (Bound memory) {
        scale = scale.scaled(-24);
        return Bound(scale, scale * count, rest.scaled(-126));
    }

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
        // A result below the least normal number may be flushed.
        if (y << 1 == 0 && _isFlushed(dtype, lo, hi)) return false;
        return Float.order(y) < Float.order(lo) || Float.order(y) > Float.order(hi);
    }

    function _isFlushed(uint8 dtype, uint32 lo, uint32 hi) private pure returns (bool) {
        uint32 least = Formats.leastNormal(dtype);
        return lo & 0x7fffffff < least || hi & 0x7fffffff < least;
    }

    /// @notice `RN` to `dtype`, ties to even, subnormals kept, overflow to infinity: as the f32 of that value.
    function nearest(uint8 dtype, Approx a) internal pure returns (uint32) {
        bool negative = a.isNegative();
        return Formats.round(dtype, negative, uint256(a.abs().mantissa()), a.exponent());
    }

    /// @dev `2^-24 · S` covers what the enclosure errs by.
    function _reach(Bound memory bound, Approx allowed) private pure returns (Approx) {
        return allowed + bound.scale.scaled(-24) + bound.rest;
    }
}
