// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Approx, Approximate} from "./Approx.sol";

/// @title The square root, within 2^-125 of itself
/// @notice `rollup/judge/transcendental.py` is the twin.
library Root {
    /// @notice `√a` for `a >= 0`: the integer root of an even power of two times the mantissa.
    function sqrt(Approx a) internal pure returns (Approx) {
        if (a.isZero()) return a;
        unchecked {
            int256 shift = 126 + (a.exponent() & 1);
            uint256 root = _root(uint256(a.mantissa()) << uint256(shift));
            return Approximate.pack(int256(root), (a.exponent() - shift) / 2);
        }
    }

    /// @dev The integer root of `square` in 2^252 .. 2^254. The line `(u + 2) / 3` is below `√u` by at most 5.8 % for `u` in
    /// 1 .. 4. Newton's steps lie above, by `e²/2` where the one before erred by `e`: 2^-9, 2^-19, 2^-39, 2^-79, 2^-159.
    function _root(uint256 square) private pure returns (uint256 root) {
        assembly ("memory-safe") {
            root := div(add(shr(126, square), shl(127, 1)), 3)
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := shr(1, add(root, div(square, root)))
            root := sub(root, gt(root, div(square, root)))
        }
    }
}
