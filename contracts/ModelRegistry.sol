// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {ILimitsJudge, StepPlace} from "./interfaces/ILimitsJudge.sol";
import {IModelRegistry, InputSpec, Model, Terms, Windows} from "./interfaces/IModelRegistry.sol";
import {IModels} from "./interfaces/IModels.sol";
import {IVault} from "./interfaces/IVault.sol";
import {FAMILY_TAG, MAX_BUCKETS, MODEL_TAG} from "./libraries/ConstantsLib.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {ModelRecordLib} from "./libraries/ModelRecordLib.sol";
import {RangeLib} from "./libraries/RangeLib.sol";
import {ModelId} from "./types/Ids.sol";
import {BundleRoot, TensorRoot} from "./types/Roots.sol";
import {currentInstant, Duration, Instant} from "./types/Time.sol";

/// @title ModelRegistry
/// @notice Keeps models as they were registered and checks inline inputs against them. It never sees a graph or a weight,
/// only their roots; the registrants' bonds lie in the Vault.
/// @dev A model's record lies in the code of a contract of its own (SSTORE2): written once, and read whole for less than
/// two storage slots, at an address that follows from the model's id. What each request and claim needs is in a slot.
contract ModelRegistry is IModelRegistry {
    /// @dev In an encoded model: the offset of the record, then fifteen words before the inputs.
    uint256 private constant RECORD_HEAD_BYTES = 0x200;

    /// @dev A model that takes no more requests has this bit set in its terms: whoever orders reads them anyway.
    uint256 private constant CLOSED = 1 << 255;
    /// @dev Inbox takes no deadline farther away.
    Duration private constant LONGEST_LIFE = Duration.wrap(30 days);

    /// @dev Who registered a model, and what is held of its bond.
    struct Registrant {
        address account;
        uint96 bondWei;
    }

    IVault public immutable VAULT;
    ILimitsJudge public immutable LIMITS_JUDGE;
    /// @notice Who may derive models.
    address public immutable TRAININGS;
    uint64 public immutable MIN_BOND_GAS;
    uint96 public immutable MIN_REGISTRANT_BOND_WEI;
    Windows private _minimum;
    Windows private _maximum;
    /// @dev `Terms` in one word, so that requests and claims read one slot: closed:u1 | outputBytes:u31 | minBondGas:u64 |
    /// challenge, open, collect, supply, prove: 5 x u32. Never zero, since no output is of zero bytes.
    mapping(ModelId id => uint256) private _terms;
    mapping(ModelId id => Registrant) private _registrants;
    /// @dev Of retired and of adopted models, from when on their bond is returned. A closed model without it was struck.
    mapping(ModelId id => Instant) private _bondHeldUntil;
    mapping(ModelId family => ModelId[]) private _buckets;
    mapping(ModelId family => mapping(uint256 inputBytes => ModelId)) private _bucketFor;

    /// @param trainings the only contract that may derive models
    /// @param minimum shortest windows a model may have, seconds: long enough for honest parties to be included by L1
    /// @param maximum longest windows, seconds: bonds and fees must not be held for ever
    /// @param minBondGas least `minBondGas` of a model: what a dispute costs whoever wins it
    /// @param minRegistrantBondWei least bond of a registrant. Stated in wei, like the other deposits of a deployment: it is
    /// to make nonsense cost something, not to pay for a certain amount of gas
    constructor(
        IVault vault,
        ILimitsJudge limitsJudge,
        address trainings,
        Windows memory minimum,
        Windows memory maximum,
        uint64 minBondGas,
        uint96 minRegistrantBondWei
    ) {
        (VAULT, LIMITS_JUDGE, TRAININGS) = (vault, limitsJudge, trainings);
        (_minimum, _maximum) = (minimum, maximum);
        (MIN_BOND_GAS, MIN_REGISTRANT_BOND_WEI) = (minBondGas, minRegistrantBondWei);
    }

    /// @inheritdoc IModelRegistry
    function register(Model calldata candidate) external payable returns (ModelId id) {
        id = idOf(candidate);
        if (exists(id)) revert AlreadyRegistered(id);
        if (msg.value < MIN_REGISTRANT_BOND_WEI) revert RegistrantBondTooLow(msg.value, MIN_REGISTRANT_BOND_WEI);
        ModelRecordLib.requireHeaders(candidate);
        ModelRecordLib.requireBands(candidate.outputBand, candidate.slashBand);
        _requireWindows(candidate.windows);
        if (candidate.minBondGas < MIN_BOND_GAS) revert MinBondGasTooLow(candidate.minBondGas, MIN_BOND_GAS);
        _terms[id] = _pack(candidate);
        // Nobody has 2^96 wei.
        _registrants[id] = Registrant(msg.sender, uint96(msg.value));
        _keep(id, candidate);
        if (msg.value != 0) VAULT.escrow{value: msg.value}();
    }

    /// @inheritdoc IModelRegistry
    function retire(ModelId id) external {
        address registrant = registrantOf(id);
        if (msg.sender != registrant) revert NotTheRegistrant(msg.sender, registrant);
        if (!isOpen(id)) revert ModelClosed(id);
        if (!_bondHeldUntil[id].isZero()) revert ModelAdopted(id);
        _terms[id] |= CLOSED;
        emit Closed(id, _release(id));
    }

    /// @inheritdoc IModelRegistry
    function returnBond(ModelId id) external {
        Instant until = _bondHeldUntil[id];
        if (until.isZero()) revert NotRetired(id);
        if (currentInstant().isBefore(until)) revert BondHeld(until);
        Registrant storage registrant = _registrants[id];
        uint256 bondWei = registrant.bondWei;
        if (bondWei == 0) revert NoBond(id);
        registrant.bondWei = 0;
        emit BondReturned(id, registrant.account, bondWei);
        VAULT.pay(registrant.account, bondWei);
    }

    /// @inheritdoc IModelRegistry
    function strike(ModelId id, StepPlace calldata place) external {
        Model memory struck = model(id);
        uint256 bondWei = _registrants[id].bondWei;
        if (bondWei == 0 && !isOpen(id)) revert ModelClosed(id);
        if (!LIMITS_JUDGE.isUnjudgeable(struck.graphRoot, struck.graphHeader, place)) {
            revert Judgeable(place.step, place.element);
        }
        (_registrants[id].bondWei, _bondHeldUntil[id]) = (0, Instant.wrap(0));
        if (isOpen(id)) {
            _terms[id] |= CLOSED;
            emit Closed(id, Instant.wrap(0));
        }
        uint256 paidWei = bondWei / 2;
        emit Struck(id, msg.sender, place.step, place.element, bondWei - paidWei, paidWei);
        if (bondWei == 0) return;
        VAULT.burn(bondWei - paidWei);
        VAULT.pay(msg.sender, paidWei);
    }

    /// @inheritdoc IModelRegistry
    /// @dev What a bucket is was checked when it was registered; its record is read for its weights and its inputs.
    function registerFamily(ModelId[] calldata buckets) external returns (ModelId id) {
        id = ModelId.wrap(keccak256(abi.encode(FAMILY_TAG, buckets)));
        if (buckets.length < 2 || buckets.length > MAX_BUCKETS) revert BucketsOutOfRange(buckets.length, MAX_BUCKETS);
        if (_buckets[id].length != 0) revert AlreadyRegistered(id);
        BundleRoot weights = model(buckets[0]).weightsRoot;
        for (uint256 i = 0; i < buckets.length; ++i) {
            Model memory bucket = model(buckets[i]);
            if (!(bucket.weightsRoot == weights)) revert OtherWeights(buckets[i], bucket.weightsRoot, weights);
            uint256 length = _lengthOf(bucket.inputs);
            ModelId other = _bucketFor[id][length];
            if (ModelId.unwrap(other) != 0) revert SameInputLength(buckets[i], other, length);
            _bucketFor[id][length] = buckets[i];
        }
        _buckets[id] = buckets;
        emit FamilyRegistered(id, msg.sender, buckets);
    }

    /// @inheritdoc IModelRegistry
    /// @dev Everything but the weights was checked when the template was registered.
    function derive(ModelId template, BundleRoot weightsRoot) external returns (ModelId id) {
        if (msg.sender != TRAININGS) revert NotTheTrainings(msg.sender);
        Model memory derived = model(template);
        derived.weightsRoot = weightsRoot;
        id = _idOf(derived);
        if (exists(id)) {
            if (!(id == template) && _registrants[id].account != address(0)) _adopt(id, template);
            return id;
        }
        _terms[id] = _terms[template];
        _keep(id, derived);
    }

    /// @inheritdoc IModelRegistry
    function admit(ModelId id, uint256 inputBytes) external view returns (ModelId, Duration) {
        uint256 word = _terms[id];
        if (word == 0) {
            id = _bucketOf(id, inputBytes);
            word = _terms[id];
        }
        if (word & CLOSED != 0) revert ModelClosed(id);
        return (id, Duration.wrap(uint32(word >> 128)));
    }

    /// @inheritdoc IModelRegistry
    function bucketsOf(ModelId id) external view returns (ModelId[] memory) {
        return _buckets[id];
    }

    /// @inheritdoc IModelRegistry
    function commitInputs(ModelId id, bytes calldata inputs) external view returns (BundleRoot root) {
        InputSpec[] memory specs = _inputsOf(id);
        TensorRoot[] memory roots = new TensorRoot[](specs.length);
        uint256 element = 0;
        uint256 start = 0;
        for (uint256 i = 0; i < specs.length; ++i) {
            uint256 end = start + specs[i].header.byteLength();
            if (end > inputs.length) revert WrongInputLength(inputs.length, _lengthOf(specs));
            bytes calldata tensor = inputs[start:end];
            RangeLib.requireWithin(specs[i], tensor, element);
            roots[i] = MerkleLib.tensorRoot(specs[i].header, tensor);
            element += tensor.length / specs[i].header.width();
            start = end;
        }
        if (start != inputs.length) revert WrongInputLength(inputs.length, start);
        return MerkleLib.bundleRoot(roots);
    }

    /// @inheritdoc IModelRegistry
    function idOf(Model calldata candidate) public pure returns (ModelId id) {
        return _idOf(candidate);
    }

    /// @inheritdoc IModels
    function model(ModelId id) public view returns (Model memory) {
        return abi.decode(SSTORE2.read(_recordOf(id)), (Model));
    }

    /// @inheritdoc IModels
    function terms(ModelId id) public view returns (Terms memory known) {
        uint256 word = _terms[id];
        if (word == 0) revert UnknownModel(id);
        known.outputBytes = uint32(word >> 224) & (type(uint32).max >> 1);
        known.minBondGas = uint64(word >> 160);
        known.windows.challenge = Duration.wrap(uint32(word >> 128));
        known.windows.open = Duration.wrap(uint32(word >> 96));
        known.windows.collect = Duration.wrap(uint32(word >> 64));
        known.windows.supply = Duration.wrap(uint32(word >> 32));
        known.windows.prove = Duration.wrap(uint32(word));
    }

    /// @inheritdoc IModelRegistry
    function exists(ModelId id) public view returns (bool) {
        return _terms[id] != 0;
    }

    /// @inheritdoc IModelRegistry
    function registrantOf(ModelId id) public view returns (address) {
        if (!exists(id)) revert UnknownModel(id);
        return _registrants[id].account;
    }

    /// @inheritdoc IModelRegistry
    function bondOf(ModelId id) external view returns (uint256) {
        return _registrants[id].bondWei;
    }

    /// @inheritdoc IModelRegistry
    function isOpen(ModelId id) public view returns (bool) {
        return exists(id) && _terms[id] & CLOSED == 0;
    }

    /// @notice The shortest and the longest windows a model may have, seconds.
    function windowLimits() external view returns (Windows memory minimum, Windows memory maximum) {
        return (_minimum, _maximum);
    }

    function _idOf(Model memory candidate) private pure returns (ModelId) {
        return ModelId.wrap(keccak256(abi.encode(MODEL_TAG, candidate)));
    }

    function _keep(ModelId id, Model memory record) private {
        SSTORE2.writeDeterministic(abi.encode(record), ModelId.unwrap(id));
        emit Registered(id, _registrants[id].account, record);
    }

    /// @dev Of what is struck nothing changes: its bond is gone, and its graph is the template's.
    function _adopt(ModelId id, ModelId template) private {
        bool closed = !isOpen(id);
        Instant until = _bondHeldUntil[id];
        if (closed && until.isZero()) return;
        if (until.isZero()) until = _release(id);
        if (closed && isOpen(template)) _terms[id] ^= CLOSED;
        emit Adopted(id, isOpen(id), until);
    }

    /// @dev From now on the model's bond waits for whatever was asked before: for the longest life of a request and all windows.
    function _release(ModelId id) private returns (Instant until) {
        Windows memory windows = terms(id).windows;
        until = currentInstant().afterwards(LONGEST_LIFE).afterwards(windows.challenge);
        until = until.afterwards(windows.open).afterwards(windows.collect).afterwards(windows.supply);
        // Acquitted claims wait for `prove` once more.
        until = until.afterwards(windows.prove).afterwards(windows.prove);
        _bondHeldUntil[id] = until;
    }

    function _bucketOf(ModelId family, uint256 inputBytes) private view returns (ModelId bucket) {
        bucket = _bucketFor[family][inputBytes];
        if (ModelId.unwrap(bucket) != 0) return bucket;
        if (_buckets[family].length == 0) revert UnknownModel(family);
        revert NoBucket(family, inputBytes);
    }

    function _pack(Model calldata candidate) private pure returns (uint256 word) {
        word = (candidate.outputHeader.byteLength() << 64) | candidate.minBondGas;
        uint32[5] memory periods = _periods(candidate.windows);
        for (uint256 i = 0; i < 5; ++i) {
            word = (word << 32) | periods[i];
        }
    }

    function _recordOf(ModelId id) private view returns (address record) {
        record = SSTORE2.predictDeterministicAddress(ModelId.unwrap(id));
        if (record.code.length == 0) revert UnknownModel(id);
    }

    /// @dev The inputs are a model's only member of variable size, hence the tail of its encoding: they are read alone,
    /// with a last word of the head that is turned into the offset which an encoded array begins with.
    function _inputsOf(ModelId id) private view returns (InputSpec[] memory) {
        bytes memory tail = SSTORE2.read(_recordOf(id), RECORD_HEAD_BYTES - 0x20);
        assembly ("memory-safe") {
            mstore(add(tail, 0x20), 0x20)
        }
        return abi.decode(tail, (InputSpec[]));
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

    function _lengthOf(InputSpec[] memory specs) private pure returns (uint256 length) {
        for (uint256 i = 0; i < specs.length; ++i) {
            length += specs[i].header.byteLength();
        }
    }
}
