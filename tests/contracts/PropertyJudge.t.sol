// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PropertyJudge} from "../../contracts/PropertyJudge.sol";
import {Aggregate, Comparison, IPropertyJudge, Outcome, Property} from "../../contracts/interfaces/IPropertyJudge.sol";
import {Harness} from "./Harness.sol";
import {SlowScores} from "./reference/SlowScores.sol";

/// @notice Aggregates, thresholds and progress. What predicates may do stands in Predicates.t.sol.
contract PropertyJudgeTest is Harness, SlowScores {
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant MINUS_ONE = 0xbf800000;
    uint32 private constant TWO = 0x40000000;
    uint32 private constant HALF = 0x3f000000;
    uint32 private constant MINUS_ZERO = 0x80000000;
    uint32 private constant LEAST_SUBNORMAL = 1;
    uint32 private constant GREATEST_SUBNORMAL = 0x007fffff;
    uint32 private constant LEAST_NORMAL = 0x00800000;
    uint32 private constant GREATEST = 0x5f7fffff; // just below 2^64
    uint32 private constant TOO_GREAT = 0x5f800000; // 2^64
    int256 private constant UNIT = 2 ** 149; // 1.0

    PropertyJudge private judge;

    function setUp() public {
        judge = new PropertyJudge();
    }

    // Refusals.

    function test_judge_noScores_reverts() public {
        vm.expectRevert(IPropertyJudge.NoScores.selector);
        judge.judge(_property(Aggregate.Mean, Comparison.AtLeast, ONE), 0, "");
    }

    function test_judge_moreThanMostScores_reverts() public {
        Property memory property = _property(Aggregate.All, Comparison.AtLeast, 0);
        assertTrue(judge.judge(property, 0, new bytes(4 * 16_384)).holds, "16,384 are judged");
        vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.TooManyScores.selector, 16_385, 16_384));
        judge.judge(property, 0, new bytes(4 * 16_385));
    }

    function test_judge_brokenLength_reverts() public {
        Property memory property = _property(Aggregate.Sum, Comparison.AtLeast, ONE);
        vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.WrongScoresLength.selector, 3, 0));
        judge.judge(property, 0, new bytes(3));
        vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.WrongScoresLength.selector, 11, 8));
        judge.judge(property, 0, new bytes(11));
    }

    function test_judge_scoreOutOfRange_reverts() public {
        uint32[6] memory outside = [TOO_GREAT, 0xdf800000, 0x7f800000, 0xff800000, 0x7fc00001, 0xffffffff];
        for (uint256 a = 0; a < 4; ++a) {
            for (uint256 i = 0; i < outside.length; ++i) {
                bytes memory scores = abi.encodePacked(ONE, MINUS_ONE, outside[i], ONE);
                vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ScoreOutOfRange.selector, 2, outside[i]));
                judge.judge(_property(Aggregate(a), Comparison.AtMost, ONE), 0, scores);
            }
        }
    }

    function test_judge_scoreOutOfRange_firstAndLast_reverts() public {
        for (uint256 a = 0; a < 4; ++a) {
            Property memory property = _property(Aggregate(a), Comparison.AtMost, ONE);
            vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ScoreOutOfRange.selector, 0, TOO_GREAT));
            judge.judge(property, 0, abi.encodePacked(TOO_GREAT, ONE));
            vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ScoreOutOfRange.selector, 1, TOO_GREAT));
            judge.judge(property, 0, abi.encodePacked(GREATEST, TOO_GREAT));
        }
    }

    function test_requireProperty_thresholdOutOfRange_reverts() public {
        uint32[4] memory outside = [TOO_GREAT, 0xdf800000, 0x7fc00000, 0xff800000];
        for (uint256 i = 0; i < outside.length; ++i) {
            Property memory property = _property(Aggregate.Min, Comparison.Above, outside[i]);
            vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, outside[i]));
            judge.requireProperty(property);
            vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, outside[i]));
            judge.judge(property, 0, abi.encodePacked(ONE));
            property.threshold = ONE;
            vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.ThresholdOutOfRange.selector, outside[i]));
            judge.progress(property, outside[i], 0, 1);
        }
    }

    function test_requireProperty_predicateGasOutOfRange_reverts() public {
        Property memory property = _property(Aggregate.Mean, Comparison.AtLeast, ONE);
        judge.requireProperty(property);
        property.predicateGas = 1;
        _expectPredicateGas(property, 0);
        (property.predicate, property.predicateGas) = (address(1), 0);
        _expectPredicateGas(property, 1_000_000);
        property.predicateGas = 1_000_001;
        _expectPredicateGas(property, 1_000_000);
        property.predicateGas = 1_000_000;
        judge.requireProperty(property);
        property.predicateGas = 1;
        judge.requireProperty(property);
    }

    function test_progress_noScores_reverts() public {
        Property memory property = _property(Aggregate.Sum, Comparison.AtLeast, ONE);
        vm.expectRevert(IPropertyJudge.NoScores.selector);
        judge.progress(property, TWO, UNIT, 0);
        vm.expectRevert(abi.encodeWithSelector(IPropertyJudge.TooManyScores.selector, 16_385, 16_384));
        judge.progress(property, TWO, UNIT, 16_385);
    }

    // Exactness.

    function test_sum_cancelsToTheLastUnit() public view {
        bytes memory scores = abi.encodePacked(GREATEST, LEAST_SUBNORMAL, uint32(0xdf7fffff), LEAST_SUBNORMAL);
        Outcome memory outcome = judge.judge(_property(Aggregate.Sum, Comparison.Above, LEAST_SUBNORMAL), 0, scores);
        assertTrue(outcome.total == 2 && outcome.count == 4 && outcome.holds, "two units are left");
        outcome = judge.judge(_property(Aggregate.Sum, Comparison.Above, 2), 0, scores);
        assertTrue(!outcome.holds, "and not more");
    }

    function test_sum_subnormalsAndZeros() public view {
        bytes memory scores = abi.encodePacked(GREATEST_SUBNORMAL, LEAST_SUBNORMAL, MINUS_ZERO, uint32(0));
        Outcome memory outcome = judge.judge(_property(Aggregate.Sum, Comparison.AtLeast, LEAST_NORMAL), 0, scores);
        assertTrue(outcome.total == 2 ** 23 && outcome.holds, "the least normal number");
        scores = abi.encodePacked(uint32(0x807fffff), uint32(0x80000001));
        outcome = judge.judge(_property(Aggregate.Sum, Comparison.AtMost, 0x80800000), 0, scores);
        assertTrue(outcome.total == -(2 ** 23) && outcome.holds, "and its negative");
    }

    function test_sum_ofMostAndGreatest_isExact() public view {
        bytes memory scores = new bytes(4 * 16_384);
        for (uint256 i = 0; i < 16_384; ++i) {
            (scores[4 * i], scores[4 * i + 1]) = (0xdf, 0x7f);
            (scores[4 * i + 2], scores[4 * i + 3]) = (0xff, 0xff);
        }
        Outcome memory outcome = judge.judge(_property(Aggregate.Mean, Comparison.AtMost, 0xdf7fffff), 0, scores);
        assertTrue(outcome.total == -(16_384 * int256(2 ** 24 - 1) * 2 ** 189), "just above -2^227");
        assertTrue(outcome.holds, "a mean of equal scores is that score");
        assertTrue(
            !judge.judge(_property(Aggregate.Mean, Comparison.Below, 0xdf7fffff), 0, scores).holds, "and not below it"
        );
    }

    function test_mean_ofThirds_atEquality() public view {
        // 1, 1 and 2.5: the mean is 1.5, and no rounding says so.
        bytes memory scores = abi.encodePacked(ONE, ONE, uint32(0x40200000));
        uint32 mean = 0x3fc00000;
        assertTrue(judge.judge(_property(Aggregate.Mean, Comparison.AtLeast, mean), 0, scores).holds, "at least");
        assertTrue(judge.judge(_property(Aggregate.Mean, Comparison.AtMost, mean), 0, scores).holds, "at most");
        assertTrue(!judge.judge(_property(Aggregate.Mean, Comparison.Above, mean), 0, scores).holds, "above");
        assertTrue(!judge.judge(_property(Aggregate.Mean, Comparison.Below, mean), 0, scores).holds, "below");
        assertTrue(judge.judge(_property(Aggregate.Mean, Comparison.Above, mean - 1), 0, scores).holds, "an ulp less");
        assertTrue(!judge.judge(_property(Aggregate.Mean, Comparison.AtLeast, mean + 1), 0, scores).holds, "an ulp more");
    }

    function test_min_isTheLeastByValue() public view {
        bytes memory scores = abi.encodePacked(ONE, LEAST_SUBNORMAL, MINUS_ONE, TWO, HALF);
        Outcome memory outcome = judge.judge(_property(Aggregate.Min, Comparison.AtLeast, MINUS_ONE), 0, scores);
        assertTrue(outcome.total == -UNIT && outcome.holds && outcome.count == 5, "-1");
        scores = abi.encodePacked(ONE, GREATEST);
        assertTrue(judge.judge(_property(Aggregate.Min, Comparison.AtLeast, ONE), 0, scores).total == UNIT, "1");
        scores = abi.encodePacked(GREATEST);
        outcome = judge.judge(_property(Aggregate.Min, Comparison.AtLeast, GREATEST), 0, scores);
        assertTrue(outcome.holds && outcome.total == slowUnits(GREATEST), "the only one");
    }

    function test_zeros_areEqual() public view {
        bytes memory scores = abi.encodePacked(MINUS_ZERO);
        for (uint256 a = 0; a < 4; ++a) {
            assertTrue(judge.judge(_property(Aggregate(a), Comparison.AtLeast, 0), 0, scores).holds, "-0 is no less");
            assertTrue(!judge.judge(_property(Aggregate(a), Comparison.Below, 0), 0, scores).holds, "than 0");
            assertTrue(!judge.judge(_property(Aggregate(a), Comparison.Above, MINUS_ZERO), 0, scores).holds, "nor more");
        }
    }

    function test_all_countsWhatMeets() public view {
        bytes memory scores = abi.encodePacked(ONE, HALF, TWO, MINUS_ONE, HALF);
        uint256[4] memory expected = [uint256(4), 3, 2, 1]; // at least, at most, above, below a half
        for (uint256 c = 0; c < 4; ++c) {
            Outcome memory outcome = judge.judge(_property(Aggregate.All, Comparison(c), HALF), 0, scores);
            assertEq(uint256(outcome.total), expected[c]);
            assertTrue(!outcome.holds && outcome.count == 5, "not all");
        }
        assertTrue(judge.judge(_property(Aggregate.All, Comparison.AtMost, TWO), 0, scores).holds, "all");
    }

    /// forge-config: default.fuzz.runs = 2000
    function testFuzz_judge_matchesTheSlowWay(uint32[] memory scores, uint32 threshold, uint8 aggregate, uint8 comparison)
        public
        view
    {
        if (scores.length == 0) return;
        for (uint256 i = 0; i < scores.length; ++i) {
            scores[i] = _scoreOf(scores[i]);
        }
        // Often a threshold that is one of the scores, or their neighbour.
        threshold = threshold % 3 == 0 ? scores[threshold % scores.length] : _scoreOf(threshold);
        Property memory property = _property(Aggregate(aggregate % 4), Comparison(comparison % 4), threshold);
        Outcome memory outcome = judge.judge(property, 0, _packed(scores));
        (int256 total, bool holds) = slowOutcome(property.aggregate, property.comparison, threshold, scores);
        assertTrue(outcome.total == total, "the same total");
        assertTrue(outcome.holds == holds, "the same verdict");
        assertEq(outcome.count, scores.length);
    }

    /// @dev Every score twice, once with the other sign: only the first is left.
    function testFuzz_sum_cancels(uint32[] memory half, uint32 first) public view {
        uint32[] memory scores = new uint32[](2 * half.length + 1);
        scores[0] = first = _scoreOf(first);
        for (uint256 i = 0; i < half.length; ++i) {
            scores[1 + i] = _scoreOf(half[i]);
            scores[1 + half.length + i] = _scoreOf(half[half.length - 1 - i]) ^ 0x80000000;
        }
        Outcome memory outcome = judge.judge(_property(Aggregate.Sum, Comparison.AtLeast, first), 0, _packed(scores));
        assertTrue(outcome.total == slowUnits(first) && outcome.holds, "all others cancel");
    }

    // Progress.

    function test_progress_ofAMean() public view {
        Property memory property = _property(Aggregate.Mean, Comparison.AtLeast, ONE);
        assertEq(judge.progress(property, TWO, 3 * UNIT, 3), 0);
        assertEq(judge.progress(property, TWO, 4 * UNIT, 3), uint256(2 ** 64) / 3);
        assertEq(judge.progress(property, TWO, 6 * UNIT - 1, 3), 2 ** 64 - 1);
        assertEq(judge.progress(property, TWO, 6 * UNIT, 3), 2 ** 64);
        assertEq(judge.progress(property, TWO, 7 * UNIT, 3), 2 ** 64);
        assertEq(judge.progress(property, TWO, 2 * UNIT, 3), 0);
    }

    function test_progress_downwards() public view {
        Property memory property = _property(Aggregate.Sum, Comparison.Below, TWO);
        assertEq(judge.progress(property, ONE, 2 * UNIT, 7), 0);
        assertEq(judge.progress(property, ONE, UNIT + UNIT / 4, 7), uint256(2 ** 64) * 3 / 4);
        assertEq(judge.progress(property, ONE, 0, 7), 2 ** 64);
        property = _property(Aggregate.Min, Comparison.AtMost, TWO);
        assertEq(judge.progress(property, MINUS_ONE, UNIT / 2, 7), uint256(2 ** 63));
    }

    function test_progress_whereFullIsNotBeyond_isWhole() public view {
        assertEq(judge.progress(_property(Aggregate.Mean, Comparison.AtLeast, ONE), ONE, 0, 3), 2 ** 64);
        assertEq(judge.progress(_property(Aggregate.Mean, Comparison.Above, ONE), HALF, UNIT, 3), 2 ** 64);
        assertEq(judge.progress(_property(Aggregate.Sum, Comparison.AtMost, ONE), TWO, UNIT, 3), 2 ** 64);
        assertEq(judge.progress(_property(Aggregate.All, Comparison.AtLeast, ONE), TWO, 3, 3), 2 ** 64);
    }

    /// @dev `floor(2^64 · way / span)` by its definition, in the whole range of totals.
    function testFuzz_progress_isRoundedDown(uint32 threshold, uint32 full, uint256 count, uint256 share) public view {
        (threshold, full, count) = (_scoreOf(threshold), _scoreOf(full), bound(count, 1, 16_384));
        int256 bar = slowUnits(threshold) * int256(count);
        int256 span = slowUnits(full) * int256(count) - bar;
        Property memory property = _property(Aggregate.Mean, Comparison.AtLeast, threshold);
        if (span <= 0) return assertEq(judge.progress(property, full, bar, count), 2 ** 64);
        uint256 way = bound(share, 0, uint256(span));
        uint256 parts = judge.progress(property, full, bar + int256(way), count);
        assertLe(parts, 2 ** 64);
        // parts/2^64 <= way/span < (parts + 1)/2^64, in halves of 128 bits.
        assertTrue(!_less(way, 2 ** 64, parts, uint256(span)), "not too much");
        assertTrue(_less(way, 2 ** 64, parts + 1, uint256(span)), "not too little");
    }

    // Gas.

    function test_judge_gasPerScore_isSmall() public view {
        bytes memory few = new bytes(4);
        bytes memory many = new bytes(4 * 4_097);
        for (uint256 a = 0; a < 4; ++a) {
            Property memory property = _property(Aggregate(a), Comparison.AtLeast, 0);
            uint256 left = gasleft();
            judge.judge(property, 0, few);
            uint256 base = left - gasleft();
            left = gasleft();
            judge.judge(property, 0, many);
            // With the copy that this call makes of its own arguments.
            assertLe((left - gasleft() - base) / 4_096, 200);
        }
    }

    // Parts.

    function _property(Aggregate aggregate, Comparison comparison, uint32 threshold)
        private
        pure
        returns (Property memory)
    {
        return Property(aggregate, comparison, threshold, address(0), 0);
    }

    /// @dev In range, and of all sizes: zeros, subnormal and normal numbers up to the greatest.
    function _scoreOf(uint32 word) private pure returns (uint32) {
        uint32 magnitude = word & 0x7fffffff;
        if (word % 7 == 0) magnitude %= LEAST_NORMAL;
        else if (word % 7 == 1) magnitude = 0x3f000000 + magnitude % 0x01000000;
        return (word & MINUS_ZERO) | (magnitude % TOO_GREAT);
    }

    function _packed(uint32[] memory scores) private pure returns (bytes memory packed) {
        packed = new bytes(4 * scores.length);
        for (uint256 i = 0; i < packed.length; ++i) {
            packed[i] = bytes1(uint8(scores[i / 4] >> (24 - 8 * (i % 4))));
        }
    }

    /// @dev Whether `a · b < c · d`, `b` and `c` at most 2^65.
    function _less(uint256 a, uint256 b, uint256 c, uint256 d) private pure returns (bool) {
        (uint256 lowA, uint256 lowD) = ((a % 2 ** 128) * b, (d % 2 ** 128) * c);
        uint256 highA = (a / 2 ** 128) * b + lowA / 2 ** 128;
        uint256 highD = (d / 2 ** 128) * c + lowD / 2 ** 128;
        return highA != highD ? highA < highD : lowA % 2 ** 128 < lowD % 2 ** 128;
    }

    function _expectPredicateGas(Property memory property, uint32 maximum) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPropertyJudge.PredicateGasOutOfRange.selector, property.predicateGas, maximum)
        );
        judge.requireProperty(property);
    }
}
