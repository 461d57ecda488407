// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Eight products of floats at once: the fast way through a contraction
/// @notice A lane is one float of the eight in a word. Only what is ordinary is added here (PROTOCOL.md, section 5,
/// "Contract"); `Contraction` does the rest term by term, to the same sums.
library Lanes {
    /// @dev One in every lane.
    uint256 internal constant EVERY = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// @notice Adds words from `cursor` on until `end` or a word with a subnormal, an infinity, a NaN, or a product above
    /// the window; returns where it stopped.
    /// @dev No lane ever carries into its neighbour:
    /// - exponent fields stay where they are (bits 23 to 30), so two of them add up to at most 510 · 2^23 < 2^32;
    /// - `E > 0` shows in bit 31 of `E · 2^23 + 0xff · 2^23`, which is at most 510 · 2^23;
    /// - `place = x − base + 1024` lies in 580 .. 1612, for x in 0 .. 510 and base in −78 .. 444: bit 10 says `x >= base`;
    /// - `place + 1023 − span` and 2 more are below 4096, and bit 11 says `x > top`;
    /// - `E = 255` shows in bit 31 of `(E + 1) · 2^23`; `F > 0` in bit 23 of `F + 2^23 − 1`.
    /// `x` is the sum of the fields `E`, short by at most 2 of that of the `ε` where an operand is zero or subnormal. Such
    /// a lane is added as zero, so only its comparison with `top` is wanted: if it is closer than 2, the word is special.
    /// The low byte of `place` is `x − base <= 80` in the window; adding 128 to it for a negative product makes it the
    /// shift that puts the product into the high half. A product below the window has its mantissa masked out. Both
    /// halves stay below 2^128 because the window leaves room for the number of terms.
    ///
    /// Two lanes are multiplied at once, 64 bits apart: their products are 128 bits apart, and the crossed ones, 49 bits
    /// between them, are dropped. Masks that are used often lie in memory or on the stack: as literals the optimiser
    /// would fetch them from the code, at ten times the gas.
    /// @param lift `1024 − base` in every lane
    /// @param above `1023 − span` in every lane
    function addWords(uint256 halves, uint256 cursor, uint256 apart, uint256 end, uint256 lift, uint256 above)
        internal
        pure
        returns (uint256, uint256)
    {
        assembly ("memory-safe") {
            // In memory at 0 bit 31 of every lane, at 0x20 the exponents' bits.
            mstore(0, 0x8000000080000000800000008000000080000000800000008000000080000000)
            mstore(0x20, 0x7f8000007f8000007f8000007f8000007f8000007f8000007f8000007f800000)
            let implicit := 0x0080000000800000008000000080000000800000008000000080000000800000
            for {} lt(cursor, end) { cursor := add(cursor, 0x20) } {
                let x := calldataload(cursor)
                let y := calldataload(add(cursor, apart))
                let ex := and(x, mload(0x20))
                let ey := and(y, mload(0x20))
                let live := and(add(ex, mload(0x20)), add(ey, mload(0x20)))
                let place := add(shr(23, add(ex, ey)), lift)
                let special := or(or(add(ex, implicit), add(ey, implicit)), shl(20, add(place, above)))
                if and(or(special, not(live)), mload(0)) {
                    // A fraction where E is 0, in bit 31 of x or of y.
                    let fractions := sub(implicit, shr(23, implicit))
                    ex := and(not(add(ex, mload(0x20))), shl(8, add(and(x, fractions), fractions)))
                    ey := and(not(add(ey, mload(0x20))), shl(8, add(and(y, fractions), fractions)))
                    let near := and(not(live), shl(20, add(place, add(above, shr(22, implicit)))))
                    if and(or(or(special, near), or(ex, ey)), mload(0)) { break }
                }
                // Mantissas; those of products that do not count are masked.
                live := mul(shr(31, and(and(live, shl(21, place)), mload(0))), 0xffffff)
                place := add(place, shr(24, and(xor(x, y), mload(0))))
                x := and(live, or(implicit, and(x, 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff)))
                y := or(implicit, and(y, 0x007fffff007fffff007fffff007fffff007fffff007fffff007fffff007fffff))
                ex := mul(and(shr(160, x), 0xffffff0000000000ffffff), and(shr(160, y), 0xffffff0000000000ffffff))
                ey := mul(and(shr(128, x), 0xffffff0000000000ffffff), and(shr(128, y), 0xffffff0000000000ffffff))
                special := mul(and(shr(32, x), 0xffffff0000000000ffffff), and(shr(32, y), 0xffffff0000000000ffffff))
                live := mul(and(x, 0xffffff0000000000ffffff), and(y, 0xffffff0000000000ffffff))
                halves := add(
                    shl(byte(23, place), shr(128, live)),
                    add(
                        shl(byte(31, place), and(live, 0xffffffffffff)),
                        add(
                            shl(byte(19, place), shr(128, special)),
                            add(
                                shl(byte(27, place), and(special, 0xffffffffffff)),
                                add(
                                    shl(byte(7, place), shr(128, ey)),
                                    add(
                                        shl(byte(15, place), and(ey, 0xffffffffffff)),
                                        add(
                                            shl(byte(3, place), shr(128, ex)),
                                            add(shl(byte(11, place), and(ex, 0xffffffffffff)), halves)
                                        )
                                    )
                                )
                            )
                        )
                    )
                )
            }
        }
        return (cursor, halves);
    }
}
