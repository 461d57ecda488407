// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Comparison, IPropertyJudge} from "../interfaces/IPropertyJudge.sol";
import {Float} from "../math/Float.sol";

/// @title Exact aggregates of scores as they lie in calldata
/// @notice Scores are big-endian f32 of magnitude below 2^64: whole numbers of 2^-149 below 2^213. Nothing here rounds.
/// @dev One loop an aggregate, without calls and without branches but its end: a few dozen gas a score.
library ScoresLib {
    uint256 internal constant SCORE_BYTES = 4;

    /// @dev Bits of 2^64. Magnitudes below it are those below it in value; NaN and infinity are above.
    uint32 private constant LIMIT = 0x5f800000;

    function isInRange(uint32 bits) internal pure returns (bool) {
        return bits & 0x7fffffff < LIMIT;
    }

    /// @notice The exact sum, in units of 2^-149.
    function sum(bytes calldata scores) internal pure returns (int256 total) {
        uint256 place;
        assembly ("memory-safe") {
            place := scores.offset
            for { let end := add(place, scores.length) } lt(place, end) { place := add(place, 4) } {
                let bits := shr(224, calldataload(place))
                let magnitude := and(bits, 0x7fffffff)
                if iszero(lt(magnitude, LIMIT)) { break }
                // Subnormal numbers have no implicit bit, and the exponent of the least normal ones.
                let normal := gt(magnitude, 0x7fffff)
                let units := shl(sub(shr(23, magnitude), normal), or(and(bits, 0x7fffff), shl(23, normal)))
                let negative := shr(31, bits)
                total := add(total, add(xor(sub(0, negative), units), negative))
            }
        }
        _requireEnd(scores, place);
    }

    /// @notice The least score, in units of 2^-149.
    function least(bytes calldata scores) internal pure returns (int256) {
        uint256 place;
        int256 order = int256(uint256(LIMIT));
        assembly ("memory-safe") {
            place := scores.offset
            for { let end := add(place, scores.length) } lt(place, end) { place := add(place, 4) } {
                let bits := shr(224, calldataload(place))
                let magnitude := and(bits, 0x7fffffff)
                if iszero(lt(magnitude, LIMIT)) { break }
                let negative := shr(31, bits)
                let key := add(xor(sub(0, negative), magnitude), negative)
                order := xor(order, mul(xor(order, key), slt(key, order)))
            }
        }
        _requireEnd(scores, place);
        return order < 0 ? -Float.units(uint32(uint256(-order))) : Float.units(uint32(uint256(order)));
    }

    /// @notice How many scores compare so with `threshold`, f32 bits.
    function meeting(bytes calldata scores, Comparison comparison, uint32 threshold)
        internal
        pure
        returns (uint256 count)
    {
        uint256 place;
        // All four are `side · key > beyond`: keys are whole numbers in the order of the values.
        int256 side = comparison == Comparison.AtLeast || comparison == Comparison.Above ? int256(1) : int256(-1);
        bool inclusive = comparison == Comparison.AtLeast || comparison == Comparison.AtMost;
        int256 beyond = side * Float.order(threshold) - (inclusive ? int256(1) : int256(0));
        assembly ("memory-safe") {
            place := scores.offset
            for { let end := add(place, scores.length) } lt(place, end) { place := add(place, 4) } {
                let bits := shr(224, calldataload(place))
                let magnitude := and(bits, 0x7fffffff)
                if iszero(lt(magnitude, LIMIT)) { break }
                let negative := shr(31, bits)
                let key := add(xor(sub(0, negative), magnitude), negative)
                count := add(count, sgt(mul(side, key), beyond))
            }
        }
        _requireEnd(scores, place);
    }

    /// @notice Whether `total` compares so with `bar`.
    function compare(Comparison comparison, int256 total, int256 bar) internal pure returns (bool) {
        if (comparison == Comparison.AtLeast) return total >= bar;
        if (comparison == Comparison.AtMost) return total <= bar;
        return comparison == Comparison.Above ? total > bar : total < bar;
    }

    /// @dev A loop that stopped before the end stopped at a score that is out of range.
    function _requireEnd(bytes calldata scores, uint256 place) private pure {
        uint256 start;
        assembly ("memory-safe") {
            start := scores.offset
        }
        if (place - start >= scores.length) return;
        revert IPropertyJudge.ScoreOutOfRange((place - start) / SCORE_BYTES, Float.read(place));
    }
}
