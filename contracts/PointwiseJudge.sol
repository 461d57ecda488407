// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Verdict} from "./interfaces/IStepJudge.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import {OP_ADD, OP_MUL} from "./libraries/ConstantsLib.sol";
import {Pointwise} from "./operators/Pointwise.sol";
import {F32} from "./types/Roots.sol";

/// @title Operators on single elements that hardware computes exactly or rounds correctly
/// @notice PROTOCOL.md, section 5, "Pointwise". Codes of other families are not for it, and acquit.
contract PointwiseJudge is IOperatorJudge {
    using CaseLib for Case;

    /// @inheritdoc IOperatorJudge
    function judge(Case calldata shown) external pure returns (Verdict) {
        return _isFault(shown) ? Verdict.BeyondSound : Verdict.NoFault;
    }

    function _isFault(Case calldata shown) private pure returns (bool) {
        if (!shown.allFloating() || shown.dtypeOf(0) != F32 || shown.dtypeOf(1) != F32) return false;
        uint8 code = shown.operator();
        if (code == OP_ADD) return Pointwise.isAddFault(shown.float(1), shown.float(2), shown.float(0));
        if (code == OP_MUL) return Pointwise.isMulFault(shown.float(1), shown.float(2), shown.float(0));
        return Pointwise.isReluFault(shown.float(1), shown.float(0));
    }
}
