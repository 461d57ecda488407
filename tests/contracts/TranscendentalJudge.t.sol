// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {TranscendentalJudge} from "../../contracts/TranscendentalJudge.sol";
import {Case} from "../../contracts/interfaces/IOperatorJudge.sol";
import {Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import "../../contracts/libraries/ConstantsLib.sol";
import {BF16, F16, F32, I32} from "../../contracts/types/Roots.sol";

/// @notice What the judge of rounded operators acquits, and what it does not. Its arithmetic is tested against its twin
/// (ParityJudge.t.sol, Transcendental.t.sol).
contract TranscendentalJudgeTest is Harness {
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant TWO = 0x40000000;
    uint32 private constant HALF = 0x3f000000;
    uint32 private constant WRONG = 0x49742400;
    uint32 private constant INF = 0x7f800000;
    uint32 private constant MINUS_INF = 0xff800000;
    uint32 private constant NAN = 0x7fc00000;
    uint32 private constant MINUS = 0x80000000;
    uint32 private constant SUBNORMAL = 0x00000001;

    TranscendentalJudge private _judge = new TranscendentalJudge();

    function test_judge_integers_areAcquitted() public view {
        Case memory shown = _case(OP_EXP, I32, _words(ONE), _none());
        assertTrue(_judge.judge(shown) == Verdict.NoFault, "no float");
    }

    function test_judge_operandsThatAreNotFinite_areAcquitted() public view {
        uint32[3] memory specials = [INF, MINUS_INF, NAN];
        for (uint256 i = 0; i < 3; ++i) {
            for (uint8 code = OP_EXP; code <= OP_LOG1P; ++code) {
                assertTrue(_unary(code, specials[i], WRONG) == Verdict.NoFault, "function");
            }
            assertTrue(_verdict(OP_POW, _words(specials[i], ONE), _none(), WRONG) == Verdict.NoFault, "base");
            assertTrue(_verdict(OP_POW, _words(ONE, specials[i]), _none(), WRONG) == Verdict.NoFault, "exponent");
            assertTrue(_softmax(OP_LOG_SOFTMAX, specials[i], ONE, WRONG) == Verdict.NoFault, "x of log_softmax");
            assertTrue(_softmax(OP_SOFTMAX, ONE, specials[i], WRONG) == Verdict.NoFault, "s");
            assertTrue(_norm(0, _words(specials[i], ONE), WRONG) == Verdict.NoFault, "norm");
        }
    }

    function test_judge_operandsOutsideTheDomain_areAcquitted() public view {
        assertTrue(_unary(OP_LOG, 0, WRONG) == Verdict.NoFault, "log 0");
        assertTrue(_unary(OP_LOG, ONE | MINUS, WRONG) == Verdict.NoFault, "log -1");
        assertTrue(_unary(OP_RSQRT, 0, WRONG) == Verdict.NoFault, "rsqrt 0");
        assertTrue(_unary(OP_SQRT, ONE | MINUS, WRONG) == Verdict.NoFault, "sqrt -1");
        assertTrue(_unary(OP_LOG1P, ONE | MINUS, WRONG) == Verdict.NoFault, "log1p -1");
        assertTrue(_unary(OP_SIN, 0x47800001, WRONG) == Verdict.NoFault, "sin beyond 2^16");
        assertTrue(_verdict(OP_POW, _words(0, ONE), _none(), WRONG) == Verdict.NoFault, "0^1");
        assertTrue(_verdict(OP_POW, _words(TWO | MINUS, HALF), _none(), WRONG) == Verdict.NoFault, "(-2)^0.5");
        assertTrue(_softmax(OP_SOFTMAX, ONE, 0, WRONG) == Verdict.NoFault, "s of 0");
        assertTrue(_softmax(OP_SOFTMAX, ONE, ONE | MINUS, WRONG) == Verdict.NoFault, "s of -1");
    }

    function test_judge_attributesWithoutMeaning_areAcquitted() public view {
        int256[3] memory lengths = [int256(0), -1, 1 << 24];
        for (uint256 i = 0; i < 3; ++i) {
            assertTrue(_verdict(OP_SOFTMAX, _words(ONE, ONE, ONE), _extras(lengths[i]), WRONG) == Verdict.NoFault, "n");
            assertTrue(_verdict(OP_NORM, _words(ONE, ONE), _extras(0, lengths[i]), WRONG) == Verdict.NoFault, "n");
        }
        assertTrue(_norm(1, _words(ONE, ONE), WRONG) == Verdict.NoFault, "a mask of three operands, with two");
        assertTrue(_norm(8, _words(ONE, ONE, ONE), WRONG) == Verdict.NoFault, "an unknown bit");
        assertTrue(_norm(-1, _words(ONE, ONE, ONE, ONE, ONE), WRONG) == Verdict.NoFault, "all bits");
    }

    function test_judge_subnormalOperand_mayBeTakenForZero() public view {
        assertTrue(_unary(OP_LOG, SUBNORMAL, MINUS_INF) == Verdict.NoFault, "log");
        assertTrue(_unary(OP_RSQRT, SUBNORMAL, INF) == Verdict.NoFault, "rsqrt");
        assertTrue(_unary(OP_SQRT, SUBNORMAL, 0) == Verdict.NoFault, "sqrt");
        assertTrue(_unary(OP_SQRT, 0x00800000, 0) == Verdict.BeyondSound, "the least normal number is not");
        assertTrue(_unary(OP_LOG, SUBNORMAL, ONE) == Verdict.BeyondSound, "log is judged all the same");
    }

    function test_judge_unboundedMoments_areOnlyRejected() public view {
        // A mean of 2^11 deviations, over 2^10 elements.
        Case memory shown = _case(OP_NORM, F32, _words(0x45000000, 0x45000000, ONE), _extras(1, 1024));
        shown.result = abi.encodePacked(WRONG);
        assertTrue(_judge.judge(shown) == Verdict.NoFault, "sound");
        shown.factor = 2048;
        assertTrue(_judge.judge(shown) == Verdict.BeyondCalibrated, "calibrated");
    }

    function test_judge_wrongValues_areFaults() public view {
        for (uint8 code = OP_EXP; code <= OP_LOG1P; ++code) {
            assertTrue(_unary(code, HALF, WRONG) == Verdict.BeyondSound, "value");
            assertTrue(_unary(code, HALF, NAN) == Verdict.BeyondSound, "NaN");
        }
        assertTrue(_verdict(OP_POW, _words(TWO | MINUS, 0x40400000), _none(), 0x41000000) == Verdict.BeyondSound, "+8");
        assertTrue(_softmax(OP_SOFTMAX, ONE, TWO, ONE) == Verdict.BeyondSound, "softmax");
        assertTrue(_softmax(OP_SOFTMAX, MINUS_INF, TWO, HALF) == Verdict.BeyondSound, "masked");
        assertTrue(_norm(0, _words(TWO, HALF), TWO) == Verdict.BeyondSound, "norm");
    }

    function test_judge_rightValues_areNone() public view {
        assertTrue(_unary(OP_EXP, 0, ONE) == Verdict.NoFault, "e^0");
        assertTrue(_unary(OP_SQRT, 0x40800000, TWO) == Verdict.NoFault, "sqrt 4");
        assertTrue(_verdict(OP_POW, _words(TWO | MINUS, 0x40400000), _none(), 0xc1000000) == Verdict.NoFault, "(-2)^3");
        assertTrue(_verdict(OP_POW, _words(TWO, 0), _none(), ONE) == Verdict.NoFault, "2^0");
        assertTrue(_softmax(OP_SOFTMAX, ONE, TWO, HALF) == Verdict.NoFault, "softmax");
        assertTrue(_softmax(OP_SOFTMAX, MINUS_INF, TWO, 0) == Verdict.NoFault, "masked");
        assertTrue(_softmax(OP_LOG_SOFTMAX, ONE, ONE, 0) == Verdict.NoFault, "log_softmax");
        assertTrue(_norm(7, _words(TWO, ONE, HALF, TWO, ONE), TWO) == Verdict.NoFault, "(2 - 1) / 2 * 2 + 1");
    }

    function test_judge_narrowResults_areRoundedToTheirDtype() public view {
        // sqrt 2 in f16 is 0x3da8, in bf16 0x3fb5; two places further nobody rounds it.
        assertTrue(
            _narrow(F16, 0x4000, 0x3da8) == Verdict.NoFault && _narrow(BF16, 0x4000, 0x3fb5) == Verdict.NoFault, "right"
        );
        assertTrue(_narrow(F16, 0x4000, 0x3da9) == Verdict.BeyondSound, "f16");
        assertTrue(_narrow(BF16, 0x4000, 0x3fb6) == Verdict.BeyondSound, "bf16");
    }

    function _unary(uint8 code, uint32 x, uint32 y) private view returns (Verdict) {
        return _verdict(code, _words(x), _none(), y);
    }

    function _narrow(uint8 dtype, uint16 x, uint16 y) private view returns (Verdict) {
        Case memory shown = _case(OP_SQRT, dtype, _words(0), _none());
        (shown.operands[0], shown.result) = (abi.encodePacked(x), abi.encodePacked(y));
        return _judge.judge(shown);
    }

    /// @dev With a maximum of 1, over a row of 4.
    function _softmax(uint8 code, uint32 x, uint32 s, uint32 y) private view returns (Verdict) {
        return _verdict(code, _words(x, ONE, s), _extras(4), y);
    }

    function _norm(int256 mask, uint32[] memory operands, uint32 y) private view returns (Verdict) {
        return _verdict(OP_NORM, operands, _extras(mask, 4), y);
    }

    function _verdict(uint8 code, uint32[] memory operands, int256[] memory extras, uint32 y)
        private
        view
        returns (Verdict)
    {
        Case memory shown = _case(code, F32, operands, extras);
        shown.result = abi.encodePacked(y);
        return _judge.judge(shown);
    }

    /// @dev A step over one element of each operand, with one axis where it has any.
    function _case(uint8 code, uint8 dtype, uint32[] memory operands, int256[] memory extras)
        private
        pure
        returns (Case memory shown)
    {
        bytes32 header = bytes32((uint256(dtype) << 248) | (1 << 240) | (1 << 192));
        bool mapped = code >= OP_EXP && code <= OP_LOG1P;
        uint256 axes = mapped ? 0 : 1 + operands.length;
        bytes memory record = abi.encodePacked(
            code, mapped ? uint8(0) : uint8(1), uint8(operands.length), uint8(axes + extras.length), header
        );
        shown.operands = new bytes[](operands.length);
        for (uint256 i = 0; i < operands.length; ++i) {
            record = abi.encodePacked(record, uint8(0), uint32(i), header);
            shown.operands[i] = abi.encodePacked(operands[i]);
        }
        for (uint256 i = 0; i < axes; ++i) {
            record = abi.encodePacked(record, int64(1));
        }
        for (uint256 i = 0; i < extras.length; ++i) {
            record = abi.encodePacked(record, int64(extras[i]));
        }
        shown.record = record;
        shown.result = abi.encodePacked(WRONG);
    }

    function _none() private pure returns (int256[] memory) {}

    function _extras(int256 a) private pure returns (int256[] memory extras) {
        extras = new int256[](1);
        extras[0] = a;
    }

    function _extras(int256 a, int256 b) private pure returns (int256[] memory extras) {
        extras = new int256[](2);
        (extras[0], extras[1]) = (a, b);
    }

    function _words(uint32 a) private pure returns (uint32[] memory words) {
        words = new uint32[](1);
        words[0] = a;
    }

    function _words(uint32 a, uint32 b) private pure returns (uint32[] memory words) {
        words = new uint32[](2);
        (words[0], words[1]) = (a, b);
    }

    function _words(uint32 a, uint32 b, uint32 c) private pure returns (uint32[] memory words) {
        words = new uint32[](3);
        (words[0], words[1], words[2]) = (a, b, c);
    }

    function _words(uint32 a, uint32 b, uint32 c, uint32 d, uint32 e) private pure returns (uint32[] memory words) {
        words = new uint32[](5);
        (words[0], words[1], words[2], words[3], words[4]) = (a, b, c, d, e);
    }
}
