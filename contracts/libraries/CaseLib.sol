// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case} from "../interfaces/IOperatorJudge.sol";
import {Formats} from "../math/Formats.sol";
import {BF16, F16, F32, I32, I64} from "../types/Roots.sol";
import {StepCodec} from "./StepCodec.sol";

/// @title Reading a case: dtypes, attributes, elements
/// @notice Slot 0 is the result, 1 and up the operands, each with one opened run. Floats of any dtype are read as f32 bits.
library CaseLib {
    function operator(Case calldata shown) internal pure returns (uint8) {
        return StepCodec.operator(shown.record);
    }

    function dtypeOf(Case calldata shown, uint256 slot) internal pure returns (uint8) {
        return StepCodec.header(shown.record, slot).dtype();
    }

    /// @notice An attribute that is the operator's own: number `index` of the last `extras`.
    function extra(Case calldata shown, uint256 extras, uint256 index) internal pure returns (int256) {
        return StepCodec.attribute(shown.record, StepCodec.attributes(shown.record) - extras + index);
    }

    /// @notice The first element that was opened of `slot`, as it is.
    function bits(Case calldata shown, uint256 slot) internal pure returns (uint256) {
        uint256 width = StepCodec.header(shown.record, slot).width();
        return uint256(bytes32(_run(shown, slot))) >> (256 - 8 * width);
    }

    /// @notice The first element that was opened of `slot`, of a floating dtype, as f32 bits.
    function float(Case calldata shown, uint256 slot) internal pure returns (uint32) {
        return Formats.widen(dtypeOf(shown, slot), bits(shown, slot));
    }

    function isFloating(uint8 dtype) internal pure returns (bool) {
        return dtype == F32 || dtype == F16 || dtype == BF16;
    }

    function isInteger(uint8 dtype) internal pure returns (bool) {
        return dtype == I64 || dtype == I32;
    }

    /// @notice Whether result and operands are floats, of any dtypes.
    function allFloating(Case calldata shown) internal pure returns (bool) {
        for (uint256 slot = 0; slot <= StepCodec.operands(shown.record); ++slot) {
            if (!isFloating(dtypeOf(shown, slot))) return false;
        }
        return true;
    }

    function _run(Case calldata shown, uint256 slot) private pure returns (bytes calldata) {
        return slot == 0 ? shown.result : shown.operands[slot - 1];
    }
}
