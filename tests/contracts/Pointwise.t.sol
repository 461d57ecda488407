// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Float} from "../../contracts/math/Float.sol";
import {OP_RELU} from "../../contracts/libraries/ConstantsLib.sol";
import {Pointwise} from "../../contracts/operators/Pointwise.sol";
import {Unary} from "../../contracts/operators/Unary.sol";
import {F32} from "../../contracts/types/Roots.sol";

contract PointwiseTest is Harness {
    uint32 internal constant MINUS = 0x80000000;
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant TWO = 0x40000000;
    uint32 internal constant GREATEST = 0x7f7fffff;
    uint32 internal constant INF = 0x7f800000;

    function isReluFault(uint32 a, uint32 y) internal pure returns (bool) {
        return Unary.isFault(OP_RELU, F32, a, y, Pointwise.Interval(0, 0));
    }

    function onlyAdd(uint32 a, uint32 b, uint32 y) internal pure {
        assertTrue(!Pointwise.isAddFault(F32, a, b, y) && !Pointwise.isAddFault(F32, b, a, y), "the sum");
        assertTrue(
            Pointwise.isAddFault(F32, a, b, y + 1) && Pointwise.isAddFault(F32, a, b, y - 1), "and its neighbours"
        );
    }

    function onlyMul(uint32 a, uint32 b, uint32 y) internal pure {
        assertTrue(!Pointwise.isMulFault(F32, a, b, y) && !Pointwise.isMulFault(F32, b, a, y), "the product");
        assertTrue(
            Pointwise.isMulFault(F32, a, b, y + 1) && Pointwise.isMulFault(F32, a, b, y - 1), "and its neighbours"
        );
    }

    function test_add_isCorrectlyRounded() public pure {
        onlyAdd(ONE, ONE, TWO);
        onlyAdd(ONE, 0x33800000, ONE);
        onlyAdd(ONE, 0x33800001, ONE + 1);
        onlyAdd(ONE + 1, 0x33800000, ONE + 2);
        onlyAdd(ONE, MINUS | 0x33000000, ONE);
        onlyAdd(ONE, MINUS | 0x33000001, ONE - 1);
        onlyAdd(ONE, 0x00800000, ONE);
        onlyAdd(GREATEST, MINUS | 1, GREATEST);
        onlyAdd(ONE, MINUS | 0x00800000, ONE);
    }

    function test_add_cancelling_isZeroOfEitherSign() public pure {
        assertTrue(
            !Pointwise.isAddFault(F32, ONE, MINUS | ONE, 0) && !Pointwise.isAddFault(F32, ONE, MINUS | ONE, MINUS),
            "zero"
        );
        assertTrue(Pointwise.isAddFault(F32, ONE, MINUS | ONE, 1), "nothing else");
    }

    function test_add_subnormals_keptOrFlushed() public pure {
        assertTrue(!Pointwise.isAddFault(F32, 0x00400000, 0x00400000, 0x00800000), "kept");
        assertTrue(!Pointwise.isAddFault(F32, 0x00400000, 0x00400000, 0x00400000), "one flushed");
        assertTrue(!Pointwise.isAddFault(F32, 0x00400000, 0x00400000, 0), "both flushed");
        assertTrue(Pointwise.isAddFault(F32, 0x00400000, 0x00400000, 0x00800001), "not more");
        assertTrue(Pointwise.isAddFault(F32, 0x00400000, 0x00400000, MINUS | 1), "not less");
        // Normal operands, a subnormal result.
        assertTrue(!Pointwise.isAddFault(F32, 0x00c00000, MINUS | 0x00800000, 0x00400000), "kept");
        assertTrue(!Pointwise.isAddFault(F32, 0x00c00000, MINUS | 0x00800000, 0), "flushed");
        assertTrue(Pointwise.isAddFault(F32, 0x00c00000, MINUS | 0x00800000, 0x00400001), "not more");
    }

    function test_mul_isCorrectlyRounded() public pure {
        onlyMul(TWO, ONE + 1, TWO + 1);
        onlyMul(ONE + 1, ONE + 1, ONE + 2);
        onlyMul(0x3fffffff, 0x3fffffff, 0x407ffffe);
        onlyMul(MINUS | ONE, 0x3fffffff, MINUS | 0x3fffffff);
    }

    function test_mul_subnormals_keptOrFlushed() public pure {
        assertTrue(!Pointwise.isMulFault(F32, 0x00400000, TWO, 0x00800000), "kept");
        assertTrue(!Pointwise.isMulFault(F32, 0x00400000, TWO, 0), "flushed");
        assertTrue(Pointwise.isMulFault(F32, 0x00400000, TWO, 0x00800001), "not more");
        assertTrue(!Pointwise.isMulFault(F32, 0x00800000, 0x3f000000, 0x00400000), "a subnormal result kept");
        assertTrue(!Pointwise.isMulFault(F32, 0x00800000, 0x3f000000, MINUS), "and flushed");
        assertTrue(!Pointwise.isMulFault(F32, 1, 1, 0) && Pointwise.isMulFault(F32, 1, 1, 1), "vanishing");
    }

    /// @dev (1 + 2^-23)(1 - 2^-23) · 2^-126 is just below 2^-126: kept it rounds up to that, flushed it is zero.
    function test_mul_roundedUpToTheLeastNormal_keptOrFlushed() public pure {
        (uint32 a, uint32 b) = (0x00800001, 0x3f7ffffe);
        assertTrue(!Pointwise.isMulFault(F32, a, b, 0x00800000), "kept");
        assertTrue(!Pointwise.isMulFault(F32, a, b, 0) && !Pointwise.isMulFault(F32, MINUS | a, b, MINUS), "flushed");
        assertTrue(
            Pointwise.isMulFault(F32, a, b, 0x00800001) && Pointwise.isMulFault(F32, a, b, MINUS | 1), "nothing beyond"
        );
        assertTrue(Pointwise.isMulFault(F32, 0x00800001, ONE, 0), "what needs no rounding is not flushed");
    }

    function test_nonFinite() public pure {
        assertTrue(
            !Pointwise.isAddFault(F32, INF, ONE, 0) && !Pointwise.isMulFault(F32, ONE, 0x7fc00001, 0), "operands acquit"
        );
        assertTrue(!isReluFault(0x7fc00000, ONE) && !isReluFault(INF, ONE), "operands acquit");
        assertTrue(
            Pointwise.isAddFault(F32, ONE, ONE, INF) && Pointwise.isMulFault(F32, ONE, ONE, 0x7fc00000),
            "results do not"
        );
        assertTrue(isReluFault(ONE, INF), "results do not");
        assertTrue(!Pointwise.isAddFault(F32, GREATEST, GREATEST, INF), "unless the sum overflows");
        assertTrue(Pointwise.isAddFault(F32, GREATEST, GREATEST, GREATEST), "and then it must");
        assertTrue(!Pointwise.isMulFault(F32, GREATEST, MINUS | TWO, MINUS | INF), "to its own side");
    }

    function test_relu() public pure {
        assertTrue(!isReluFault(ONE, ONE) && isReluFault(ONE, 0), "positive");
        assertTrue(!isReluFault(MINUS | ONE, 0) && !isReluFault(MINUS | ONE, MINUS), "negative");
        assertTrue(isReluFault(MINUS | ONE, MINUS | ONE), "negative, kept");
        assertTrue(!isReluFault(5, 0) && !isReluFault(5, 5) && isReluFault(5, 6), "subnormal");
    }

    /// @dev Against integers in units of 2^-149: no sum of floats with exponent fields below 200 needs more bits.
    function testFuzz_add_matchesIntegers(uint32 a, uint32 b) public pure {
        (a, b) = (normal(a), normal(b));
        int256 sum = units(a) + units(b);
        uint32 y = Float.round(sum < 0, uint256(sum < 0 ? -sum : sum), -149);
        assertTrue(!Pointwise.isAddFault(F32, a, b, y), "rounded once");
        if (!Float.isTiny(y)) {
            assertTrue(
                Pointwise.isAddFault(F32, a, b, y + 1) && Pointwise.isAddFault(F32, a, b, y - 1), "and not otherwise"
            );
        }
    }

    function normal(uint32 bits) internal pure returns (uint32) {
        uint32 field = 1 + ((bits >> 23) & 0xff) % 199;
        return (bits & 0x807fffff) | (field << 23);
    }

    function units(uint32 bits) internal pure returns (int256) {
        int256 magnitude = int256(uint256((bits & 0x7fffff) + (1 << 23)) << (((bits >> 23) & 0xff) - 1));
        return bits > 0x7fffffff ? -magnitude : magnitude;
    }
}
