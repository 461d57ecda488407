// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StepCodec} from "./StepCodec.sol";

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

/// @title Lists of runs
library Runs {
    /// @notice `runs`, then `late`.
    function joined(Run[] memory runs, Run[] memory late) internal pure returns (Run[] memory all) {
        if (late.length == 0) return runs;
        all = new Run[](runs.length + late.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < runs.length ? runs[i] : late[i - runs.length];
        }
    }

    function single(Run memory run) internal pure returns (Run[] memory runs) {
        runs = new Run[](1);
        runs[0] = run;
    }

    /// @notice Whether every run lies inside its operand.
    function lieInside(bytes calldata record, Run[] memory runs) internal pure returns (bool) {
        for (uint256 i = 0; i < runs.length; ++i) {
            if (runs[i].first + runs[i].count > StepCodec.header(record, runs[i].slot).elements()) return false;
        }
        return true;
    }
}
