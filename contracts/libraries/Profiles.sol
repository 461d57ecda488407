// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Promise} from "../math/Real.sol";
import {F32} from "../types/Roots.sol";
import {StepCodec} from "./StepCodec.sol";

/// @title Numerics headers (PROTOCOL.md, 2.4): what arithmetic a model's executors promise
/// @notice `profile:u8 | flags:u8 | 0:u16 | samples:u32 | digest:24`. Flags: bit 0 blocked sums, bits 1 and 2 how TF32
/// cuts operands.
library Profiles {
    uint8 internal constant FP32 = 1;
    uint8 internal constant TF32 = 2;
    uint8 internal constant TENSOR_16 = 3;
    uint8 internal constant NEAREST_EVEN = 0;
    uint8 internal constant NEAREST_AWAY = 1;
    uint8 internal constant TOWARD_ZERO = 2;

    function profileOf(bytes32 header) internal pure returns (uint8) {
        return uint8(header[0]);
    }

    function roundingOf(bytes32 header) internal pure returns (uint8) {
        return uint8(header[1]) >> 1;
    }

    /// @notice Whether a header is one that this version knows.
    function isKnown(bytes32 header) internal pure returns (bool) {
        uint8 profile = profileOf(header);
        if (profile < FP32 || profile > TENSOR_16 || uint16(uint256(header >> 224)) != 0) return false;
        return roundingOf(header) <= (profile == TF32 ? TOWARD_ZERO : 0);
    }

    /// @notice What hardware promises of a contraction of `terms` terms.
    function promiseOf(bytes32 header, bytes calldata record, uint256 terms) internal pure returns (Promise memory) {
        uint256 digits = digitsOf(header, StepCodec.header(record, 1).dtype(), StepCodec.header(record, 2).dtype());
        return Promise(StepCodec.header(record, 0).dtype(), countOf(header, terms), digits);
    }

    /// @notice Roundings that a term of a sum of `terms` may pass through.
    function countOf(bytes32 header, uint256 terms) internal pure returns (uint256) {
        // Terms are fewer than 2^16.
        unchecked {
            uint256 blocked = (terms + 15) / 16 + 8;
            return uint8(header[1]) & 1 == 1 && blocked < terms ? blocked : terms;
        }
    }

    /// @notice Errors of a contraction of operands of these dtypes are units of `2^-digits`: tensor cores cut what they add.
    function digitsOf(bytes32 header, uint8 a, uint8 b) internal pure returns (uint256) {
        uint8 profile = profileOf(header);
        return profile == TF32 || (profile == TENSOR_16 && a != F32 && b != F32) ? 22 : 24;
    }
}
