// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Promise, Real, Sum} from "../../contracts/math/Real.sol";
import {F32} from "../../contracts/types/Roots.sol";

contract RealTest is Harness {
    uint32 internal constant ONE = 0x3f800000;

    function isFault(Sum memory sum, uint32 y, uint256 factor) internal pure returns (bool) {
        return Real.isFault(sum, Promise(F32, sum.terms, 24), y, factor);
    }

    /// @dev The sum 1.0 · 1.0 + (n − 1) zeros with the hint at its product.
    function oneOf(uint256 terms) internal pure returns (Sum memory) {
        uint256 span = Real.range(terms);
        return Sum(terms, 254 - int256(span), span, (1 << 46) << span, 0);
    }

    function test_range_leavesRoomForTerms() public pure {
        assertEq(Real.range(1), 80);
        assertEq(Real.range(2), 79);
        assertEq(Real.range(3), 78);
        assertEq(Real.range(4096), 68);
        assertEq(Real.range(4097), 67);
        assertEq(Real.range(65535), 64);
        for (uint256 bits = 1; bits < 16; ++bits) {
            assertEq(Real.range((1 << bits) - 1 + (bits == 1 ? 1 : 0)), 80 - bits);
            assertEq(Real.range((1 << bits) + 1), 79 - bits);
        }
    }

    /// @dev One product may err by u/(1 − u) and a little more: the float below 1 is half an ulp away, the one above one.
    function test_fault_aroundOneProduct() public pure {
        Sum memory sum = oneOf(1);
        assertTrue(!isFault(sum, ONE, Real.SOUND), "the product itself");
        assertTrue(!isFault(sum, ONE + 1, Real.SOUND) && !isFault(sum, ONE - 1, Real.SOUND), "neighbours");
        assertTrue(isFault(sum, ONE + 2, Real.SOUND) && isFault(sum, ONE - 2, Real.SOUND), "and no farther");
        assertTrue(isFault(sum, ONE | 0x80000000, Real.SOUND), "the sign counts");
    }

    /// @dev n·u/(1 − n·u) of 1 is 4096 u and 1.0002 u more, which rounds up to 2049 and down to 4097 ulps.
    function test_fault_aroundSumOf4096() public pure {
        Sum memory sum = oneOf(4096);
        assertTrue(!isFault(sum, ONE + 2049, Real.SOUND) && isFault(sum, ONE + 2050, Real.SOUND), "above");
        assertTrue(!isFault(sum, ONE - 4097, Real.SOUND) && isFault(sum, ONE - 4098, Real.SOUND), "below");
    }

    function test_fault_calibrated_isTheLesser() public pure {
        Sum memory sum = oneOf(4096);
        // A factor of 16 · 256: 16 u, so 8 ulps above.
        assertTrue(!isFault(sum, ONE + 8, 4096) && isFault(sum, ONE + 9, 4096), "within 16 u");
        assertTrue(!isFault(sum, ONE + 2049, type(uint32).max), "a vast factor is the sound one");
        assertTrue(isFault(sum, ONE + 2050, type(uint32).max), "at most");
    }

    function test_fault_flushableWidens() public pure {
        Sum memory sum = oneOf(1);
        assertTrue(isFault(sum, 0x3f000000, Real.SOUND), "half of it");
        sum.flushable = (1 << 45) << 80;
        assertTrue(!isFault(sum, 0x3f000000, Real.SOUND), "unless that half was flushable");
    }

    function test_fault_nonFinite_iffBoundIsFinite() public pure {
        uint32[3] memory strange = [uint32(0x7f800000), 0xff800000, 0x7fc00000];
        Sum memory great = Sum(1, 508 - 80, 80, ((uint256(1) << 24) - 1) ** 2 << 80, 0);
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(isFault(oneOf(4096), strange[i], Real.SOUND), "one cannot overflow");
            assertTrue(!isFault(great, strange[i], Real.SOUND), "2^256 must");
        }
        assertTrue(isFault(great, 0x7f7fffff, Real.SOUND), "and then no finite float is right");
    }

    /// @dev Cancelling halves leave no value but all of the bound.
    function test_fault_cancellation() public pure {
        Sum memory sum = oneOf(2);
        sum.halves |= sum.halves << 128;
        // S = 2 and M = 1, t = 3u and a little: two products, and one sum of at most 1.
        uint32 edge = (104 << 23) | 0x400000;
        assertTrue(!isFault(sum, edge, Real.SOUND) && !isFault(sum, edge | 0x80000000, Real.SOUND), "within");
        assertTrue(isFault(sum, edge + 8, Real.SOUND) && isFault(sum, (edge + 8) | 0x80000000, Real.SOUND), "beyond");
    }

    function test_fault_tinyBeyondUnits_acquits() public pure {
        Sum memory sum = Sum(1, 16, 80, 0, 0);
        assertTrue(!isFault(sum, ONE, Real.SOUND), "2^160 units");
        sum.base = 17;
        assertTrue(isFault(sum, ONE, Real.SOUND), "2^159 units are 2^-124");
        // Then t is n·2^-124 and a unit: twice the least normal float, four times.
        assertTrue(!isFault(sum, 3 << 23, Real.SOUND) && isFault(sum, (3 << 23) + 1, Real.SOUND), "exactly");
    }
}
