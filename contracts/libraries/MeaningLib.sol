// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "./ConstantsLib.sol";
import {CaseLib} from "./CaseLib.sol";
import {StepCodec} from "./StepCodec.sol";
import {BF16, BOOL, F16, F32, I32, I64} from "../types/Roots.sol";

/// @title Whether an operator has a meaning for a step's dtypes and for the attributes that are its own
/// @notice PROTOCOL.md, section 5, "Dtypes"; the twin of `rollup/judge/dtypes.py` and of the table of operators there. A step
/// without a meaning can never be judged.
/// @dev For records with as many operands and attributes as their operator's layout has.
library MeaningLib {
    /// @dev Sets of dtypes: bit `d` for the dtype of code `d`.
    uint256 private constant FLOATS = (1 << F32) | (1 << F16) | (1 << BF16);
    uint256 private constant INTEGERS = (1 << I64) | (1 << I32);
    uint256 private constant BOOLS = 1 << BOOL;
    int256 private constant F32_END = 1 << 32;
    int256 private constant INFINITY = 0x7f800000;
    int256 private constant SIGN = 1 << 31;
    /// @dev Of a row whose sum or moments a tail is made with: so many times 2^-24 stay below 1.
    int256 private constant MAX_TERMS = 2 ** 24 - 9;

    function hasMeaning(bytes calldata record) internal pure returns (bool) {
        uint8 code = StepCodec.operator(record);
        return _haveDtypes(record, code) && _haveAttributes(record, code);
    }

    function _haveDtypes(bytes calldata record, uint8 code) private pure returns (bool) {
        if (code == OP_CAST) return true;
        uint256 given = _set(record, 0, 0);
        uint256 taken = _set(record, 1, StepCodec.operands(record));
        if (code == OP_STRIDED || code == OP_CAT || code == OP_PATCHES || code == OP_PAD) return taken == given;
        if (code == OP_GATHER) return _isIn(_set(record, 1, 1), INTEGERS) && _set(record, 2, 2) == given;
        if (code == OP_WHERE) return _set(record, 1, 1) == BOOLS && _set(record, 2, 3) == given;
        if (code == OP_COMPARE) return given == BOOLS && taken & (taken - 1) == 0;
        if (code == OP_LOGICAL || code == OP_NOT) return given | taken == BOOLS;
        if (code == OP_ARGMAX) return given == 1 << I64 && _isIn(taken, FLOATS);
        if (code == OP_AMAX) return taken == given && _isIn(given, FLOATS);
        return _isIn(given | taken, FLOATS) || (_counts(code) && taken == given && _isIn(given, INTEGERS));
    }

    /// @dev Operators that whole numbers have as well.
    function _counts(uint8 code) private pure returns (bool) {
        if (code == OP_ADD || code == OP_SUB || code == OP_MUL || code == OP_MAXIMUM || code == OP_MINIMUM) return true;
        return code == OP_NEG || code == OP_ABS || code == OP_CLAMP || code == OP_SIGN;
    }

    function _haveAttributes(bytes calldata record, uint8 code) private pure returns (bool) {
        if (code == OP_COMPARE) return _lies(_last(record, 1), 0, 5);
        if (code == OP_LOGICAL) return _lies(_last(record, 1), 0, 2);
        if (code == OP_GATHER) return _last(record, 1) >= 1;
        if (code == OP_PAD) return !_isFloating(record) || _lies(StepCodec.attribute(record, 0), 0, F32_END - 1);
        if (code == OP_CLAMP) return !_isFloating(record) || (_isEnd(_last(record, 2)) && _isEnd(_last(record, 1)));
        if (code == OP_EXPSUM) return _last(record, 1) == 1;
        if (code == OP_SUM) return _last(record, 2) >= 1 && _lies(_last(record, 1), 0, 1);
        if (code == OP_SPREAD) {
            return _last(record, 4) >= 1 && _lies(_last(record, 3), 0, INFINITY - 1) && _lies(_last(record, 2), 0, 2)
                && _lies(_last(record, 1), 0, 1);
        }
        if (code == OP_SOFTMAX || code == OP_LOG_SOFTMAX) return _lies(_last(record, 1), 1, MAX_TERMS);
        return code != OP_NORM || _isNorm(record);
    }

    /// @dev Two operands, and one for each bit of the mask.
    function _isNorm(bytes calldata record) private pure returns (bool) {
        int256 mask = _last(record, 2);
        if (!_lies(mask, 0, 7) || !_lies(_last(record, 1), 1, MAX_TERMS)) return false;
        return int256(StepCodec.operands(record)) == 2 + (mask & 1) + ((mask >> 1) & 1) + (mask >> 2);
    }

    /// @dev Bits of an f32 that is a number or infinite.
    function _isEnd(int256 bits) private pure returns (bool) {
        return _lies(bits, 0, F32_END - 1) && bits & (SIGN - 1) <= INFINITY;
    }

    function _isFloating(bytes calldata record) private pure returns (bool) {
        return CaseLib.isFloating(StepCodec.header(record, 0).dtype());
    }

    /// @dev The attribute that is number `fromEnd` from the end, 1 the last.
    function _last(bytes calldata record, uint256 fromEnd) private pure returns (int256) {
        return StepCodec.attribute(record, StepCodec.attributes(record) - fromEnd);
    }

    /// @dev Dtypes of the slots from `first` to `last`.
    function _set(bytes calldata record, uint256 first, uint256 last) private pure returns (uint256 dtypes) {
        for (uint256 slot = first; slot <= last; ++slot) {
            dtypes |= 1 << StepCodec.header(record, slot).dtype();
        }
    }

    function _isIn(uint256 dtypes, uint256 allowed) private pure returns (bool) {
        return dtypes & ~allowed == 0;
    }

    function _lies(int256 value, int256 low, int256 high) private pure returns (bool) {
        return value >= low && value <= high;
    }
}
