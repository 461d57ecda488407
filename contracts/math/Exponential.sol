// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";

/// @title exp and what is made of it, each within 2^-69 of itself
/// @notice Fixed point has 120 fraction bits; a shift to the right rounds down. `rollup/judge/transcendental.py` is the twin.
library Exponential {
    /// @dev ln 2 in units of 2^-120, and its inverse in units of 2^-64.
    int256 private constant LN2 = 0xb17217f7d1cf79abc9e3b39803f2f7;
    int256 private constant INVERSE_LN2 = 0x171547652b82fe177;

    /// @notice `e^a`. From a magnitude of 2^16 on it answers as at 2^16: no float is anywhere near.
    function exp(Approx a) internal pure returns (Approx) {
        unchecked {
            int256 limit = a.magnitude() > 16 ? int256(1 << 136) : int256(0);
            (uint256 p, int256 k) = power(limit == 0 ? a.fixedPoint(120) : a.isNegative() ? -limit : limit);
            return p < 1 << 120 ? Approximate.pack(int256(p << 7), k - 127) : Approximate.pack(int256(p << 6), k - 126);
        }
    }

    /// @notice `e^(t · 2^-120) = p · 2^(k − 120)`, `p` in 2^119 .. 2^121.
    /// @param t of magnitude at most 2^136
    /// @dev `2^k · (e^s)^8`, `k` the integer nearest to `t / ln 2`, `s = (t − k ln 2) / 8`, so `|s| < 0.0434`. Series to `s^13`:
    /// what is left out is below `s^14 / 14! < 2^-99`, eight times that after three squarings. ln 2 errs by 2^-121, `k` times:
    /// below 2^-104 for every argument. Together within 2^-95 for `|t| <= 2^129`.
    function power(int256 t) internal pure returns (uint256 p, int256 k) {
        unchecked {
            k = (t * INVERSE_LN2 + (1 << 183)) >> 184;
            p = uint256(_series((t - k * LN2) >> 3));
            p = (p * p) >> 120;
            p = (p * p) >> 120;
            p = (p * p) >> 120;
        }
    }

    /// @notice `e^a − 1`.
    /// @dev Below 2^-24 `a + a²/2 + a³/6`, leaving out `a³/24 < 2^-76` of it; above, exp errs by `2^-95 / 2^-24` of it.
    function expm1(Approx a) internal pure returns (Approx) {
        if (a.magnitude() > -24) return exp(a) - Approximate.ONE;
        Approx rest = Approximate.ONE + a / Approximate.make(3, 0);
        return a * (Approximate.ONE + (a * rest).scaled(-1));
    }

    /// @notice `(e^2a − 1) / (e^2a + 1)`: errs by at most twice what expm1 does.
    function tanh(Approx a) internal pure returns (Approx) {
        Approx above = expm1(a.scaled(1));
        return above / (above + Approximate.make(1, 1));
    }

    /// @notice `1 / (1 + e^-a)`.
    function sigmoid(Approx a) internal pure returns (Approx) {
        return Approximate.ONE / (Approximate.ONE + exp(-a));
    }

    /// @dev `e^s` by its series, cut down at every step: less than two units together. The numbers are `2^120 / i!`.
    function _series(int256 s) private pure returns (int256 p) {
        assembly ("memory-safe") {
            p := add(0x8f76c77fc6c4bdaa26d4c3d, sar(120, mul(0xb092309d43684be51c198e, s)))
            p := add(0x6b99159fd5138e3f9d1f92e0, sar(120, mul(p, s)))
            p := add(0x49f93edde27d71cbbc05b4fa9, sar(120, mul(p, s)))
            p := add(0x2e3bc74aad8e671f5583911ca0, sar(120, mul(p, s)))
            p := add(0x1a01a01a01a01a01a01a01a01a0, sar(120, mul(p, s)))
            p := add(0xd00d00d00d00d00d00d00d00d00, sar(120, mul(p, s)))
            p := add(0x5b05b05b05b05b05b05b05b05b05, sar(120, mul(p, s)))
            p := add(0x22222222222222222222222222222, sar(120, mul(p, s)))
            p := add(0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, s)))
            p := add(0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, s)))
            p := add(0x800000000000000000000000000000, sar(120, mul(p, s)))
            p := add(0x1000000000000000000000000000000, sar(120, mul(p, s)))
            p := add(0x1000000000000000000000000000000, sar(120, mul(p, s)))
        }
    }
}
