// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Run} from "../libraries/Runs.sol";

/// @title What one element of a step's result is made of (PROTOCOL.md, section 3)
/// @notice From a record and an element to the runs of operands that a proof opens, in order, after the result's element.
interface IStepReader {
    /// @notice Runs that follow from the record alone.
    /// @param record canonical bytes of a step, of the length that it says, with proper headers
    /// @return judgeable false where the record contradicts itself
    function readsOf(bytes calldata record, uint256 element) external pure returns (bool judgeable, Run[] memory runs);

    /// @notice Runs that are opened after those: they follow from the committed element, from the first element that was
    /// opened, or from the hint. None for most operators.
    /// @param committed bits of the committed element; `opened` of the first element of the first run, if there is one
    function readsAfter(bytes calldata record, uint256 element, uint256 committed, uint256 opened, int256 hint)
        external
        pure
        returns (bool judgeable, Run[] memory late);
}
