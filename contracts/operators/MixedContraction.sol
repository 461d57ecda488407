// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Profiles} from "../libraries/Profiles.sol";
import {Float} from "../math/Float.sol";
import {Formats} from "../math/Formats.sol";
import {Sum} from "../math/Real.sol";
import {BF16, F16, F32} from "../types/Roots.sol";
import {Contraction, Rows} from "./Contraction.sol";

/// @notice How the elements of two rows are read.
/// @param a dtype of the first row, `b` of the second
/// @param cuts whether f32 have 10 bits of fraction where they are multiplied; `rounding` how they lose the others
struct Kinds {
    uint8 a;
    uint8 b;
    bool cuts;
    uint8 rounding;
}

/// @title The exact sum of products of two rows of floats of any dtypes, in one window (PROTOCOL.md, section 5, "Contract")
/// @notice As `Contraction`, term by term.
library MixedContraction {
    uint32 private constant CUT = 0x1fff;
    uint32 private constant HALF = 0x1000;

    /// @param hint greatest product exponent
    /// @return known whether the window holds: false if a product lies above it or an operand is not finite
    function sumOf(Rows memory rows, Kinds memory kinds, int256 hint)
        internal
        pure
        returns (bool known, Sum memory sum)
    {
        (known, sum) = Contraction.windowOf(rows, hint);
        if (!known) return (false, sum);
        (uint256 widthA, uint256 widthB) = (kinds.a == F32 ? 4 : 2, kinds.b == F32 ? 4 : 2);
        for (uint256 i = 0; i < rows.count; ++i) {
            // Offsets in calldata.
            unchecked {
                uint32 x = _read(rows.a + widthA * i, kinds.a, kinds);
                if (!Contraction.addTerm(sum, x, _read(rows.b + widthB * i, kinds.b, kinds))) return (false, sum);
            }
        }
        return (!rows.biased || Contraction.addBias(sum, rows.bias), sum);
    }

    /// @notice A float with 10 bits of fraction. Subnormals stay: all of them is allowed for as flushed.
    function cut(uint32 bits, uint8 rounding) internal pure returns (uint32) {
        if (Float.isTiny(bits) || !Float.isFinite(bits)) return bits;
        (uint32 kept, uint32 rest) = (bits & ~CUT, bits & CUT);
        if (rounding == Profiles.TOWARD_ZERO || rest < HALF) return kept;
        if (rounding == Profiles.NEAREST_EVEN && rest == HALF && kept & (CUT + 1) == 0) return kept;
        // At most infinity: the magnitude was below it.
        return kept + CUT + 1;
    }

    function _read(uint256 offset, uint8 dtype, Kinds memory kinds) private pure returns (uint32 bits) {
        bits = Float.read(offset);
        if (dtype == BF16) return bits & 0xffff0000;
        if (dtype == F16) return Formats.widen(F16, bits >> 16);
        return kinds.cuts ? cut(bits, kinds.rounding) : bits;
    }
}
