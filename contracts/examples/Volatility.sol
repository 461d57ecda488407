// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Float} from "../math/Float.sol";

/// @title Daily returns and their volatility, read from canonical f32
/// @notice Percent, as fixed point of 10^-18.
library Volatility {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant RETURN_BYTES = 4;
    /// @dev Exponent field of 2^7: 128 percent and more are no day's return, and no forecast of one.
    uint256 private constant TOO_LARGE = 134;

    error ReturnOutOfRange(uint32 received);

    /// @notice Root of the mean square of a row of returns, rounded up. The mean, close to zero, is not taken off.
    function realised(bytes memory row) internal pure returns (uint256) {
        uint256 count = row.length / RETURN_BYTES;
        uint256 squares = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint32 bits = bitsAt(row, i);
            (bool known, uint256 size) = magnitude(bits);
            if (!known) revert ReturnOutOfRange(bits);
            squares += size * size;
        }
        return Math.sqrt(Math.ceilDiv(squares, count), Math.Rounding.Ceil);
    }

    /// @notice The row without its first return, with a new last one.
    function shifted(bytes memory row, uint32 last) internal pure returns (bytes memory next) {
        next = bytes.concat(row, bytes4(last));
        assembly ("memory-safe") {
            let length := mload(row)
            mcopy(add(next, 32), add(next, 36), length)
            mstore(next, length)
        }
    }

    /// @notice f32 bits of element `place`.
    function bitsAt(bytes memory row, uint256 place) internal pure returns (uint32 bits) {
        assembly ("memory-safe") {
            bits := shr(224, mload(add(add(row, 32), mul(place, 4))))
        }
    }

    /// @notice Size of a f32 without its sign, rounded down; not known for NaN, infinities, and from 128 on.
    function magnitude(uint32 bits) internal pure returns (bool known, uint256 size) {
        (uint256 mantissa, uint256 exponent) = Float.split(bits & 0x7fffffff);
        if (exponent >= TOO_LARGE) return (false, 0);
        return (true, (mantissa * WAD) >> (150 - exponent));
    }

    function median(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    }
}
