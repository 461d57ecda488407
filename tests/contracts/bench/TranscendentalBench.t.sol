// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {Approx, Approximate} from "../../../contracts/math/Approx.sol";
import {Circular} from "../../../contracts/math/Circular.sol";
import {ErrorFunction} from "../../../contracts/math/ErrorFunction.sol";
import {Exponential} from "../../../contracts/math/Exponential.sol";
import {Logarithm} from "../../../contracts/math/Logarithm.sol";
import {Root} from "../../../contracts/math/Root.sol";

/// @notice Gas of the enclosures at ordinary arguments, logged for `python -m bench judge`.
contract TranscendentalBench is Harness {
    event log_named_uint(string key, uint256 val);

    function test_functions() public {
        // 1.7431...
        Approx a = Approximate.ofFloat(0x3fdf1f5a);
        _measure("exp", Exponential.exp, a);
        _measure("expm1", Exponential.expm1, a);
        _measure("tanh", Exponential.tanh, a);
        _measure("sigmoid", Exponential.sigmoid, a);
        _measure("log", Logarithm.log, a);
        _measure("log1p", Logarithm.log1p, a);
        _measure("sqrt", Root.sqrt, a);
        _measure("sin", Circular.sin, a);
        _measure("cos", Circular.cos, a);
        _measure("erf", ErrorFunction.erf, a);
        _measure("erf dearest", ErrorFunction.erf, Approximate.make(13, -1) - Approximate.make(1, -20));
    }

    function _measure(string memory name, function(Approx) view returns (Approx) operation, Approx a) private {
        uint256 before = gasleft();
        Approx result = operation(a);
        uint256 used = before - gasleft();
        assertTrue(!result.isZero(), name);
        emit log_named_uint(name, used);
    }
}
