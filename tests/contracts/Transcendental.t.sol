// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Approx, Approximate} from "../../contracts/math/Approx.sol";
import {Circular} from "../../contracts/math/Circular.sol";
import {ErrorFunction} from "../../contracts/math/ErrorFunction.sol";
import {Exponential} from "../../contracts/math/Exponential.sol";
import {Logarithm} from "../../contracts/math/Logarithm.sol";
import {Root} from "../../contracts/math/Root.sol";

/// @notice Enclosures against their Python twin (tests/parity/reals.py), which is tested against mpmath.
contract TranscendentalTest is Harness {
    error OtherResult(uint256 row, int256 received, int256 expected);

    function test_functions_areThoseOfTheTwin() public view {
        bytes[] memory rows = vm.parseJsonBytesArray(vm.readFile("tests/parity/vectors/transcendental.json"), ".rows");
        assertTrue(rows.length > 200, "a file has rows");
        for (uint256 i = 0; i < rows.length; ++i) {
            (uint256 number, int256 argument, int256 expected) = abi.decode(rows[i], (uint256, int256, int256));
            int256 received = Approx.unwrap(_function(number)(Approx.wrap(argument)));
            if (received != expected) revert OtherResult(i, received, expected);
        }
    }

    function test_exp_beyondSaturation_answersAsAtIt() public pure {
        Approx end = Exponential.exp(Approximate.make(1, 16));
        assertEq(_word(Exponential.exp(Approximate.make(1, 200))), _word(end));
        assertTrue(Exponential.exp(Approximate.make(-1, 200)) < Approximate.make(1, -90_000), "small");
        assertTrue(Approximate.make(1, 90_000) < end, "great");
    }

    function test_power_ofIntegers_isTheirProduct() public pure {
        Approx ten = Approximate.make(10, 0);
        Approx apart = Logarithm.power(ten, Approximate.make(5, 0)) - Approximate.make(100_000, 0);
        assertTrue(apart.abs() < Approximate.make(100_000, -75), "10^5");
    }

    function testFuzz_sqrt_isTheRootRoundedDown(uint32 bits) public pure {
        vm.assume(bits & 0x7f800000 != 0x7f800000);
        Approx a = Approximate.ofFloat(bits & 0x7fffffff);
        Approx root = Root.sqrt(a);
        assertTrue(!(a < root * root), "not above");
        Approx next = root + root.scaled(-125);
        assertTrue(a.isZero() || a < next * next, "the next one is");
    }

    function testFuzz_logAndExp_areInverse(uint32 bits) public pure {
        vm.assume(bits > 0x00800000 && bits < 0x7f800000);
        Approx a = Approximate.ofFloat(bits);
        assertTrue((Exponential.exp(Logarithm.log(a)) - a).abs() < a.scaled(-76), "e^ln a");
    }

    function testFuzz_sinAndCos_lieOnTheCircle(uint32 bits) public pure {
        Approx a = Approximate.ofFloat(bits % 0x47800000);
        (Approx s, Approx c) = (Circular.sin(a), Circular.cos(a));
        assertTrue((s * s + c * c - Approximate.ONE).abs() < Approximate.make(1, -80), "on the circle");
    }

    function _function(uint256 number) private pure returns (function(Approx) pure returns (Approx)) {
        if (number == 0) return Exponential.exp;
        if (number == 1) return Exponential.expm1;
        if (number == 2) return Exponential.tanh;
        if (number == 3) return Exponential.sigmoid;
        if (number == 4) return Logarithm.log;
        if (number == 5) return Logarithm.log1p;
        if (number == 6) return Root.sqrt;
        if (number == 7) return ErrorFunction.erf;
        return number == 8 ? Circular.sin : Circular.cos;
    }

    function _word(Approx a) private pure returns (uint256) {
        return uint256(Approx.unwrap(a));
    }
}
