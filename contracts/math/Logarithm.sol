// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";
import {Exponential} from "./Exponential.sol";

/// @title log, log1p and powers, each within 2^-74 of itself
/// @notice Fixed point has 120 fraction bits; a shift to the right rounds down. `rollup/judge/transcendental.py` is the twin.
library Logarithm {
    int256 private constant LN2 = 0xb17217f7d1cf79abc9e3b39803f2f7;
    int256 private constant SQRT2 = 0x5a827999fcef32422cbec4d9baa55f50;

    /// @notice `ln a` for `a > 0`.
    /// @dev `k ln 2 + 2 artanh(s)`, `a = z · 2^k`, `z` in `1/√2 .. √2`, `s = (z − 1) / (z + 1)`, so `s² < 0.02945`. Series to
    /// `s^31`: what is left out is below `(s²)^16 / 33 < 2^-86` of it. `s` and the product err by 2^-120, and a float that is
    /// not 1 has `|s| > 2^-26`: within 2^-85.
    function log(Approx a) internal pure returns (Approx) {
        unchecked {
            int256 m = a.mantissa();
            (int256 one, int256 k) =
                m > SQRT2 ? (int256(1 << 127), a.exponent() + 127) : (int256(1 << 126), a.exponent() + 126);
            int256 s = ((m - one) << 120) / (m + one);
            return Approximate.make(k * LN2 + ((s * _series((s * s) >> 120)) >> 119), -120);
        }
    }

    /// @notice `ln(1 + a)` for `a > −1`.
    /// @dev Below 2^-24 `a − a²/2 + a³/3`, leaving out `a³/4 < 2^-74` of it; above, `1 + a` is exact.
    function log1p(Approx a) internal pure returns (Approx) {
        if (a.magnitude() > -24) return log(Approximate.ONE + a);
        Approx rest = Approximate.ONE - a.scaled(1) / Approximate.make(3, 0);
        return a * (Approximate.ONE - (a * rest).scaled(-1));
    }

    /// @notice `a^b` for `a > 0`.
    /// @dev `e^(b ln a)`: where a float can hold it `|b ln a| < 2^7`, so it errs by `2^-85 · 2^7`.
    function power(Approx a, Approx b) internal pure returns (Approx) {
        return Exponential.exp(b * log(a));
    }

    /// @dev `artanh(s) / s` by its series in `s²`, cut down at every step: less than two units together. The numbers are
    /// `2^120 / (2i + 1)`.
    function _series(int256 square) private pure returns (int256 p) {
        assembly ("memory-safe") {
            p := add(0x8d3dcb08d3dcb08d3dcb08d3dcb08, sar(120, mul(0x84210842108421084210842108421, square)))
            p := add(0x97b425ed097b425ed097b425ed097, sar(120, mul(p, square)))
            p := add(0xa3d70a3d70a3d70a3d70a3d70a3d7, sar(120, mul(p, square)))
            p := add(0xb21642c8590b21642c8590b21642c, sar(120, mul(p, square)))
            p := add(0xc30c30c30c30c30c30c30c30c30c3, sar(120, mul(p, square)))
            p := add(0xd79435e50d79435e50d79435e50d7, sar(120, mul(p, square)))
            p := add(0xf0f0f0f0f0f0f0f0f0f0f0f0f0f0f, sar(120, mul(p, square)))
            p := add(0x111111111111111111111111111111, sar(120, mul(p, square)))
            p := add(0x13b13b13b13b13b13b13b13b13b13b, sar(120, mul(p, square)))
            p := add(0x1745d1745d1745d1745d1745d1745d, sar(120, mul(p, square)))
            p := add(0x1c71c71c71c71c71c71c71c71c71c7, sar(120, mul(p, square)))
            p := add(0x249249249249249249249249249249, sar(120, mul(p, square)))
            p := add(0x333333333333333333333333333333, sar(120, mul(p, square)))
            p := add(0x555555555555555555555555555555, sar(120, mul(p, square)))
            p := add(0x1000000000000000000000000000000, sar(120, mul(p, square)))
        }
    }
}
