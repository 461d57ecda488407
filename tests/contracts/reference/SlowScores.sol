// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Aggregate, Comparison} from "../../../contracts/interfaces/IPropertyJudge.sol";

/// @title Aggregates in the plainest way
/// @notice Every score as a whole number of 2^-149, by division and power; what the judge of properties is compared with. It
/// shares no code with it.
abstract contract SlowScores {
    function slowUnits(uint32 bits) internal pure returns (int256 units) {
        uint256 field = (uint256(bits) / 2 ** 23) % 256;
        uint256 fraction = uint256(bits) % 2 ** 23;
        units = field == 0 ? int256(fraction) : int256((fraction + 2 ** 23) * 2 ** (field - 1));
        if (bits / 2 ** 31 == 1) units = -units;
    }

    function slowMeets(Comparison comparison, int256 a, int256 b) internal pure returns (bool) {
        if (comparison == Comparison.AtLeast) return a >= b;
        if (comparison == Comparison.AtMost) return a <= b;
        if (comparison == Comparison.Above) return a > b;
        return a < b;
    }

    function slowOutcome(Aggregate aggregate, Comparison comparison, uint32 threshold, uint32[] memory scores)
        internal
        pure
        returns (int256 total, bool holds)
    {
        int256 bar = slowUnits(threshold);
        if (aggregate == Aggregate.Min) total = type(int256).max;
        for (uint256 i = 0; i < scores.length; ++i) {
            int256 units = slowUnits(scores[i]);
            if (aggregate == Aggregate.All) total += slowMeets(comparison, units, bar) ? int256(1) : int256(0);
            else if (aggregate == Aggregate.Min) total = units < total ? units : total;
            else total += units;
        }
        if (aggregate == Aggregate.All) return (total, total == int256(scores.length));
        if (aggregate == Aggregate.Mean) bar *= int256(scores.length);
        holds = slowMeets(comparison, total, bar);
    }
}
