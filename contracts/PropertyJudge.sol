// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {IProperty} from "./interfaces/IProperty.sol";
import {Aggregate, Comparison, IPropertyJudge, Outcome, Property} from "./interfaces/IPropertyJudge.sol";
import {CallbackLib} from "./libraries/CallbackLib.sol";
import {MAX_CALLBACK_GAS, MAX_SCORES} from "./libraries/ConstantsLib.sol";
import {ScoresLib} from "./libraries/ScoresLib.sol";
import {Float} from "./math/Float.sol";

/// @title PropertyJudge
/// @notice Says what scores come to and whether that is what was asked for. Holds nothing, and knows no request and no claim.
/// @dev Totals are whole numbers of 2^-149: 16,384 scores below 2^64 sum to less than 2^227, and so does a threshold that is
/// taken as often; so a mean is compared without a division.
contract PropertyJudge is IPropertyJudge {
    uint256 private constant WHOLE = 1 << 64;

    /// @inheritdoc IPropertyJudge
    function requireProperty(Property calldata property) external pure {
        _requireProperty(property);
    }

    /// @inheritdoc IPropertyJudge
    function judge(Property calldata property, bytes32 subject, bytes calldata scores)
        external
        view
        returns (Outcome memory outcome)
    {
        _requireProperty(property);
        outcome.count = _requireScores(scores);
        (outcome.total, outcome.holds) = _aggregate(property, scores, outcome.count);
        if (outcome.holds && property.predicate != address(0)) outcome.holds = _ask(property, subject, scores);
    }

    /// @inheritdoc IPropertyJudge
    function progress(Property calldata property, uint32 full, int256 total, uint256 count)
        external
        pure
        returns (uint256)
    {
        _requireProperty(property);
        if (!ScoresLib.isInRange(full)) revert ThresholdOutOfRange(full);
        if (count == 0) revert NoScores();
        if (count > MAX_SCORES) revert TooManyScores(count, MAX_SCORES);
        if (property.aggregate == Aggregate.All) return WHOLE;

        int256 bar = _barOf(property, property.threshold, count);
        int256 span = _barOf(property, full, count) - bar;
        int256 way = total - bar;
        if (property.comparison == Comparison.AtMost || property.comparison == Comparison.Below) (span, way) = (-span, -way);
        if (span <= 0 || way >= span) return WHOLE;
        return way <= 0 ? 0 : FixedPointMathLib.fullMulDiv(uint256(way), WHOLE, uint256(span));
    }

    function _aggregate(Property calldata property, bytes calldata scores, uint256 count)
        private
        pure
        returns (int256 total, bool holds)
    {
        if (property.aggregate == Aggregate.All) {
            uint256 meeting = ScoresLib.meeting(scores, property.comparison, property.threshold);
            return (int256(meeting), meeting == count);
        }
        total = property.aggregate == Aggregate.Min ? ScoresLib.least(scores) : ScoresLib.sum(scores);
        holds = ScoresLib.compare(property.comparison, total, _barOf(property, property.threshold, count));
    }

    /// @dev What a total is compared with where `bits` are the threshold: of a mean, as often as there are scores.
    function _barOf(Property calldata property, uint32 bits, uint256 count) private pure returns (int256 bar) {
        bar = Float.units(bits);
        if (property.aggregate == Aggregate.Mean) bar *= int256(count);
    }

    /// @dev It gets exactly its gas, and one word of what it returns is read.
    function _ask(Property calldata property, bytes32 subject, bytes calldata scores) private view returns (bool) {
        bytes memory payload = abi.encodeCall(IProperty.holds, (subject, scores));
        (address predicate, uint32 predicateGas) = (property.predicate, property.predicateGas);
        CallbackLib.requireGas(predicateGas);
        uint256 answer;
        assembly ("memory-safe") {
            mstore(0, 0)
            let success := staticcall(predicateGas, predicate, add(payload, 32), mload(payload), 0, 32)
            answer := and(and(success, gt(returndatasize(), 31)), eq(mload(0), 1))
        }
        return answer != 0;
    }

    function _requireProperty(Property calldata property) private pure {
        if (!ScoresLib.isInRange(property.threshold)) revert ThresholdOutOfRange(property.threshold);
        bool asks = property.predicate != address(0);
        uint32 maximum = asks ? MAX_CALLBACK_GAS : 0;
        if ((property.predicateGas != 0) != asks || property.predicateGas > maximum) {
            revert PredicateGasOutOfRange(property.predicateGas, maximum);
        }
    }

    function _requireScores(bytes calldata scores) private pure returns (uint256 count) {
        count = scores.length / ScoresLib.SCORE_BYTES;
        if (scores.length == 0) revert NoScores();
        if (count > MAX_SCORES) revert TooManyScores(count, MAX_SCORES);
        if (scores.length % ScoresLib.SCORE_BYTES != 0) {
            revert WrongScoresLength(scores.length, count * ScoresLib.SCORE_BYTES);
        }
    }
}
