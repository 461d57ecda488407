// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Order} from "../../contracts/operators/Order.sol";

contract OrderCalls {
    function amax(bytes calldata row, uint32 y) external pure returns (bool) {
        return Order.isAmaxFault(start(row), row.length / 4, y);
    }

    function argmax(bytes calldata row, int64 y) external pure returns (bool) {
        return Order.isArgmaxFault(start(row), row.length / 4, y);
    }

    function start(bytes calldata row) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := row.offset
        }
    }
}

contract OrderTest is Harness {
    OrderCalls internal calls = new OrderCalls();

    uint32 internal constant MINUS_INF = 0xff800000;
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant TWO = 0x40000000;

    function row(uint32 a, uint32 b, uint32 c) internal pure returns (bytes memory) {
        return abi.encodePacked(a, b, c);
    }

    function test_amax() public view {
        assertTrue(!calls.amax(row(ONE, TWO, 0xc0400000), TWO), "the greatest");
        assertTrue(calls.amax(row(ONE, TWO, 0xc0400000), ONE) && calls.amax(row(ONE, TWO, 0), TWO + 1), "no other");
        assertTrue(!calls.amax(row(0x80000000, 0xbf800000, 0), 0x80000000), "either zero");
        assertTrue(!calls.amax(row(3, 1, 2), 0) && calls.amax(row(3, 1, 2), 4), "subnormal ones may be flushed");
    }

    function test_amax_nonFinite() public view {
        assertTrue(!calls.amax(row(MINUS_INF, ONE, MINUS_INF), ONE), "masks are values");
        assertTrue(calls.amax(row(MINUS_INF, ONE, MINUS_INF), MINUS_INF), "and below all");
        assertTrue(!calls.amax(row(MINUS_INF, MINUS_INF, MINUS_INF), MINUS_INF), "nothing but masks");
        assertTrue(calls.amax(row(MINUS_INF, MINUS_INF, MINUS_INF), 0), "has no finite maximum");
        assertTrue(!calls.amax(row(0x7f800000, 0, 0), ONE) && !calls.amax(row(0, 0xffc00001, 0), ONE), "acquits");
        assertTrue(calls.amax(row(ONE, ONE, ONE), 0x7fc00000), "a NaN from finite ones");
    }

    function test_argmax() public view {
        bytes memory ties = row(ONE, TWO, TWO);
        assertTrue(!calls.argmax(ties, 1) && !calls.argmax(ties, 2), "any of equals");
        assertTrue(calls.argmax(ties, 0) && calls.argmax(ties, 3) && calls.argmax(ties, -1), "no other");
        assertTrue(calls.argmax(ties, type(int64).min) && calls.argmax(ties, type(int64).max), "far outside");
        assertTrue(!calls.argmax(row(0, 0x80000000, 7), 1), "what may be flushed is equal");
        assertTrue(calls.argmax(row(0, 0x00800000, 7), 2), "what may not is greater");
    }

    function test_argmax_nonFinite() public view {
        assertTrue(calls.argmax(row(MINUS_INF, ONE, 0), 0) && !calls.argmax(row(MINUS_INF, ONE, 0), 1), "masks");
        assertTrue(!calls.argmax(row(MINUS_INF, MINUS_INF, MINUS_INF), 2), "nothing but masks");
        assertTrue(!calls.argmax(row(0x7f800000, 0, 0), 1) && !calls.argmax(row(0, 0, 0x7fc00000), 9), "acquits");
    }
}
