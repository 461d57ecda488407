// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";

/// @title sin and cos up to 2^16, each within 2^-75 of itself
/// @notice Fixed point has 120 fraction bits; a shift to the right rounds down. `rollup/judge/transcendental.py` is the twin.
library Circular {
    /// @dev π/2 in units of 2^-120, and its inverse in units of 2^-64.
    int256 private constant HALF_PI = 0x1921fb54442d18469898cc51701b83a;
    int256 private constant INVERSE_HALF_PI = 0xa2f9836e4e44152a;

    /// @dev Below 2^-24 `a − a³/6`, leaving out `a⁴/120` of it.
    function sin(Approx a) internal pure returns (Approx) {
        if (a.magnitude() > -24) return _turned(a, 0);
        return a * (Approximate.ONE - (a * a) / Approximate.make(6, 0));
    }

    function cos(Approx a) internal pure returns (Approx) {
        return _turned(a, 1);
    }

    /// @dev `sin(a + quarters · π/2)`: with `k` the integer nearest to `a / (π/2)`, `r = a − k π/2`, `|r| < 0.786`, `± sin r` or
    /// `cos r`. What the series leave out is below `(r²)^12 / 24! < 2^-87`. π/2 errs by 2^-121, `k < 2^16` times: `r` by 2^-104,
    /// and no float up to 2^16 but 0 is closer than 2^-28 to a multiple of π/2: within 2^-75.
    function _turned(Approx a, int256 quarters) private pure returns (Approx) {
        unchecked {
            int256 t = a.fixedPoint(120);
            int256 k = (t * INVERSE_HALF_PI + (1 << 183)) >> 184;
            int256 r = t - k * HALF_PI;
            int256 square = (r * r) >> 120;
            int256 quadrant = k + quarters;
            int256 size = quadrant & 1 == 1 ? _cosine(square) : (r * _sine(square)) >> 120;
            return Approximate.make(quadrant & 2 == 2 ? -size : size, -120);
        }
    }

    /// @dev `sin r / r` by its series in `r²`, to `r^22`, cut at every step: less than three units. The numbers are
    /// `2^120 / (2i + 1)!`.
    function _sine(int256 square) private pure returns (int256 p) {
        assembly ("memory-safe") {
            p := sub(0x5c6e3bdb73d5c6, sar(120, mul(0x2ec368262c70, square)))
            p := sub(0x97a4da340a0ab926, sar(120, mul(p, square)))
            p := sub(0xca963b81856a535930, sar(120, mul(p, square)))
            p := sub(0xd73f9f399dc0f88ec32b, sar(120, mul(p, square)))
            p := sub(0xb092309d43684be51c198e, sar(120, mul(p, square)))
            p := sub(0x6b99159fd5138e3f9d1f92e0, sar(120, mul(p, square)))
            p := sub(0x2e3bc74aad8e671f5583911ca0, sar(120, mul(p, square)))
            p := sub(0xd00d00d00d00d00d00d00d00d00, sar(120, mul(p, square)))
            p := sub(0x22222222222222222222222222222, sar(120, mul(p, square)))
            p := sub(0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, square)))
            p := sub(0x1000000000000000000000000000000, sar(120, mul(p, square)))
        }
    }

    /// @dev `cos r` by its series in `r²`, to `r^22`. The numbers are `2^120 / (2i)!`.
    function _cosine(int256 square) private pure returns (int256 p) {
        assembly ("memory-safe") {
            p := sub(0x7950ae900808941, sar(120, mul(0x4338e5b6dfe14, square)))
            p := sub(0xb413c31dcbecbbdd8, sar(120, mul(p, square)))
            p := sub(0xd73f9f399dc0f88ec32, sar(120, mul(p, square)))
            p := sub(0xc9cba54603e4e905d6f8a, sar(120, mul(p, square)))
            p := sub(0x8f76c77fc6c4bdaa26d4c3d, sar(120, mul(p, square)))
            p := sub(0x49f93edde27d71cbbc05b4fa9, sar(120, mul(p, square)))
            p := sub(0x1a01a01a01a01a01a01a01a01a0, sar(120, mul(p, square)))
            p := sub(0x5b05b05b05b05b05b05b05b05b05, sar(120, mul(p, square)))
            p := sub(0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, square)))
            p := sub(0x800000000000000000000000000000, sar(120, mul(p, square)))
            p := sub(0x1000000000000000000000000000000, sar(120, mul(p, square)))
        }
    }
}
