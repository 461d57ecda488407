// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Float} from "../../contracts/math/Float.sol";

contract FloatTest is Harness {
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant GREATEST = 0x7f7fffff;

    function test_kinds() public pure {
        assertTrue(!Float.isFinite(0x7f800000) && !Float.isFinite(0xff800000), "infinities are not finite");
        assertTrue(!Float.isFinite(0x7fc00001) && Float.isNaN(0x7fc00001) && Float.isNaN(0xff800001), "NaN payloads");
        assertTrue(!Float.isNaN(0x7f800000) && Float.isFinite(GREATEST), "edges of the finite");
        assertTrue(Float.isTiny(0x807fffff) && Float.isTiny(0x80000000) && !Float.isTiny(0x00800000), "edges of tiny");
        assertTrue(Float.isSubnormal(0x80000001) && !Float.isSubnormal(0x80000000), "zero is not subnormal");
    }

    function test_order_byValue() public pure {
        uint32[9] memory rising =
            [0xff800000, 0xff7fffff, 0xbf800000, 0x80000001, 0x80000000, 1, ONE, GREATEST, 0x7f800000];
        for (uint256 i = 1; i < 9; ++i) {
            assertTrue(Float.order(rising[i - 1]) < Float.order(rising[i]), "rises");
        }
        assertTrue(Float.order(0x80000000) == Float.order(0), "minus zero is zero");
    }

    function test_round_tiesToEven() public pure {
        assertEq(Float.round(false, (1 << 24) + 1, 0), 0x4b800000);
        assertEq(Float.round(false, (1 << 24) + 3, 0), 0x4b800002);
        assertEq(Float.round(true, (1 << 25) - 1, 0), 0xcc000000);
    }

    function test_round_atBothEndsOfTheRange() public pure {
        assertEq(Float.round(false, 0, 400), 0);
        assertEq(Float.round(true, 1, -149), 0x80000001);
        assertEq(Float.round(false, 1, -150), 0);
        assertEq(Float.round(false, 3, -151), 1);
        assertEq(Float.round(false, 0xffffff, -150), 0x00800000);
        assertEq(Float.round(false, 1, -1000), 0);
        assertEq(Float.round(false, 0xffffff, 104), GREATEST);
        assertEq(Float.round(false, 0x1ffffff, 103), Float.INFINITY);
        assertEq(Float.round(false, 0x1fffffe, 103), GREATEST);
        assertEq(Float.round(true, 1, 128), Float.NEGATIVE_INFINITY);
        assertEq(Float.round(false, 1 << 254, 100000), Float.INFINITY);
    }

    function testFuzz_round_ofFloat_isItself(uint32 bits) public pure {
        if (!Float.isFinite(bits) || bits == 0x80000000) return;
        (uint256 mantissa, uint256 exponent) = Float.split(bits);
        assertEq(Float.round(Float.isNegative(bits), mantissa, int256(exponent) - 150), bits);
        assertEq(Float.round(Float.isNegative(bits), mantissa << 200, int256(exponent) - 350), bits);
    }

    /// @dev In units of 2^-250: the result is no farther than half way to its neighbours, and even if just there.
    function testFuzz_round_isNearest(uint256 magnitude, uint256 raise) public pure {
        magnitude = bound(magnitude, 1, type(uint64).max) >> (magnitude % 60);
        raise = bound(raise, 30, 150);
        if (magnitude == 0) return;
        uint32 bits = Float.round(false, magnitude, int256(raise) - 250);
        uint256 twice = (magnitude << raise) * 2;
        uint256 above = scaled(bits) + scaled(bits + 1);
        uint256 below = bits == 0 ? 0 : scaled(bits) + scaled(bits - 1);
        assertTrue(below <= twice && twice <= above, "nearest");
        assertTrue(bits & 1 == 0 || (twice != above && twice != below), "ties to even");
    }

    function scaled(uint32 bits) internal pure returns (uint256) {
        uint256 field = bits >> 23;
        return field == 0 ? uint256(bits) << 101 : uint256((bits & 0x7fffff) + (1 << 23)) << (field + 100);
    }

    function test_units_ofTheSmallest() public pure {
        assertTrue(Float.units(0) == 0 && Float.units(0x80000000) == 0, "both zeros");
        assertTrue(Float.units(1) == 1 && Float.units(0x80000001) == -1, "the least subnormal number is the unit");
        assertTrue(Float.units(0x00800000) == 2 ** 23 && Float.units(0x807fffff) == 1 - 2 ** 23, "edges of the normal");
        assertTrue(Float.units(ONE) == 2 ** 149, "one");
    }

    function testFuzz_units_areTheValue(uint32 bits) public pure {
        bits %= 232 << 23;
        assertTrue(Float.units(bits) == int256(units(bits)), "positive");
        assertTrue(Float.units(bits | 0x80000000) == -int256(units(bits)), "negative");
    }

    function test_differByMore_extremes() public pure {
        assertTrue(!Float.differByMore(ONE, ONE, 0), "equal ones differ by nothing");
        assertTrue(Float.differByMore(ONE, ONE + 1, 0), "one ulp is more than nothing");
        assertTrue(!Float.differByMore(0, 0x80000000, 0), "zeros are equal");
        assertTrue(Float.differByMore(GREATEST, 0x80000001, GREATEST), "greatest and least are seen together");
        assertTrue(!Float.differByMore(GREATEST, 1, GREATEST), "and on the other side");
        assertTrue(!Float.differByMore(0x40000000, ONE, ONE), "the limit itself is allowed");
        assertTrue(Float.differByMore(0xff7fffff, GREATEST, GREATEST), "twice the greatest");
    }

    function testFuzz_differByMore_matchesIntegers(uint32 a, uint32 b, uint32 limit) public pure {
        // Exponent fields below 200: everything fits one word, in units of 2^-149.
        (a, b, limit) = (a % (200 << 23), b % (200 << 23), limit % (200 << 23));
        uint256 x = units(a);
        uint256 y = units(b);
        bool expected = (x > y ? x - y : y - x) > units(limit);
        assertTrue(Float.differByMore(a, b, limit) == expected, "as integers");
        assertTrue(Float.differByMore(a | 0x80000000, b | 0x80000000, limit) == expected, "mirrored");
        bool apart = x + y > units(limit);
        assertTrue(Float.differByMore(a | 0x80000000, b, limit) == apart, "of either sign");
    }

    function units(uint32 bits) internal pure returns (uint256) {
        uint256 field = bits >> 23;
        return field == 0 ? uint256(bits) : uint256((bits & 0x7fffff) + (1 << 23)) << (field - 1);
    }
}
