// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, InputSpec, Model} from "../interfaces/IModelRegistry.sol";
import {IPropertyJudge} from "../interfaces/IPropertyJudge.sol";
import {ITrainings, TrainingTerms} from "../interfaces/ITrainings.sol";
import {F32} from "../types/Roots.sol";
import {Duration} from "../types/Time.sol";
import {MAX_OPENED_ITEMS, MAX_SCORED_ITEMS} from "./ConstantsLib.sol";
import {ScoresLib} from "./ScoresLib.sol";

/// @title What may be asked for in a training request
/// @notice Whatever could keep a request from ending is refused here: nothing of it is looked at again.
library TrainingTermsLib {
    uint16 internal constant WHOLE = 10_000;
    Duration private constant LONGEST = Duration.wrap(30 days);

    function requireTerms(
        TrainingTerms calldata terms,
        IModelRegistry registry,
        IPropertyJudge propertyJudge,
        uint96 minFeeWei,
        uint96 minCommitFeeWei
    ) internal view {
        if (terms.feeWei < minFeeWei) revert ITrainings.FeeTooLow(terms.feeWei, minFeeWei);
        if (terms.commitFeeWei < minCommitFeeWei) {
            revert ITrainings.CommitFeeTooLow(terms.commitFeeWei, minCommitFeeWei);
        }
        if (terms.unscoredShare > WHOLE) revert ITrainings.ShareOutOfRange(terms.unscoredShare, WHOLE);
        _requirePool(terms.poolCount, terms.openCount);
        registry.admit(terms.architecture, 0);
        (, Duration challenge) = registry.admit(terms.scorer, 0);
        _requirePeriods(terms, challenge);
        if (!_isScorer(registry.model(terms.scorer), registry.model(terms.architecture))) {
            revert ITrainings.NotAScorer(terms.scorer, terms.architecture);
        }
        propertyJudge.requireProperty(terms.property);
        if (!ScoresLib.isInRange(terms.fullScore)) revert IPropertyJudge.ThresholdOutOfRange(terms.fullScore);
    }

    function _requirePool(uint32 poolCount, uint32 openCount) private pure {
        if (
            openCount == 0 || openCount > MAX_OPENED_ITEMS || poolCount % openCount != 0 || poolCount / openCount < 2
                || poolCount - openCount > MAX_SCORED_ITEMS
        ) revert ITrainings.PoolOutOfRange(poolCount, openCount);
    }

    function _requirePeriods(TrainingTerms calldata terms, Duration least) private pure {
        Duration[4] memory periods = [terms.open, terms.commit, terms.reveal, terms.claim];
        for (uint256 i = 0; i < 4; ++i) {
            uint32 length = Duration.unwrap(periods[i]);
            if (length < Duration.unwrap(least) || length > Duration.unwrap(LONGEST)) {
                revert ITrainings.PeriodOutOfRange(i, periods[i], least, LONGEST);
            }
        }
    }

    /// @dev The same weights, the same inputs in the same ranges and one more, and one f32 as output.
    function _isScorer(Model memory scorer, Model memory architecture) private pure returns (bool) {
        uint256 inputs = architecture.inputs.length;
        if (!(scorer.weightsRoot == architecture.weightsRoot) || scorer.inputs.length != inputs + 1) return false;
        for (uint256 i = 0; i < inputs; ++i) {
            if (!_isSame(scorer.inputs[i], architecture.inputs[i])) return false;
        }
        return scorer.outputHeader.dtype() == F32 && scorer.outputHeader.elements() == 1;
    }

    function _isSame(InputSpec memory one, InputSpec memory other) private pure returns (bool) {
        return one.header == other.header && one.lo == other.lo && one.hi == other.hi;
    }
}
