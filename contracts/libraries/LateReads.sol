// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Layout, OperatorsLib} from "./OperatorsLib.sol";
import {Run, Runs} from "./Runs.sol";
import {StepCodec} from "./StepCodec.sol";
import {Integers} from "../operators/Integers.sol";
import {Movement} from "../operators/Movement.sol";

/// @title What is opened in two rounds: argmax and gather (PROTOCOL.md, section 3)
/// @notice First runs that follow from the record, then runs that follow from the committed element, from the first ones'
/// values, or from the hint.
library LateReads {
    /// @notice Whether an operator opens anything after its first runs.
    function isLate(uint8 code) internal pure returns (bool) {
        Layout reading = OperatorsLib.shapeOf(code).reading;
        return reading == Layout.Picked || reading == Layout.LookedUp;
    }

    /// @notice What is opened after the first runs: runs that follow from the committed element, from the first element
    /// that was opened, or from the hint. None for most operators.
    /// @param committed bits of the committed element; `opened` of the first element of the first run, if there is one
    function runsOf(bytes calldata record, uint256 element, uint256 committed, uint256 opened, int256 hint)
        internal
        pure
        returns (bool judgeable, Run[] memory late)
    {
        Layout reading = OperatorsLib.shapeOf(StepCodec.operator(record)).reading;
        if (reading == Layout.Picked) return _named(record, element, int64(uint64(committed)), hint);
        if (reading == Layout.LookedUp) return _lookedUp(record, element, opened);
        return (true, late);
    }

    /// @notice Rows, one for each element of the result; nothing is read of them yet.
    function picked(bytes calldata record) internal pure returns (bool, Run[] memory runs) {
        if (StepCodec.attributes(record) != 1) return (false, runs);
        int256 length = StepCodec.attribute(record, 0);
        if (length < 1) return (false, runs);
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

    /// @notice The index, by strides.
    function index(bytes calldata record, uint256 element) internal pure returns (bool, Run[] memory runs) {
        uint256 axes = StepCodec.axes(record);
        if (StepCodec.attributes(record) != 3 * axes + 2) return (false, runs);
        (bool fits, int256 first) = StepCodec.position(record, element, 0, axes);
        if (!fits || first < 0) return (false, runs);
        runs = Runs.single(Run(1, uint256(first), 1, 0));
        return (Runs.lieInside(record, runs), runs);
    }

    /// @dev The data under an index, given as its bits.
    function _lookedUp(bytes calldata record, uint256 element, uint256 bits)
        private
        pure
        returns (bool, Run[] memory late)
    {
        int256 place = Integers.numberOf(StepCodec.header(record, 1).dtype(), bits);
        (bool known, uint256 first) = Movement.lookedUp(record, element, place);
        if (!known) return (false, late);
        late = Runs.single(Run(2, first, 1, 0));
        return (Runs.lieInside(record, late), late);
    }
}
