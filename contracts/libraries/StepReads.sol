// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {CaseLib} from "./CaseLib.sol";
import {Layout, OperatorsLib, Shape} from "./OperatorsLib.sol";
import {StepCodec} from "./StepCodec.sol";
import {Movement} from "../operators/Movement.sol";
import {I64} from "../types/Roots.sol";

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
/// values, and leaves dtypes to the operators. A record that contradicts itself yields `false`: it cannot be judged.
library StepReads {
    function readsOf(bytes calldata record, uint256 element) internal pure returns (bool judgeable, Run[] memory runs) {
        Shape memory shape = OperatorsLib.shapeOf(StepCodec.operator(record));
        uint256 operands = StepCodec.operands(record);
        if (operands < shape.least || operands > shape.most) return (false, runs);
        if (shape.reading == Layout.Contraction) return _contracted(record, element);
        if (shape.reading == Layout.Moved) return _moved(record, element);
        if (shape.reading == Layout.Picked) return _picked(record);
        if (shape.reading == Layout.LookedUp) return _index(record, element);
        if (shape.reading == Layout.Nary) return _spread(record, element, shape.extras);
        if (shape.reading == Layout.Row) return _reduced(record, element, shape.extras);
        return _mapped(record, element, shape.extras);
    }

    /// @notice What is opened after the runs of `readsOf`: runs that follow from the committed element, from the values of
    /// those runs, or from the hint. None for most operators.
    /// @param committed bits of the committed element
    /// @param runs those of `readsOf`, with their offsets
    function readsAfter(bytes calldata record, uint256 element, uint256 committed, Run[] memory runs, int256 hint)
        internal
        pure
        returns (bool judgeable, Run[] memory late)
    {
        Layout reading = OperatorsLib.shapeOf(StepCodec.operator(record)).reading;
        if (reading == Layout.Picked) return _named(record, element, int64(uint64(committed)), hint);
        if (reading == Layout.LookedUp) return _lookedUp(record, element, runs[0].offset);
        return (true, late);
    }

    /// @dev Rows of floats, one for each element of the result, which is an i64; nothing is read of them yet.
    function _picked(bytes calldata record) private pure returns (bool, Run[] memory runs) {
        if (StepCodec.attributes(record) != 1 || StepCodec.header(record, 0).dtype() != I64) return (false, runs);
        int256 length = StepCodec.attribute(record, 0);
        if (length < 1 || !CaseLib.isFloating(StepCodec.header(record, 1).dtype())) return (false, runs);
        uint256 elements = StepCodec.header(record, 0).elements();
        return (elements * uint256(length) == StepCodec.header(record, 1).elements(), runs);
    }

    /// @dev The committed element of the row, and the hinted one; nothing if the committed index lies outside the row.
    function _named(bytes calldata record, uint256 element, int256 committed, int256 hint)
        private
        pure
        returns (bool, Run[] memory late)
    {
        int256 length = StepCodec.attribute(record, 0);
        if (committed < 0 || committed >= length) return (true, late);
        if (hint < 0 || hint >= length) return (false, late);
        late = new Run[](2);
        late[0] = Run(1, element * uint256(length) + uint256(committed), 1, 0);
        late[1] = Run(1, element * uint256(length) + uint256(hint), 1, 0);
        return (true, late);
    }

    function _index(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        uint256 axes = StepCodec.axes(record);
        if (StepCodec.attributes(record) != 3 * axes + 2) return (false, runs);
        if (!CaseLib.isInteger(StepCodec.header(record, 1).dtype())) return (false, runs);
        (bool fits, int256 first) = StepCodec.position(record, element, 0, axes);
        if (!fits || first < 0) return (false, runs);
        runs = _single(Run(1, uint256(first), 1, 0));
        return (_lieInside(record, runs), runs);
    }

    /// @dev The data under the index that lies in calldata at `offset`.
    function _lookedUp(bytes calldata record, uint256 element, uint256 offset)
        private
        pure
        returns (bool, Run[] memory late)
    {
        int256 index;
        uint256 width = StepCodec.header(record, 1).width();
        assembly ("memory-safe") {
            index := sar(sub(256, shl(3, width)), calldataload(offset))
        }
        (bool known, uint256 first) = Movement.lookedUp(record, element, index);
        if (!known || StepCodec.header(record, 2).dtype() != StepCodec.header(record, 0).dtype()) return (false, late);
        late = _single(Run(2, first, 1, 0));
        return (_lieInside(record, late), late);
    }

    function _contracted(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        uint256 axes = StepCodec.axes(record);
        uint256 operands = StepCodec.operands(record);
        if (StepCodec.attributes(record) != 1 + 4 * axes) return (false, runs);
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

    /// @dev One element of each operand, by strides.
    function _spread(bytes calldata record, uint256 element, uint256 extras)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        uint256 axes = StepCodec.axes(record);
        uint256 operands = StepCodec.operands(record);
        if (StepCodec.attributes(record) != (1 + operands) * axes + extras) return (false, runs);
        runs = new Run[](operands);
        for (uint256 i = 0; i < operands; ++i) {
            (bool fits, int256 first) = StepCodec.position(record, element, 0, axes * (i + 1));
            if (!fits || first < 0) return (false, runs);
            runs[i] = Run(i + 1, uint256(first), 1, 0);
        }
        return (_lieInside(record, runs), runs);
    }

    /// @dev The element of the same place in an operand of as many elements.
    function _mapped(bytes calldata record, uint256 element, uint256 extras)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        if (StepCodec.attributes(record) != extras) return (false, runs);
        if (StepCodec.header(record, 0).elements() != StepCodec.header(record, 1).elements()) return (false, runs);
        return (true, _single(Run(1, element, 1, 0)));
    }

    /// @dev A row of the first operand, and the element of the same place of a second one.
    function _reduced(bytes calldata record, uint256 element, uint256 extras)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        if (StepCodec.attributes(record) != 1 + extras) return (false, runs);
        int256 length = StepCodec.attribute(record, 0);
        if (length < 1) return (false, runs);
        uint256 elements = StepCodec.header(record, 0).elements();
        if (elements * uint256(length) != StepCodec.header(record, 1).elements()) return (false, runs);
        if (StepCodec.operands(record) == 2 && StepCodec.header(record, 2).elements() != elements) return (false, runs);
        runs = new Run[](StepCodec.operands(record));
        runs[0] = Run(1, element * uint256(length), uint256(length), 0);
        if (runs.length == 2) runs[1] = Run(2, element, 1, 0);
        return (true, runs);
    }

    /// @dev One source element of the result's dtype; none where a fill is read.
    function _moved(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        (bool known, uint256 slot, uint256 first) = Movement.sourceOf(record, element);
        if (!known) return (false, runs);
        uint8 dtype = StepCodec.header(record, 0).dtype();
        if (slot == 0) return (dtype == StepCodec.header(record, 1).dtype(), runs);
        runs = _single(Run(slot, first, 1, 0));
        return (dtype == StepCodec.header(record, slot).dtype() && _lieInside(record, runs), runs);
    }

    function joined(Run[] memory runs, Run[] memory late) internal pure returns (Run[] memory all) {
        if (late.length == 0) return runs;
        all = new Run[](runs.length + late.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < runs.length ? runs[i] : late[i - runs.length];
        }
    }

    function _single(Run memory run) private pure returns (Run[] memory runs) {
        runs = new Run[](1);
        runs[0] = run;
    }

    function _lieInside(bytes calldata record, Run[] memory runs) private pure returns (bool) {
        for (uint256 i = 0; i < runs.length; ++i) {
            if (runs[i].first + runs[i].count > StepCodec.header(record, runs[i].slot).elements()) return false;
        }
        return true;
    }
}
