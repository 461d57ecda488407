// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Float} from "../../contracts/math/Float.sol";
import {Formats} from "../../contracts/math/Formats.sol";
import {BF16, F16, F32} from "../../contracts/types/Roots.sol";

contract FormatsTest is Harness {
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant MINUS = 0x80000000;

    function test_widen_f16() public pure {
        uint16[10] memory halves = [uint16(0), 0x8000, 1, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00];
        uint32[10] memory floats = [
            0,
            MINUS,
            0x33800000, // 2^-24
            0x387fc000, // 1023 · 2^-24
            0x38800000, // 2^-14
            ONE,
            0xc0000000,
            0x477fe000, // 65504
            Float.INFINITY,
            Float.NEGATIVE_INFINITY
        ];
        for (uint256 i = 0; i < halves.length; ++i) {
            assertEq(Formats.widen(F16, halves[i]), floats[i]);
        }
        assertTrue(Float.isNaN(Formats.widen(F16, 0x7c01)) && Float.isNaN(Formats.widen(F16, 0xfe00)), "NaN");
    }

    function test_widen_bf16_isTheUpperHalf() public pure {
        assertEq(Formats.widen(BF16, 0xbf81), 0xbf810000);
        assertEq(Formats.widen(F32, 0xbf812345), 0xbf812345);
    }

    function test_narrow_tiesToEven() public pure {
        // 1 + 2^-11 lies between 1 and 1 + 2^-10; 1 + 3 · 2^-11 between that and 1 + 2^-9.
        assertEq(Formats.narrow(F16, 0x3f801000), ONE);
        assertEq(Formats.narrow(F16, 0x3f801001), 0x3f802000);
        assertEq(Formats.narrow(F16, 0x3f803000), 0x3f804000);
        assertEq(Formats.narrow(BF16, 0x3f808000), ONE);
        assertEq(Formats.narrow(BF16, MINUS | 0x3f818000), MINUS | 0x3f820000);
    }

    function test_narrow_subnormalsAndOverflow() public pure {
        assertEq(Formats.narrow(F16, 0x33000000), 0);
        assertEq(Formats.narrow(F16, 0x33000001), 0x33800000);
        assertEq(Formats.narrow(F16, 0x477fefff), 0x477fe000);
        assertEq(Formats.narrow(F16, MINUS | 0x477ff000), Float.NEGATIVE_INFINITY);
        assertEq(Formats.narrow(BF16, 0x7f7f7fff), 0x7f7f0000);
        assertEq(Formats.narrow(BF16, 0x7f7f8000), Float.INFINITY);
        assertEq(Formats.narrow(F32, 0x7f7fffff), 0x7f7fffff);
        assertEq(Formats.narrow(F16, 0x7fc00000), 0x7fc00000);
    }

    /// @dev Far below the last place a size still tells on which side of the middle it lies.
    function test_round_seesEveryBit() public pure {
        uint256 middle = ((1 << 11) + 1) << 200;
        assertEq(Formats.round(F16, false, middle, -211), ONE);
        assertEq(Formats.round(F16, false, middle + 1, -211), 0x3f802000);
        assertEq(Formats.round(F16, true, middle - 1, -211), MINUS | ONE);
        assertEq(Formats.round(F16, true, 0, 7), MINUS);
        assertEq(Formats.round(BF16, false, 1, -2000), 0);
        assertEq(Formats.round(BF16, false, 1, 2000), Float.INFINITY);
    }

    /// @dev What a format holds is not changed by it.
    function testFuzz_narrow_ofWhatWasWidened_isItself(uint16 bits) public pure {
        uint32 half = Formats.widen(F16, bits);
        uint32 brain = Formats.widen(BF16, bits);
        assertEq(Formats.narrow(F16, half), half);
        assertEq(Formats.narrow(BF16, brain), brain);
    }

    function test_leastNormal() public pure {
        assertEq(Formats.leastNormal(F16), Formats.widen(F16, 0x0400));
        assertEq(Formats.leastNormal(BF16), Formats.widen(BF16, 0x0080));
        assertEq(Formats.leastNormal(F32), 0x00800000);
    }
}
