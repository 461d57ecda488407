// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IStepReader} from "./interfaces/IStepReader.sol";
import {LateReads} from "./libraries/LateReads.sol";
import {Run} from "./libraries/Runs.sol";
import {StepReads} from "./libraries/StepReads.sol";

/// @title What one element of a step's result is made of
/// @notice Of every operator. A contract of its own because StepJudge has no room for it.
contract StepReader is IStepReader {
    /// @inheritdoc IStepReader
    function readsOf(bytes calldata record, uint256 element) external pure returns (bool judgeable, Run[] memory runs) {
        return StepReads.readsOf(record, element);
    }

    /// @inheritdoc IStepReader
    function readsAfter(bytes calldata record, uint256 element, uint256 committed, uint256 opened, int256 hint)
        external
        pure
        returns (bool judgeable, Run[] memory late)
    {
        return LateReads.runsOf(record, element, committed, opened, hint);
    }
}
