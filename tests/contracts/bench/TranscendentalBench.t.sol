// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {TranscendentalJudge} from "../../../contracts/TranscendentalJudge.sol";
import {Case, IOperatorJudge} from "../../../contracts/interfaces/IOperatorJudge.sol";
import {Verdict} from "../../../contracts/interfaces/IStepJudge.sol";
import "../../../contracts/libraries/ConstantsLib.sol";
import {Approx, Approximate} from "../../../contracts/math/Approx.sol";
import {Circular} from "../../../contracts/math/Circular.sol";
import {ErrorFunction} from "../../../contracts/math/ErrorFunction.sol";
import {Exponential} from "../../../contracts/math/Exponential.sol";
import {Logarithm} from "../../../contracts/math/Logarithm.sol";
import {Root} from "../../../contracts/math/Root.sol";
import {F32} from "../../../contracts/types/Roots.sol";

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
        _measure("erf_dearest", ErrorFunction.erf, Approximate.make(13, -1) - Approximate.make(1, -20));
    }

    /// @dev Whole calls of the judge, an honest and a calibrated question each.
    function test_judge() public {
        IOperatorJudge judge = new TranscendentalJudge();
        _judge(judge, "judge_exp", OP_EXP, 1, 0);
        _judge(judge, "judge_tanh", OP_TANH, 1, 0);
        _judge(judge, "judge_gelu", OP_GELU, 1, 0);
        _judge(judge, "judge_silu", OP_SILU, 1, 0);
        _judge(judge, "judge_pow", OP_POW, 2, 0);
        _judge(judge, "judge_softmax", OP_SOFTMAX, 3, 1);
        _judge(judge, "judge_log_softmax", OP_LOG_SOFTMAX, 3, 1);
        _judge(judge, "judge_norm", OP_NORM, 5, 2);
    }

    /// @dev A step over one element of each operand, all of them 1.7431..., on one axis where it has any.
    function _judge(IOperatorJudge judge, string memory name, uint8 code, uint8 operands, uint8 extras) private {
        bytes32 header = bytes32((uint256(F32) << 248) | (1 << 240) | (1 << 192));
        uint8 axes = operands == 1 ? 0 : 1 + operands;
        Case memory shown;
        shown.record = abi.encodePacked(code, axes == 0 ? uint8(0) : uint8(1), operands, axes + extras, header);
        shown.operands = new bytes[](operands);
        for (uint256 i = 0; i < operands; ++i) {
            shown.record = abi.encodePacked(shown.record, uint8(0), uint32(i), header);
            shown.operands[i] = abi.encodePacked(uint32(0x3fdf1f5a));
        }
        for (uint256 i = 0; i < axes + extras; ++i) {
            shown.record = abi.encodePacked(shown.record, i == axes && extras == 2 ? int64(7) : int64(1));
        }
        (shown.result, shown.factor) = (abi.encodePacked(uint32(0x49742400)), 2048);
        uint256 before = gasleft();
        Verdict verdict = judge.judge(shown);
        uint256 used = before - gasleft();
        assertTrue(verdict == Verdict.BeyondSound, name);
        emit log_named_uint(name, used);
    }

    function _measure(string memory name, function(Approx) view returns (Approx) operation, Approx a) private {
        uint256 before = gasleft();
        Approx result = operation(a);
        uint256 used = before - gasleft();
        assertTrue(!result.isZero(), name);
        emit log_named_uint(name, used);
    }
}
