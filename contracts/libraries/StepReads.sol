// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MAX_ROW} from "./ConstantsLib.sol";
import {LateReads} from "./LateReads.sol";
import {MeaningLib} from "./MeaningLib.sol";
import {Layout, OperatorsLib, Shape} from "./OperatorsLib.sol";
import {Run, Runs} from "./Runs.sol";
import {StepCodec} from "./StepCodec.sol";
import {Movement} from "../operators/Movement.sol";

/// @title What one element of a step's result is made of (PROTOCOL.md, section 3)
/// @notice From a record and an element to runs of the operands, in the order in which they are opened. It reads no
/// values. A record that contradicts itself, or that its operator has no meaning for, yields `false`: it cannot be judged.
library StepReads {
    function readsOf(bytes calldata record, uint256 element) internal pure returns (bool judgeable, Run[] memory runs) {
        (judgeable, runs) = _laidOut(record, element);
        if (judgeable) judgeable = MeaningLib.hasMeaning(record);
    }

    /// @notice The same, of a record that is known to be a contraction.
    function contracted(bytes calldata record, uint256 element)
        internal
        pure
        returns (bool judgeable, Run[] memory runs)
    {
        (judgeable, runs) = _contracted(record, element);
        if (judgeable) judgeable = MeaningLib.hasMeaning(record);
    }

    function _laidOut(bytes calldata record, uint256 element) private pure returns (bool judgeable, Run[] memory runs) {
        Shape memory shape = OperatorsLib.shapeOf(StepCodec.operator(record));
        uint256 operands = StepCodec.operands(record);
        if (operands < shape.least || operands > shape.most) return (false, runs);
        if (shape.reading == Layout.Contraction) return _contracted(record, element);
        if (shape.reading == Layout.Moved) return _moved(record, element);
        if (shape.reading == Layout.Picked) return LateReads.picked(record);
        if (shape.reading == Layout.LookedUp) return LateReads.index(record, element);
        if (shape.reading == Layout.Nary) return _spread(record, element, shape.extras);
        if (shape.reading == Layout.Row) return _reduced(record, element, shape.extras);
        return _mapped(record, element, shape.extras);
    }

    /// @dev Two rows, and the element of the bias.
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
        return (Runs.lieInside(record, runs), runs);
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
        return (Runs.lieInside(record, runs), runs);
    }

    /// @dev The element of the same place in an operand of as many elements.
    function _mapped(bytes calldata record, uint256 element, uint256 extras)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        if (StepCodec.attributes(record) != extras) return (false, runs);
        if (StepCodec.header(record, 0).elements() != StepCodec.header(record, 1).elements()) return (false, runs);
        return (true, Runs.single(Run(1, element, 1, 0)));
    }

    /// @dev A row of the first operand, and the element of the same place of a second one.
    function _reduced(bytes calldata record, uint256 element, uint256 extras)
        private
        pure
        returns (bool, Run[] memory runs)
    {
        if (StepCodec.attributes(record) != 1 + extras) return (false, runs);
        int256 length = StepCodec.attribute(record, 0);
        if (length < 1 || length > int256(MAX_ROW)) return (false, runs);
        uint256 elements = StepCodec.header(record, 0).elements();
        if (elements * uint256(length) != StepCodec.header(record, 1).elements()) return (false, runs);
        if (StepCodec.operands(record) == 2 && StepCodec.header(record, 2).elements() != elements) {
            return (false, runs);
        }
        runs = new Run[](StepCodec.operands(record));
        runs[0] = Run(1, element * uint256(length), uint256(length), 0);
        if (runs.length == 2) runs[1] = Run(2, element, 1, 0);
        return (true, runs);
    }

    /// @dev One source element; none where a fill is read.
    function _moved(bytes calldata record, uint256 element) private pure returns (bool, Run[] memory runs) {
        (bool known, uint256 slot, uint256 first) = Movement.sourceOf(record, element);
        if (!known || slot == 0) return (known, runs);
        runs = Runs.single(Run(slot, first, 1, 0));
        return (Runs.lieInside(record, runs), runs);
    }
}
