// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "../math/Approx.sol";
import {Float} from "../math/Float.sol";
import {Row} from "../math/RowFloats.sol";

/// @title The sum of exponentials of a row of floats (PROTOCOL.md, section 5, "Rows")
/// @notice `rollup/judge/windows.py` is the twin. Arguments are in units of 2^-120, cut towards zero, the sum in 2^-214.
/// `Exponential` knows e to more places, at twice the gas: a row has thousands.
library ExpSum {
    int256 private constant GREATEST = 16 << 120;
    int256 private constant LEAST = -(256 << 120);

    /// @return known false where `top` or an element is not finite, −Inf aside, or an element exceeds `top` by more than 16
    /// @return total `Σ e^(a − top)`, within 2^-60 of itself and 2^-214 for each element
    function sumOf(Row memory row, uint32 top) internal pure returns (bool known, Approx total) {
        if (!Float.isFinite(top)) return (false, total);
        (uint256 size, uint256 scale) = Float.split(top);
        int256 centre = int256((size << 224) >> (254 - scale));
        uint256 sum;
        (known, sum) = _terms(row, Float.isNegative(top) ? -centre : centre);
        total = Approximate.make(int256(sum), -214);
    }

    /// @dev An element `m · 2^(ε − 150)` is `m` shifted up by 224 and down by 254 − ε. With `t` its distance from the centre:
    /// `e^t = 2^k · (e^s)^8`, `k` the integer nearest to `t / ln 2`, `s = (t − k ln 2) / 8`, so `|s| < 0.0434`. Series to
    /// `s^9`: what is left out is below `s^10 / 10! < 2^-67`, eight times that after three squarings. A term is below 2^24,
    /// 2^238 in the units of the sum, of which there are at most 2^13. The numbers are `2^120 / i!`, ln 2 in units of 2^-120
    /// and its inverse in 2^-64.
    function _terms(Row memory row, int256 centre) private pure returns (bool known, uint256 sum) {
        known = true;
        assembly ("memory-safe") {
            let place := mload(row)
            let end := add(place, shl(2, mload(add(row, 0x20))))
            for {} lt(place, end) { place := add(place, 4) } {
                let t := shr(224, mload(place))
                let k := and(shr(23, t), 0xff)
                if eq(k, 0xff) {
                    if eq(t, 0xff800000) { continue }
                    known := 0
                    break
                }
                let p := shl(224, or(and(t, 0x7fffff), shl(23, gt(k, 0))))
                p := shr(sub(254, add(k, iszero(k))), p)
                if shr(31, t) { p := sub(0, p) }
                t := sub(p, centre)
                if sgt(t, GREATEST) {
                    known := 0
                    break
                }
                if slt(t, LEAST) { continue }
                k := sar(184, add(mul(t, 0x171547652b82fe177), shl(183, 1)))
                t := sar(3, sub(t, mul(k, 0xb17217f7d1cf79abc9e3b39803f2f7)))
                p := add(0x1a01a01a01a01a01a01a01a01a0, sar(120, mul(t, 0x2e3bc74aad8e671f5583911ca0)))
                p := add(0xd00d00d00d00d00d00d00d00d00, sar(120, mul(p, t)))
                p := add(0x5b05b05b05b05b05b05b05b05b05, sar(120, mul(p, t)))
                p := add(0x22222222222222222222222222222, sar(120, mul(p, t)))
                p := add(0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, t)))
                p := add(0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaa, sar(120, mul(p, t)))
                p := add(0x800000000000000000000000000000, sar(120, mul(p, t)))
                p := add(shl(120, 1), sar(120, mul(p, t)))
                p := add(shl(120, 1), sar(120, mul(p, t)))
                p := shr(120, mul(p, p))
                p := shr(120, mul(p, p))
                p := shr(120, mul(p, p))
                // In units of 2^-214 instead of 2^-120.
                k := add(k, 94)
                switch slt(k, 0)
                case 0 { p := shl(k, p) }
                default { p := shr(sub(0, k), p) }
                sum := add(sum, p)
            }
        }
    }
}
