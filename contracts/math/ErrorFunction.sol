// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";
import {Exponential} from "./Exponential.sol";

/// @title The error function, within 2^-64 of itself
/// @notice `rollup/judge/transcendental.py` is the twin.
library ErrorFunction {
    /// @dev 2/√π, in units of 2^-126.
    int256 private constant TWO_OVER_ROOT_PI = 0x48375d410a6db446b8ea453fb5ff61a2;

    /// @notice `2/√π · a · e^-a² · Σ (2a²)^n / (2n + 1)!!`: positive terms, nothing cancels.
    /// @dev From `|a| = 6.5` on ±1, within 2^-64. Below 2^-12 `2/√π · (a − a³/3 + a⁵/10)`, leaving out `a⁶/42 < 2^-77` of it.
    function erf(Approx a) internal pure returns (Approx) {
        Approx square = a * a;
        // 6.5²
        if (!(square < Approximate.make(169, -2))) return a.isNegative() ? -Approximate.ONE : Approximate.ONE;
        Approx slope = Approximate.pack(TWO_OVER_ROOT_PI, -126) * a;
        if (a.magnitude() > -12) return slope * Exponential.exp(-square) * _sum(square);
        Approx third = Approximate.ONE / Approximate.make(3, 0);
        return slope * (Approximate.ONE - square * (third - square / Approximate.make(10, 0)));
    }

    /// @dev The sum ends where a term is below 2^-68 of it: terms then fall by half and more. `2a²` is cut at 2^-72, which moves
    /// the sum by less than that; terms are cut at 2^-100, at most 200 of them. No term reaches 2^62, nor does the sum.
    function _sum(Approx square) private pure returns (Approx) {
        unchecked {
            uint256 argument = uint256(square.fixedPoint(73));
            uint256 term = 1 << 100;
            uint256 total = term;
            for (uint256 odd = 3; term > total >> 68; odd += 2) {
                assembly ("memory-safe") {
                    term := shr(72, div(mul(term, argument), odd))
                }
                total += term;
            }
            return Approximate.make(int256(total), -100);
        }
    }
}
