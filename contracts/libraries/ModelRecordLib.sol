// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IModelRegistry, Model} from "../interfaces/IModelRegistry.sol";
import {TensorHeader} from "../types/Roots.sol";
import {MerkleLib} from "./MerkleLib.sol";
import {Profiles} from "./Profiles.sol";
import {RangeLib} from "./RangeLib.sol";

/// @title What may be registered as a model, but for what a deployment fixes
/// @notice Refuses records that contradict themselves. It sees no graph and no weight.
library ModelRecordLib {
    uint32 private constant F32_INFINITY = 0x7f800000;
    uint32 private constant F32_LEAST_NORMAL = 0x00800000;

    function requireHeaders(Model calldata candidate) internal pure {
        uint256 header = uint256(candidate.graphHeader);
        bool hasSteps = uint32(header >> 160) != 0;
        if (header >> 224 == 0 || !hasSteps || uint160(header) != 0) {
            revert IModelRegistry.BadGraphHeader(candidate.graphHeader);
        }
        if (candidate.inputs.length != header >> 224) {
            revert IModelRegistry.WrongInputs(candidate.inputs.length, header >> 224);
        }
        if (!Profiles.isKnown(candidate.numericsHeader)) {
            revert IModelRegistry.BadNumericsHeader(candidate.numericsHeader);
        }
        MerkleLib.requireHeader(candidate.outputHeader);
        // The registry keeps the length in 31 bits.
        if (candidate.outputHeader.byteLength() > type(uint32).max >> 1) {
            revert IModelRegistry.BadHeader(TensorHeader.unwrap(candidate.outputHeader));
        }
        for (uint256 i = 0; i < candidate.inputs.length; ++i) {
            MerkleLib.requireHeader(candidate.inputs[i].header);
            RangeLib.requireRange(i, candidate.inputs[i]);
        }
    }

    /// @dev Bits of non-negative f32 are in the order of their values; a set sign bit is above infinity. Doubling adds
    /// one to the exponent of a normal number and shifts a subnormal one.
    function requireBands(uint32 outputBand, uint32 slashBand) internal pure {
        bool finite = outputBand < F32_INFINITY && slashBand < F32_INFINITY;
        if (!finite) revert IModelRegistry.BadBand(outputBand, slashBand);
        uint32 twice = outputBand < F32_LEAST_NORMAL ? outputBand << 1 : outputBand + F32_LEAST_NORMAL;
        if (slashBand < twice) revert IModelRegistry.BadBand(outputBand, slashBand);
    }
}
