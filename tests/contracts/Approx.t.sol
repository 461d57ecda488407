// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {Approx, Approximate} from "../../contracts/math/Approx.sol";
import {DivisionByZero} from "../../contracts/math/Arithmetic.sol";
import {Bound, BoundLib} from "../../contracts/math/Bound.sol";
import {BF16, F16, F32} from "../../contracts/types/Roots.sol";

/// @notice Reals of 127 bits against their Python twin (tests/parity/reals.py), and what only Solidity can get wrong.
contract ApproxTest is Harness {
    error OtherResult(uint256 row, string operation, int256 received, int256 expected);

    uint32 private constant NAN = 0x7fc00000;
    uint32 private constant INF = 0x7f800000;

    function divide(Approx a, Approx b) external pure returns (Approx) {
        return a / b;
    }

    function test_divide_byZero_reverts() public {
        vm.expectRevert(DivisionByZero.selector);
        this.divide(Approximate.ONE, Approximate.ZERO);
    }

    function test_operations_areThoseOfTheTwin() public view {
        bytes[] memory rows = vm.parseJsonBytesArray(vm.readFile("tests/parity/vectors/reals.json"), ".rows");
        assertTrue(rows.length > 100, "a file has rows");
        for (uint256 i = 0; i < rows.length; ++i) {
            (int256 x, int256 y, int256 sum, int256 product, int256 quotient, uint256 rounded) =
                abi.decode(rows[i], (int256, int256, int256, int256, int256, uint256));
            (Approx a, Approx b) = (Approx.wrap(x), Approx.wrap(y));
            _require(i, "make", Approximate.make(a.mantissa() * 2, a.exponent() - 1), x);
            _require(i, "sum", a + b, sum);
            _require(i, "difference", b - (-a), sum);
            _require(i, "product", a * b, product);
            if (!b.isZero()) _require(i, "quotient", a / b, quotient);
            assertEq(_rounded(a), rounded);
        }
    }

    function test_one_isOne() public pure {
        assertEq(uint256(Approx.unwrap(Approximate.ONE)), uint256(Approx.unwrap(Approximate.make(1, 0))));
        assertEq(uint256(Approx.unwrap(Approximate.ofFloat(0x3f800000))), uint256(Approx.unwrap(Approximate.ONE)));
    }

    function testFuzz_ofFloat_roundsBackToItself(uint32 bits) public pure {
        vm.assume(bits & 0x7fffffff < INF && bits != 0x80000000);
        assertEq(BoundLib.nearest(F32, Approximate.ofFloat(bits)), bits);
        assertEq(
            uint256(Approx.unwrap(Approximate.ofFloat(bits).abs())),
            uint256(Approx.unwrap(Approximate.ofFloat(bits & 0x7fffffff)))
        );
    }

    function testFuzz_isLess_ordersAsFloatsDo(uint32 a, uint32 b) public pure {
        vm.assume(a < INF && b < INF);
        (Approx x, Approx y) = (Approximate.ofFloat(a), Approximate.ofFloat(b));
        assertTrue((x < y) == (a < b) && (-y < -x) == (a < b), "order");
        assertTrue((-x < y) == (a | b != 0), "signs");
    }

    function test_judge_notFinite_isAFaultIffBothEndsAreFinite() public pure {
        Bound memory tiny = Bound(Approximate.ZERO, Approximate.ZERO, Approximate.make(1, -126));
        assertTrue(BoundLib.judge(F32, INF, Approximate.ONE, tiny, 0) == Verdict.BeyondSound, "infinity");
        assertTrue(BoundLib.judge(F32, NAN, Approximate.ONE, tiny, 0) == Verdict.BeyondSound, "not a number");
        assertTrue(BoundLib.judge(F32, NAN, Approximate.make(1, 128), tiny, 0) == Verdict.NoFault, "overflow");
        assertTrue(BoundLib.judge(F16, INF, Approximate.make(1, 16), tiny, 0) == Verdict.NoFault, "overflow of f16");
        assertTrue(BoundLib.judge(BF16, INF, Approximate.make(1, 16), tiny, 0) == Verdict.BeyondSound, "bf16 holds it");
    }

    function test_judge_factor_narrowsTheBoundAndOnlyRejects() public pure {
        Bound memory bound = Bound(Approximate.make(1, -24), Approximate.make(8, -24), Approximate.ZERO);
        uint32 one = 0x3f800000;
        assertTrue(BoundLib.judge(F32, one + 1, Approximate.ONE, bound, 256) == Verdict.NoFault, "a tie of the end");
        assertTrue(BoundLib.judge(F32, one + 2, Approximate.ONE, bound, 256) == Verdict.BeyondCalibrated, "two ulp");
        assertTrue(BoundLib.judge(F32, one + 2, Approximate.ONE, bound, 0) == Verdict.NoFault, "without a factor");
        assertTrue(BoundLib.judge(F32, one + 5, Approximate.ONE, bound, 256) == Verdict.BeyondSound, "five ulp");
        assertTrue(
            BoundLib.judge(F32, one + 4, Approximate.ONE, bound, type(uint32).max) == Verdict.NoFault,
            "a factor of any size"
        );
    }

    function _rounded(Approx a) private pure returns (uint256 word) {
        word = BoundLib.nearest(F32, a);
        word = word << 32 | BoundLib.nearest(F16, a);
        word = word << 32 | BoundLib.nearest(BF16, a);
    }

    function _require(uint256 row, string memory operation, Approx received, int256 expected) private pure {
        if (Approx.unwrap(received) != expected) revert OtherResult(row, operation, Approx.unwrap(received), expected);
    }
}
