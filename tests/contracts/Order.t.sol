// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {RowFloats} from "../../contracts/math/RowFloats.sol";
import {Order} from "../../contracts/operators/Order.sol";
import {F32} from "../../contracts/types/Roots.sol";

contract OrderCalls {
    function amax(bytes calldata row, uint32 y) external pure returns (bool) {
        return Order.isAmaxFault(RowFloats.load(row, F32), y);
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

    function test_argmax() public pure {
        assertTrue(Order.isArgmaxFault(ONE, TWO) && Order.isArgmaxFault(0xbf800000, 0), "a larger one");
        assertTrue(!Order.isArgmaxFault(TWO, TWO) && !Order.isArgmaxFault(TWO, ONE), "none larger");
        assertTrue(!Order.isArgmaxFault(0x80000000, 7) && !Order.isArgmaxFault(1, 2), "what may be flushed is equal");
        assertTrue(Order.isArgmaxFault(7, 0x00800000), "what may not is greater");
    }

    function test_argmax_nonFinite() public pure {
        assertTrue(Order.isArgmaxFault(MINUS_INF, ONE) && !Order.isArgmaxFault(ONE, MINUS_INF), "masks");
        assertTrue(!Order.isArgmaxFault(MINUS_INF, MINUS_INF), "nothing but masks");
        assertTrue(!Order.isArgmaxFault(0, 0x7f800000) && !Order.isArgmaxFault(0x7fc00000, 0), "acquits");
    }
}
