// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {ExactSum} from "./reference/ExactSum.sol";
import {Real, Sum} from "../../contracts/math/Real.sol";
import {Contraction, Rows} from "../../contracts/operators/Contraction.sol";

/// @dev The operator behind calldata: both rows lie in `data`, at any byte.
contract ContractionCalls {
    function sumOf(bytes calldata data, Rows memory rows, int256 hint) external pure returns (bool, Sum memory) {
        uint256 start;
        assembly ("memory-safe") {
            start := data.offset
        }
        rows.a += start;
        rows.b += start;
        return Contraction.sumOf(rows, hint);
    }
}

contract ContractionTest is Harness, ExactSum {
    ContractionCalls internal calls = new ContractionCalls();

    uint32 internal constant ONE = 0x3f800000;

    function test_sum_hintOutsideProducts_isUnknown() public view {
        assertTrue(!isKnown(ONE, ONE, 1), "below every exponent");
        assertTrue(!isKnown(ONE, ONE, 509), "above every exponent");
        assertTrue(!isKnown(ONE, ONE, 253), "below the product's");
        assertTrue(isKnown(ONE, ONE, 254), "the product's own");
    }

    function test_sum_zeroUnderHint_countsWithExponentOne() public view {
        uint32 great = 254 << 23;
        assertTrue(!isKnown(0, great, 254), "1 + 254 is above");
        assertTrue(!isKnown(great, 0x80000000, 254), "on either side");
        assertTrue(isKnown(0, great, 255), "and fits there");
        assertTrue(!isKnown(0, 0, 1) && isKnown(0, 0, 2), "two zeros");
    }

    function test_sum_nonFinite_isUnknown() public view {
        uint32[4] memory strange = [uint32(0x7f800000), 0xff800000, 0x7fc00000, 0xff800001];
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(!isKnown(strange[i], ONE, 508) && !isKnown(0, strange[i], 508), "acquits");
        }
    }

    function test_sum_flushable_countsSubnormalsOnly() public view {
        (, Sum memory sum) = sumOfTwo(0x00400000, ONE, 128);
        assertEq(sum.flushable, uint256(1) << (22 + 23 + sum.span));
        (, sum) = sumOfTwo(0x00800000, ONE, 128);
        assertEq(sum.flushable, 0);
        (, sum) = sumOfTwo(1, ONE, 300);
        assertEq(sum.flushable, 1);
        assertEq(sum.halves, 0);
        (, sum) = sumOfTwo(1, 0, 300);
        assertEq(sum.flushable, 0);
    }

    function testFuzz_sum_matchesTermByTerm(uint256 seed, uint256 count, uint256 shiftA, uint256 shiftB, uint256 kind)
        public
        view
    {
        count = bound(count, 1, 70);
        Rows memory rows = Rows(shiftA % 40, 340 + (shiftB % 40), count, seed % 3 == 0, anyFloat(seed, 5));
        bytes memory data = rowsOf(seed, rows, kind % 5);
        (bool finite, int256 top) = topOf(data, rows);
        int256 hint = top + int256(seed % 7) - 1;
        (bool known, Sum memory sum) = calls.sumOf(data, rows, hint);
        assertTrue(known == (finite && hint >= top && hint <= 508), "known");
        if (known) requireExact(data, rows, sum);
    }

    /// @dev Term by term, and against the sum in 768-bit fixed point.
    function requireExact(bytes memory data, Rows memory rows, Sum memory sum) internal pure {
        (uint256 halves, uint256 flushable) = slowSum(data, rows, sum.base);
        assertEq(sum.halves, halves);
        assertEq(sum.flushable, flushable);
        int256 cut = int256(sum.terms << 47);
        int256 middle = int256(uint256(uint128(halves))) - int256(halves >> 128);
        assertTrue(exactMinus(data, rows, middle - cut, sum.base) >= 0, "lo is not above the sum");
        assertTrue(exactMinus(data, rows, middle + cut, sum.base) <= 0, "hi is not below the sum");
    }

    /// @dev Floats of one temper: 0 anything, 1 near one, 2 half zero, 3 subnormal among small, 4 huge.
    function rowsOf(uint256 seed, Rows memory rows, uint256 kind) internal pure returns (bytes memory data) {
        data = new bytes(700);
        for (uint256 i = 0; i < rows.count; ++i) {
            writeFloat(data, rows.a + 4 * i, anyFloat(uint256(keccak256(abi.encode(seed, i))), kind));
            writeFloat(data, rows.b + 4 * i, anyFloat(uint256(keccak256(abi.encode(seed, i, seed))), kind));
        }
    }

    function anyFloat(uint256 seed, uint256 kind) internal pure returns (uint32) {
        uint256 bits = seed & 0x807fffff;
        uint256 choice = (seed >> 40) % 64;
        // One non-finite value in some rows of the first kind.
        if (kind == 0 && choice == 0 && (seed >> 50) % 8 == 0) return uint32(bits | 0x7f800000);
        if (kind == 0 || kind == 5) return uint32(bits | ((((seed >> 60) & 0xff) % 255) << 23));
        if (kind == 2 && choice < 32) return uint32(seed & 0x80000000);
        if (kind == 3) return uint32(bits | (choice < 8 ? 0 : ((seed >> 60) % 90) << 23));
        if (kind == 4) return uint32(bits | ((250 + (seed >> 60) % 5) << 23));
        return uint32(bits | ((120 + (seed >> 60) % 8) << 23));
    }

    function isKnown(uint32 a, uint32 b, int256 hint) internal view returns (bool known) {
        (known,) = sumOfTwo(a, b, hint);
        // The same in a whole word of eight, which takes the other way.
        bytes memory data = new bytes(64);
        for (uint256 i = 0; i < 8; ++i) {
            writeFloat(data, 4 * i, a);
            writeFloat(data, 32 + 4 * i, b);
        }
        (bool knownInWord,) = calls.sumOf(data, Rows(0, 32, 8, false, 0), hint);
        assertTrue(known == knownInWord, "one way or the other");
    }

    function sumOfTwo(uint32 a, uint32 b, int256 hint) internal view returns (bool, Sum memory) {
        return calls.sumOf(bytes.concat(bytes4(a), bytes4(b)), Rows(0, 4, 1, false, 0), hint);
    }
}
