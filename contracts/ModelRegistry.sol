// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {IModelRegistry, InputSpec, Model, Terms, Windows} from "./interfaces/IModelRegistry.sol";
import {MODEL_TAG} from "./libraries/ConstantsLib.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {RangeLib} from "./libraries/RangeLib.sol";
import {ModelId} from "./types/Ids.sol";
import {BundleRoot, TensorHeader, TensorRoot} from "./types/Roots.sol";
import {Duration} from "./types/Time.sol";

/// @title ModelRegistry
/// @notice Keeps models as they were registered and checks inline inputs against them. It never sees a graph or a weight,
/// only their roots, and holds no wei.
/// @dev A model's record lies in the code of a contract of its own (SSTORE2): written once, and read whole for less than
/// two storage slots. What each request and claim needs is kept apart in `Entry`.
contract ModelRegistry is IModelRegistry {
    /// @param outputBytes never zero: a model with zero here was never registered
    /// @param record holds `abi.encode(Model)` as its code
    struct Entry {
        address registrant;
        uint32 outputBytes;
        uint64 minBondGas;
        Windows windows;
        address record;
    }

    /// @dev Profile 1 (fp32), no flags.
    bytes32 private constant NUMERICS_HEADER = bytes32(uint256(1) << 248);
    uint32 private constant F32_INFINITY = 0x7f800000;
    uint32 private constant F32_LEAST_NORMAL = 0x00800000;

    uint64 public immutable MIN_BOND_GAS;
    Windows private _minimum;
    Windows private _maximum;
    mapping(ModelId id => Entry) private _entries;

    /// @param minimum shortest windows a model may have, seconds: long enough for honest parties to be included by L1
    /// @param maximum longest windows, seconds: bonds and fees must not be held for ever
    /// @param minBondGas least `minBondGas` of a model: what a dispute costs whoever wins it
    constructor(Windows memory minimum, Windows memory maximum, uint64 minBondGas) {
        (_minimum, _maximum) = (minimum, maximum);
        MIN_BOND_GAS = minBondGas;
    }

    /// @inheritdoc IModelRegistry
    function register(Model calldata candidate) external returns (ModelId id) {
        id = idOf(candidate);
        if (exists(id)) revert AlreadyRegistered(id);
        _requireHeaders(candidate);
        _requireBands(candidate.outputBand, candidate.slashBand);
        _requireWindows(candidate.windows);
        if (candidate.minBondGas < MIN_BOND_GAS) revert MinBondGasTooLow(candidate.minBondGas, MIN_BOND_GAS);
        _entries[id] = Entry({
            registrant: msg.sender,
            outputBytes: uint32(candidate.outputHeader.byteLength()),
            minBondGas: candidate.minBondGas,
            windows: candidate.windows,
            record: SSTORE2.write(abi.encode(candidate))
        });
        emit Registered(id, msg.sender, candidate);
    }

    /// @inheritdoc IModelRegistry
    function commitInputs(ModelId id, bytes calldata inputs) external view returns (BundleRoot root) {
        InputSpec[] memory specs = model(id).inputs;
        _requireLength(specs, inputs.length);
        TensorRoot[] memory roots = new TensorRoot[](specs.length);
        uint256 element = 0;
        uint256 start = 0;
        for (uint256 i = 0; i < specs.length; ++i) {
            uint256 end = start + specs[i].header.byteLength();
            bytes calldata tensor = inputs[start:end];
            RangeLib.requireWithin(specs[i], tensor, element);
            roots[i] = MerkleLib.tensorRoot(specs[i].header, tensor);
            element += specs[i].header.elements();
            start = end;
        }
        return MerkleLib.bundleRoot(roots);
    }

    /// @inheritdoc IModelRegistry
    function idOf(Model calldata candidate) public pure returns (ModelId id) {
        return ModelId.wrap(keccak256(abi.encode(MODEL_TAG, candidate)));
    }

    /// @inheritdoc IModelRegistry
    function model(ModelId id) public view returns (Model memory) {
        return abi.decode(SSTORE2.read(_known(id).record), (Model));
    }

    /// @inheritdoc IModelRegistry
    function terms(ModelId id) external view returns (Terms memory) {
        Entry storage entry = _known(id);
        return Terms({outputBytes: entry.outputBytes, minBondGas: entry.minBondGas, windows: entry.windows});
    }

    /// @inheritdoc IModelRegistry
    function exists(ModelId id) public view returns (bool) {
        return _entries[id].outputBytes != 0;
    }

    /// @inheritdoc IModelRegistry
    function registrantOf(ModelId id) external view returns (address) {
        return _known(id).registrant;
    }

    /// @notice The shortest and the longest windows a model may have, seconds.
    function windowLimits() external view returns (Windows memory minimum, Windows memory maximum) {
        return (_minimum, _maximum);
    }

    function _known(ModelId id) private view returns (Entry storage entry) {
        entry = _entries[id];
        if (entry.outputBytes == 0) revert UnknownModel(id);
    }

    function _requireHeaders(Model calldata candidate) private pure {
        uint256 header = uint256(candidate.graphHeader);
        bool hasSteps = uint32(header >> 160) != 0;
        if (header >> 224 == 0 || !hasSteps || uint160(header) != 0) revert BadGraphHeader(candidate.graphHeader);
        if (candidate.inputs.length != header >> 224) revert WrongInputs(candidate.inputs.length, header >> 224);
        if (candidate.numericsHeader != NUMERICS_HEADER) revert BadNumericsHeader(candidate.numericsHeader);
        MerkleLib.requireHeader(candidate.outputHeader);
        if (candidate.outputHeader.byteLength() > type(uint32).max) {
            revert BadHeader(TensorHeader.unwrap(candidate.outputHeader));
        }
        for (uint256 i = 0; i < candidate.inputs.length; ++i) {
            MerkleLib.requireHeader(candidate.inputs[i].header);
            RangeLib.requireRange(i, candidate.inputs[i]);
        }
    }

    /// @dev Bits of non-negative f32 are in the order of their values; a set sign bit is above infinity. Doubling adds
    /// one to the exponent of a normal number and shifts a subnormal one.
    function _requireBands(uint32 outputBand, uint32 slashBand) private pure {
        if (outputBand >= F32_INFINITY || slashBand >= F32_INFINITY) revert BadBand(outputBand, slashBand);
        uint32 twice = outputBand < F32_LEAST_NORMAL ? outputBand << 1 : outputBand + F32_LEAST_NORMAL;
        if (slashBand < twice) revert BadBand(outputBand, slashBand);
    }

    function _requireWindows(Windows calldata windows) private view {
        uint32[5] memory received = _periods(windows);
        uint32[5] memory least = _periods(_minimum);
        uint32[5] memory most = _periods(_maximum);
        for (uint256 i = 0; i < 5; ++i) {
            if (received[i] < least[i]) revert WindowTooShort(i, received[i], least[i]);
            if (received[i] > most[i]) revert WindowTooLong(i, received[i], most[i]);
        }
    }

    function _periods(Windows memory windows) private pure returns (uint32[5] memory) {
        return [
            Duration.unwrap(windows.challenge),
            Duration.unwrap(windows.open),
            Duration.unwrap(windows.collect),
            Duration.unwrap(windows.supply),
            Duration.unwrap(windows.prove)
        ];
    }

    function _requireLength(InputSpec[] memory specs, uint256 received) private pure {
        uint256 expected = 0;
        for (uint256 i = 0; i < specs.length; ++i) {
            expected += specs[i].header.byteLength();
        }
        if (received != expected) revert WrongInputLength(received, expected);
    }
}
