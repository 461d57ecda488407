// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What is made of the scores. Mean, Min and Sum give one number, which is compared; All compares every score.
enum Aggregate {
    Mean,
    Min,
    Sum,
    All
}

enum Comparison {
    AtLeast,
    AtMost,
    Above,
    Below
}

/// @notice What a result must have to be right.
/// @param threshold f32 bits, of magnitude below 2^64
/// @param predicate asked besides, once; zero for none
/// @param predicateGas exact gas of that call; zero without a predicate
struct Property {
    Aggregate aggregate;
    Comparison comparison;
    uint32 threshold;
    address predicate;
    uint32 predicateGas;
}

/// @notice What the scores come to.
/// @param holds whether aggregate and predicate agree that the property holds
/// @param total Mean, Sum: the exact sum of the scores, in units of 2^-149; Min: the least one, in those units; All: how
/// many scores meet the threshold
/// @param count scores
struct Outcome {
    bool holds;
    int256 total;
    uint256 count;
}

/// @title Scores, aggregates, thresholds
/// @notice Scores are committed before they are judged, so what they come to is exact though they are floating-point: an
/// f32 is a whole number of 2^-149. Nothing here rounds, and nothing here can be disputed: a false aggregate cannot be
/// claimed, since the chain makes it; a false score is a fault of its item.
interface IPropertyJudge {
    error NoScores();
    error TooManyScores(uint256 received, uint256 maximum);
    error WrongScoresLength(uint256 received, uint256 expected);
    /// @notice NaN, infinite, or of magnitude 2^64 or more.
    error ScoreOutOfRange(uint256 item, uint32 received);
    error ThresholdOutOfRange(uint32 received);
    /// @notice At least 1 with a predicate, and 0 without.
    error PredicateGasOutOfRange(uint32 received, uint32 maximum);
    error InsufficientGas(uint256 available, uint256 required);

    /// @notice Reverts unless the property can be judged.
    function requireProperty(Property calldata property) external pure;

    /// @notice Aggregates `scores` (big-endian f32, one an item) exactly, and asks the predicate if they meet the threshold.
    function judge(Property calldata property, bytes32 subject, bytes calldata scores)
        external
        view
        returns (Outcome memory);

    /// @notice Where an outcome lies between the threshold (0) and `full` (2^64), rounded down; at most 2^64. Of `All`, and
    /// where `full` is not beyond the threshold, 2^64.
    /// @param full f32 bits, of magnitude below 2^64
    function progress(Property calldata property, uint32 full, int256 total, uint256 count)
        external
        pure
        returns (uint256);
}
