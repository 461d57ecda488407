// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import "./ConstantsLib.sol";

/// @notice Which contract judges an operator; `Unknown` operators are refused.
enum Family {
    Unknown,
    Step,
    Pointwise,
    Transcendental,
    Row
}

/// @notice What an element of the result reads (PROTOCOL.md, section 3).
/// Contraction: two rows, a bias. Moved: one element, or none. Picked: two elements of a row, named by the committed
/// result and by the hint. LookedUp: one element by strides, then one that it names. Nary: one element of each operand, by strides. Unary: the
/// element of the same place. Row: a row of the first operand, the element of the same place of a second.
enum Layout {
    Contraction,
    Moved,
    Picked,
    LookedUp,
    Nary,
    Unary,
    Row
}

/// @notice Operands and attributes that an operator may have.
/// @param reading what is read of them
/// @param least fewest operands; `most` the most
/// @param extras attributes after those of the layout
struct Shape {
    Layout reading;
    uint256 least;
    uint256 most;
    uint256 extras;
}

/// @title The table of operators: family, layout, operands
/// @notice The only place where codes are listed by what they are. A new family is a range in `familyOf` and a contract
/// that `StepJudge` is built with.
library OperatorsLib {
    function familyOf(uint8 code) internal pure returns (Family) {
        if (code == OP_CONTRACT || code == OP_ARGMAX || code == OP_GATHER || _moves(code)) return Family.Step;
        if (code == OP_AMAX || (code >= OP_SUM && code <= OP_EXPSUM)) return Family.Row;
        if (code == OP_ADD || code == OP_MUL || code == OP_RELU) return Family.Pointwise;
        if (code >= OP_SUB && code <= OP_WHERE && code != OP_POW) return Family.Pointwise;
        if (code >= OP_NEG && code <= OP_CAST) return Family.Pointwise;
        if (code == OP_POW || (code >= OP_EXP && code <= OP_LOG1P)) return Family.Transcendental;
        if (code >= OP_SOFTMAX && code <= OP_NORM) return Family.Transcendental;
        return Family.Unknown;
    }

    function shapeOf(uint8 code) internal pure returns (Shape memory) {
        if (code == OP_CONTRACT) return Shape(Layout.Contraction, 2, 3, 0);
        if (_moves(code)) return Shape(Layout.Moved, 1, type(uint8).max, 0);
        if (code == OP_ARGMAX) return Shape(Layout.Picked, 1, 1, 0);
        if (code == OP_GATHER) return Shape(Layout.LookedUp, 2, 2, 0);
        if (code == OP_AMAX) return Shape(Layout.Row, 1, 1, 0);
        if (code == OP_SUM) return Shape(Layout.Row, 1, 1, 2);
        if (code == OP_SPREAD) return Shape(Layout.Row, 1, 2, 4);
        if (code == OP_EXPSUM) return Shape(Layout.Row, 2, 2, 1);
        if (code == OP_CLAMP) return Shape(Layout.Unary, 1, 1, 2);
        if (code == OP_RELU || (code >= OP_NEG && code <= OP_LOG1P)) return Shape(Layout.Unary, 1, 1, 0);
        if (code == OP_COMPARE || code == OP_LOGICAL) return Shape(Layout.Nary, 2, 2, 1);
        if (code == OP_WHERE) return Shape(Layout.Nary, 3, 3, 0);
        if (code == OP_NORM) return Shape(Layout.Nary, 2, 5, 2);
        if (code == OP_SOFTMAX || code == OP_LOG_SOFTMAX) return Shape(Layout.Nary, 3, 3, 1);
        return Shape(Layout.Nary, 2, 2, 0);
    }

    function _moves(uint8 code) private pure returns (bool) {
        return code == OP_STRIDED || code == OP_CAT || code == OP_PATCHES || code == OP_PAD;
    }
}
