// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OP_ADD, OP_AMAX, OP_ARGMAX, OP_CONTRACT, OP_MUL, OP_RELU} from "./ConstantsLib.sol";
import {StepCodec} from "./StepCodec.sol";
import {Movement} from "../operators/Movement.sol";
import {F32, I64} from "../types/Roots.sol";

/// @notice Consecutive elements of the tensor in one slot of a step.
/// @param slot 0 the result, 1 and up the operands
/// @param first flat index of the first element
/// @param offset in calldata of its bytes, once they are shown to be the tensor's
struct Run {
    uint256 slot;
    uint256 first;
    uint256 count;
    uint256 offset;
}

/// @title What one element of a step's result is made of (PROTOCOL.md, section 3)
/// @notice From a record and an element to runs of the operands, in the order in which they are opened. It reads no
/// values. A record that contradicts itself yields `false`: it cannot be judged.
library StepReads {
    function readsOf(bytes calldata record, uint256 element) internal pure returns (bool judgeable, Run[] memory runs) {
        uint8 code = StepCodec.operator(record);
        if (code > OP_ARGMAX) return _moved(record, element);
        if (!_isFloating(record, code == OP_ARGMAX ? I64 : F32)) return (false, runs);
        if (code == OP_CONTRACT) return _contracted(record, element);
        if (code == OP_ADD || code == OP_MUL) return _paired(record, element);
        return _reduced(record, element, code == OP_RELU ? 0 : 1);
    }

    function _contracted(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        uint256 axes = StepCodec.axes(record);
        uint256 operands = StepCodec.operands(record);
        if (operands < 2 || operands > 3 || StepCodec.attributes(record) != 1 + 4 * axes) return (false, runs);
        int256 length = StepCodec.attribute(record, 0);
        // With the bias fewer than 2^16 terms.
        if (length < 1 || length + int256(operands) > 65537) return (false, runs);
        runs = new Run[](operands);
        for (uint256 i = 0; i < operands; ++i) {
            (bool fits, int256 first) = StepCodec.position(record, element, 1, 1 + axes * (i + 1));
            if (!fits || first < 0) return (false, runs);
            // Strides of a and b count whole rows, those of the bias elements.
            uint256 count = i == 2 ? 1 : uint256(length);
            runs[i] = Run(i + 1, uint256(first) * count, count, 0);
        }
        return (_lieInside(record, runs), runs);
    }

    function _paired(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        uint256 axes = StepCodec.axes(record);
        if (StepCodec.operands(record) != 2 || StepCodec.attributes(record) != 3 * axes) return (false, runs);
        runs = new Run[](2);
        for (uint256 i = 0; i < 2; ++i) {
            (bool fits, int256 first) = StepCodec.position(record, element, 0, axes * (i + 1));
            if (!fits || first < 0) return (false, runs);
            runs[i] = Run(i + 1, uint256(first), 1, 0);
        }
        return (_lieInside(record, runs), runs);
    }

    /// @dev Relu has no attribute and reads one element; amax and argmax have the row's length.
    function _reduced(bytes calldata record, uint256 element, uint256 attributes)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        if (StepCodec.operands(record) != 1 || StepCodec.attributes(record) != attributes) return (false, runs);
        int256 length = attributes == 0 ? int256(1) : StepCodec.attribute(record, 0);
        if (length < 1) return (false, runs);
        if (StepCodec.header(record, 0).elements() * uint256(length) != StepCodec.header(record, 1).elements()) {
            return (false, runs);
        }
        return (true, _single(Run(1, element * uint256(length), uint256(length), 0)));
    }

    /// @dev One source element of the result's dtype; none where `patches` reads its fill, which is a float's.
    function _moved(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        (bool known, uint256 slot, uint256 first) = Movement.sourceOf(record, element);
        if (!known) return (false, runs);
        uint8 dtype = StepCodec.header(record, 0).dtype();
        if (slot == 0) return (dtype == F32, runs);
        runs = _single(Run(slot, first, 1, 0));
        return (dtype == StepCodec.header(record, slot).dtype() && _lieInside(record, runs), runs);
    }

    function _single(Run memory run) private pure returns (Run[] memory runs) {
        runs = new Run[](1);
        runs[0] = run;
    }

    function _isFloating(bytes calldata record, uint8 result) private pure returns (bool) {
        if (StepCodec.header(record, 0).dtype() != result) return false;
        for (uint256 slot = 1; slot <= StepCodec.operands(record); ++slot) {
            if (StepCodec.header(record, slot).dtype() != F32) return false;
        }
        return true;
    }

    function _lieInside(bytes calldata record, Run[] memory runs) private pure returns (bool) {
        for (uint256 i = 0; i < runs.length; ++i) {
            if (runs[i].first + runs[i].count > StepCodec.header(record, runs[i].slot).elements()) return false;
        }
        return true;
    }
}
