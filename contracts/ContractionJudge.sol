// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Verdict} from "./interfaces/IStepJudge.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import {Profiles} from "./libraries/Profiles.sol";
import {StepCodec} from "./libraries/StepCodec.sol";
import {Real, Sum} from "./math/Real.sol";
import {Contraction, Rows} from "./operators/Contraction.sol";
import {Widening} from "./operators/Widening.sol";
import {F32} from "./types/Roots.sol";

/// @title Contractions of other floats than f32, and under TF32
/// @notice Those of f32 in f32 StepJudge judges itself. Rows are made f32 first, then summed as those are.
contract ContractionJudge is IOperatorJudge {
    using CaseLib for Case;

    /// @inheritdoc IOperatorJudge
    function judge(Case calldata shown) external view returns (Verdict) {
        if (!shown.allFloating()) return Verdict.NoFault;
        bool biased = shown.operands.length == 3;
        // Called, since sums are taken of rows in calldata.
        (bool known, Sum memory sum) =
            this.sumOf(_rowOf(shown, 1), _rowOf(shown, 2), biased, biased ? shown.float(3) : 0, shown.hint);
        if (!known) return Verdict.NoFault;
        return Real.judge(
            sum, Profiles.promiseOf(shown.numericsHeader, shown.record, sum.terms), shown.float(0), shown.factor
        );
    }

    /// @notice The exact sum of products of two rows of f32 of one length, and a bias; `known` and `hint` as in `Contraction`.
    function sumOf(bytes calldata a, bytes calldata b, bool biased, uint32 bias, int256 hint)
        external
        pure
        returns (bool known, Sum memory sum)
    {
        Rows memory rows = Rows(0, 0, a.length / 4, biased, bias);
        assembly ("memory-safe") {
            mstore(rows, a.offset)
            mstore(add(rows, 0x20), b.offset)
        }
        return Contraction.sumOf(rows, hint);
    }

    function _rowOf(Case calldata shown, uint256 slot) private pure returns (bytes memory) {
        uint8 dtype = shown.dtypeOf(slot);
        bytes calldata row = shown.operands[slot - 1];
        if (dtype == F32 && Profiles.profileOf(shown.numericsHeader) != Profiles.TF32) return row;
        return Widening.wide(row, dtype, shown.numericsHeader);
    }
}
