// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ModelId} from "../types/Ids.sol";
import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader} from "../types/Roots.sol";
import {Duration} from "../types/Time.sol";

/// @notice One input tensor and the values an honest run is promised for.
/// @param lo least value: f32 bits for a f32 input, the integer otherwise (two's complement); inclusive
/// @param hi greatest value, likewise
struct InputSpec {
    TensorHeader header;
    int64 lo;
    int64 hi;
}

/// @notice Lengths of the periods of a claim and of its dispute, in seconds.
/// @param challenge from the claim: a claim may be challenged
/// @param open from the challenge: the executor may open
/// @param collect from the opening: leaves may be demanded
/// @param supply from the end of `collect`, if any leaf was demanded: the executor may supply
/// @param prove from the end of `supply` (or of `collect`): a fault may be proven before acquittal
struct Windows {
    Duration challenge;
    Duration open;
    Duration collect;
    Duration supply;
    Duration prove;
}

/// @notice Everything registered about a model. Its id is the hash of all of it.
/// @param graphRoot ordered steps (PROTOCOL.md, "Graphs and numerics")
/// @param graphHeader inputs:u32 | weights:u32 | steps:u32 | zero:u160; the last step is the output
/// @param weightsRoot bundle of weight tensors
/// @param numericsRoot profile and one calibrated factor per step
/// @param numericsHeader profile:u8 | flags:u8 | zero:u240 (PROTOCOL.md, "Graphs and numerics")
/// @param outputHeader dtype and shape of the output
/// @param outputBand natural difference of an output element between honest kernels, f32 bits, absolute
/// @param slashBand beyond this difference of claimed and traced output a claim is slashed, f32 bits, absolute
/// @param minBondGas least bond of a claim, in gas, priced at the base fee when the claim is made
struct Model {
    GraphRoot graphRoot;
    bytes32 graphHeader;
    BundleRoot weightsRoot;
    NumericsRoot numericsRoot;
    bytes32 numericsHeader;
    InputSpec[] inputs;
    TensorHeader outputHeader;
    uint32 outputBand;
    uint32 slashBand;
    uint64 minBondGas;
    Windows windows;
}

/// @notice What orders and claims need of a model, in one read.
/// @param outputBytes bytes of the canonical output tensor
struct Terms {
    uint32 outputBytes;
    uint64 minBondGas;
    Windows windows;
}

/// @title What a dispute game needs of models
/// @notice ModelRegistry knows those that were registered; ScoreClaims also scorers with the weights that were claimed.
interface IModels {
    function model(ModelId id) external view returns (Model memory);
    function terms(ModelId id) external view returns (Terms memory);
}
