// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StepPlace} from "./ILimitsJudge.sol";
import {IModels, InputSpec, Model, Terms, Windows} from "./IModels.sol";
import {ModelId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {Duration, Instant} from "../types/Time.sol";

/// @title Model id -> graph, weights, numerics, ranges, windows, bonds
/// @notice Models are immutable, so every claim's parameters are fixed by the model id it names.
/// @dev Registration checks what a chain can check cheaply. A graph that cannot be judged acquits its claims; consumers
/// choose their models.
interface IModelRegistry is IModels {
    /// @param registrant zero if the model was derived
    event Registered(ModelId indexed id, address indexed registrant, Model model);
    /// @notice `id` stands for models that differ in the size of their inputs: its buckets.
    event FamilyRegistered(ModelId indexed id, address indexed registrant, ModelId[] buckets);

    /// @notice No more requests are taken. `bondHeldUntil` is zero if the model was struck: its bond is gone.
    event Closed(ModelId indexed id, Instant bondHeldUntil);
    event Struck(ModelId indexed id, address indexed striker, uint32 step, uint32 element, uint256 burnedWei, uint256 paidWei);
    /// @notice A training ended in a model that somebody had registered: from now on it is nobody's, as if it had been derived.
    /// @param isOpen whether it takes requests
    /// @param bondHeldUntil when its registrant may have the bond back
    event Adopted(ModelId indexed id, bool isOpen, Instant bondHeldUntil);
    event BondReturned(ModelId indexed id, address indexed registrant, uint256 amountWei);

    error UnknownModel(ModelId received);
    error AlreadyRegistered(ModelId received);
    error BadHeader(bytes32 received);
    error BadGraphHeader(bytes32 received);
    error BadNumericsHeader(bytes32 received);
    error BadRange(uint256 input, int64 lo, int64 hi);
    error BadBand(uint32 outputBand, uint32 slashBand);
    /// @param period which of challenge, open, collect, supply, prove (0 to 4)
    error WindowTooShort(uint256 period, uint32 received, uint32 minimum);
    error WindowTooLong(uint256 period, uint32 received, uint32 maximum);
    error MinBondGasTooLow(uint64 received, uint64 minimum);
    error BucketsOutOfRange(uint256 received, uint256 maximum);
    /// @notice Buckets of a family have the same weights.
    error OtherWeights(ModelId bucket, BundleRoot received, BundleRoot expected);
    /// @notice Buckets of a family take inputs of different lengths, in bytes.
    error SameInputLength(ModelId bucket, ModelId other, uint256 inputBytes);
    /// @notice No bucket of the family takes inputs of so many bytes. Inputs by root have none: their bucket is named.
    error NoBucket(ModelId family, uint256 inputBytes);
    error RegistrantBondTooLow(uint256 receivedWei, uint256 minimumWei);
    error NotTheTrainings(address received);
    error NotTheRegistrant(address received, address expected);
    error ModelClosed(ModelId received);
    /// @notice A training ended in this model: nobody can retire it.
    error ModelAdopted(ModelId received);
    error NotRetired(ModelId received);
    error BondHeld(Instant until);
    error NoBond(ModelId received);
    /// @notice The step can be judged at this element.
    error Judgeable(uint32 step, uint32 element);
    error WrongInputs(uint256 received, uint256 expected);
    error WrongInputLength(uint256 received, uint256 expected);
    /// @param element flat index over the concatenated inputs
    error InputOutOfRange(uint256 element, int64 received, int64 lo, int64 hi);

    /// @notice Registers `model`; anyone may. `msg.value`, at least the deployment's minimum, is the registrant's bond: the
    /// promise that every step can be judged. Returns the hash of every parameter.
    function register(Model calldata model) external payable returns (ModelId id);

    /// @notice Registrant only: no more requests are taken. The bond can be had back when whatever was asked before has
    /// had the time to end: after the longest life of a request and all windows of a dispute.
    function retire(ModelId id) external;

    /// @notice Pays the bond of a retired model to its registrant's Vault account, in its time. Anyone may call.
    function returnBond(ModelId id) external;

    /// @notice Shows a place of the model's graph that can never be judged. No more requests are taken; of the bond half
    /// is burned, half goes to the caller. What was asked before plays on, so a strike is no escape for a liar.
    function strike(ModelId id, StepPlace calldata place) external;

    /// @notice Registers a family: one id for models over the same weights, each for inputs of another length. Anyone may,
    /// over models of anyone. Returns the hash of the list.
    function registerFamily(ModelId[] calldata buckets) external returns (ModelId id);

    /// @notice Trainings only: registers `template` with other weights. It has no registrant and no bond: nobody can retire
    /// it. It is closed if the template is. Returns its id, as if it had been registered.
    /// @dev Weights are known before they have won, so anybody may have registered the same model before, and retired it, or
    /// wait with that. Hence such a model is adopted: opened again unless it was struck or the template is closed, and its
    /// registrant can do no more than have the bond back, in the time that it would have after a retirement now.
    function derive(ModelId template, BundleRoot weightsRoot) external returns (ModelId id);

    /// @notice What an order needs to know: the model that answers inline inputs of `inputBytes` bytes, which is `id`
    /// itself, or a bucket if it is a family; and its challenge window.
    function admit(ModelId id, uint256 inputBytes) external view returns (ModelId model, Duration challenge);

    /// @notice A family's buckets as they were registered; none if `id` is no family.
    function bucketsOf(ModelId id) external view returns (ModelId[] memory);

    function idOf(Model calldata model) external pure returns (ModelId id);
    function exists(ModelId id) external view returns (bool);
    function registrantOf(ModelId id) external view returns (address);
    /// @notice What is held for the model, wei.
    function bondOf(ModelId id) external view returns (uint256);
    /// @notice Whether requests are taken.
    function isOpen(ModelId id) external view returns (bool);

    /// @notice Checks inline inputs (canonical bytes of all input tensors, concatenated) against lengths and ranges, and
    /// returns their bundle root. NaN is out of every range.
    function commitInputs(ModelId id, bytes calldata inputs) external view returns (BundleRoot root);
}
