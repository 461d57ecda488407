// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IClaimChain} from "./interfaces/IClaimChain.sol";
import {EmptyReason, IInbox, PostTerms, Request, RequestBatch, Signed, Wish} from "./interfaces/IInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {MAX_BATCH, MAX_CALLBACK_GAS, MAX_INLINE_INPUT_BYTES, REQUEST_BATCH_TAG} from "./libraries/ConstantsLib.sol";
import {REQUEST_TYPEHASH} from "./libraries/IdsLib.sol";
import {KeccakTree} from "./libraries/KeccakTree.sol";
import {ModelId, RequestBatchId, RequestId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {Duration, Instant, currentInstant} from "./types/Time.sol";

/// @title Inbox
/// @notice Puts requests in order, checks signatures, nonces and inline inputs, and escrows fees and tips. It executes
/// nothing and knows nothing of claims beyond what ClaimChain tells it to release.
/// @dev One slot per request batch. Vault, ModelRegistry and ClaimChain are this system's own and call nobody back here,
/// so no call below can be re-entered.
contract Inbox is IInbox, EIP712 {
    uint8 private constant L1_LANE = 0;
    uint8 private constant SEQUENCER_LANE = 1;
    Duration private constant MAX_LIFE = Duration.wrap(30 days);

    IVault public immutable VAULT;
    IModelRegistry public immutable MODELS;
    IClaimChain public immutable CLAIM_CHAIN;
    address public immutable sequencer;
    uint96 public immutable MIN_FEE_WEI;

    mapping(address requester => uint64) public nonceOf;
    mapping(uint8 lane => uint64) public laneLength;
    mapping(RequestBatchId batchId => bool) public isOrdered;
    mapping(RequestId id => bool) public isRefunded;

    /// @param claimChain needs no code yet: it points back here, so its address is computed before it is deployed
    constructor(IVault vault, IModelRegistry models, IClaimChain claimChain, address sequencer_, uint96 minFeeWei)
        EIP712("ANH", "1")
    {
        (VAULT, MODELS, CLAIM_CHAIN) = (vault, models, claimChain);
        (sequencer, MIN_FEE_WEI) = (sequencer_, minFeeWei);
    }

    /// @inheritdoc IInbox
    function request(Wish calldata wish) external payable returns (RequestId id, RequestBatchId batchId) {
        uint256 dueWei = uint256(wish.feeWei) + wish.tipWei;
        if (msg.value != dueWei) revert WrongPayment(msg.value, dueWei);
        PostTerms memory terms = _termsOf(wish);
        terms.model = _requireTerms(terms, wish.inputs.length);
        BundleRoot root = _commitInline(terms.model, wish);
        Request memory ordered = _requestOf(terms, msg.sender, nonceOf[msg.sender]++, root);
        id = _idOf(ordered);
        RequestBatch memory batch = _batchOf(terms, L1_LANE, 1, RequestId.unwrap(id));
        batchId = _order(batch);
        emit Requested(id, batchId, batch, ordered, wish.inputs);
        VAULT.escrow{value: dueWei}();
    }

    /// @inheritdoc IInbox
    function post(PostTerms calldata terms, Signed[] calldata requests) external returns (RequestBatchId batchId) {
        if (msg.sender != sequencer) revert NotTheSequencer(msg.sender, sequencer);
        uint256 size = requests.length;
        if (size == 0 || size > MAX_BATCH) revert BatchSizeOutOfRange(size, MAX_BATCH);
        // No request's inputs speak for all: a batch names no family.
        _requireTerms(terms, 0);
        bytes32[] memory ids = new bytes32[](size);
        bytes memory reasons = new bytes(size);
        uint256[2] memory empty;
        for (uint256 i = 0; i < size; ++i) {
            (RequestId id, EmptyReason reason) = _take(terms, requests[i], i);
            ids[i] = RequestId.unwrap(id);
            reasons[i] = bytes1(uint8(reason));
            if (reason != EmptyReason.None) empty[i / 256] |= 1 << (i % 256);
        }
        RequestBatch memory batch = _batchOf(terms, SEQUENCER_LANE, uint32(size), KeccakTree.keccakRoot(ids));
        batchId = _order(batch);
        emit Posted(batchId, batch, terms, requests, reasons);
        if (empty[0] | empty[1] != 0) CLAIM_CHAIN.logEmpty(batchId, empty);
    }

    /// @inheritdoc IInbox
    /// @dev ClaimChain says whether it is time; it also sets the bit that makes a second refund impossible.
    function refund(RequestBatch calldata batch, uint32 index, Request calldata refunded, bytes32[] calldata path)
        external
    {
        RequestBatchId batchId = batchIdOf(batch);
        RequestId id = _requireOrdered(batchId, batch, index, refunded, path);
        CLAIM_CHAIN.retire(batch, index, id);
        uint256 amountWei = uint256(batch.feeWei) + batch.tipWei;
        isRefunded[id] = true;
        emit Refunded(id, batchId, index, amountWei);
        VAULT.pay(refunded.requester, amountWei);
    }

    /// @inheritdoc IInbox
    function release(uint256 amountWei) external {
        if (msg.sender != address(CLAIM_CHAIN)) revert NotTheClaimChain(msg.sender, address(CLAIM_CHAIN));
        VAULT.move(msg.sender, amountWei);
    }

    /// @inheritdoc IInbox
    function requireOrdered(
        RequestBatch calldata batch,
        uint32 index,
        Request calldata ordered,
        bytes32[] calldata path
    ) external view returns (RequestId id) {
        return _requireOrdered(batchIdOf(batch), batch, index, ordered, path);
    }

    /// @inheritdoc IInbox
    /// @dev `keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, address(this), batch))`: the words of a record
    /// without dynamic members lie in memory just as they are encoded.
    function batchIdOf(RequestBatch memory batch) public view returns (RequestBatchId id) {
        bytes32 tag = REQUEST_BATCH_TAG;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, tag)
            mstore(add(free, 0x20), chainid())
            mstore(add(free, 0x40), address())
            mcopy(add(free, 0x60), batch, 0x140)
            id := keccak256(free, 0x1a0)
        }
    }

    /// @inheritdoc IInbox
    function requestIdOf(Request calldata any) external view returns (RequestId) {
        return _idOf(any);
    }

    /// @dev Takes one signed request: uses its nonce up and locks its fee and tip, or says why not and changes nothing.
    function _take(PostTerms calldata terms, Signed calldata signed, uint256 index)
        private
        returns (RequestId, EmptyReason)
    {
        RequestId none;
        (BundleRoot root, bool good) = _commitSigned(terms.model, signed, index);
        if (!good) return (none, EmptyReason.BadInputs);
        RequestId id = _idOf(_requestOf(terms, signed.requester, signed.nonce, root));
        if (!_isSigned(id, signed)) return (none, EmptyReason.BadSignature);
        if (signed.nonce != nonceOf[signed.requester]) return (none, EmptyReason.StaleNonce);
        uint256 dueWei = uint256(terms.feeWei) + terms.tipWei;
        if (VAULT.balanceOf(signed.requester) < dueWei) return (none, EmptyReason.Unfunded);
        ++nonceOf[signed.requester];
        VAULT.lock(signed.requester, dueWei);
        return (id, EmptyReason.None);
    }

    /// @dev Appends `batch` to its lane, whose next index it carries.
    function _order(RequestBatch memory batch) private returns (RequestBatchId batchId) {
        batchId = batchIdOf(batch);
        laneLength[batch.lane] = batch.first + batch.count;
        isOrdered[batchId] = true;
    }

    /// @return model the model that is asked: a bucket where a family was named
    function _requireTerms(PostTerms memory terms, uint256 inputBytes) private view returns (ModelId model) {
        if (terms.feeWei < MIN_FEE_WEI) revert FeeTooLow(terms.feeWei, MIN_FEE_WEI);
        bool called = terms.callback != address(0);
        uint32 gasLimit = called ? MAX_CALLBACK_GAS : 0;
        if (terms.callbackGas > gasLimit || (called && terms.callbackGas == 0)) {
            revert CallbackGasOutOfRange(terms.callbackGas, gasLimit);
        }
        Duration challenge;
        (model, challenge) = MODELS.admit(terms.model, inputBytes);
        Instant earliest = currentInstant().afterwards(challenge);
        Instant latest = currentInstant().afterwards(MAX_LIFE);
        if (terms.deadline.isBefore(earliest) || latest.isBefore(terms.deadline)) {
            revert DeadlineOutOfRange(terms.deadline, earliest, latest);
        }
    }

    function _commitInline(ModelId model, Wish calldata wish) private view returns (BundleRoot) {
        uint256 length = wish.inputs.length;
        if (length > MAX_INLINE_INPUT_BYTES) revert InlineInputsTooLong(length, MAX_INLINE_INPUT_BYTES);
        if (length != 0) return MODELS.commitInputs(model, wish.inputs);
        if (wish.inputsRoot.isZeroBundle()) revert MissingInputs();
        return wish.inputsRoot;
    }

    /// @dev The registry refuses with reasons of its own; a refusal without any is a lack of gas, by which a sequencer
    /// could otherwise log good requests empty.
    function _commitSigned(ModelId model, Signed calldata signed, uint256 index)
        private
        view
        returns (BundleRoot root, bool good)
    {
        uint256 length = signed.inputs.length;
        if (length > MAX_INLINE_INPUT_BYTES) return (root, false);
        if (length == 0) return (signed.inputsRoot, !signed.inputsRoot.isZeroBundle());
        try MODELS.commitInputs(model, signed.inputs) returns (BundleRoot committed) {
            return (committed, true);
        } catch (bytes memory reason) {
            if (reason.length == 0) revert OutOfGasForInputs(index);
            return (root, false);
        }
    }

    function _isSigned(RequestId id, Signed calldata signed) private pure returns (bool) {
        (address signer, ECDSA.RecoverError failure,) =
            ECDSA.tryRecoverCalldata(RequestId.unwrap(id), signed.signature);
        return failure == ECDSA.RecoverError.NoError && signer == signed.requester;
    }

    function _requireOrdered(
        RequestBatchId batchId,
        RequestBatch calldata batch,
        uint32 index,
        Request calldata ordered,
        bytes32[] calldata path
    ) private view returns (RequestId id) {
        if (!isOrdered[batchId]) revert UnknownRequestBatch(batchId);
        id = _idOf(ordered);
        bytes32 root = KeccakTree.keccakPath(RequestId.unwrap(id), index, batch.count, path);
        if (root != batch.root) revert NotInBatch(id, index);
    }

    /// @dev The struct's hash is `keccak256(abi.encode(REQUEST_TYPEHASH, any))`, as in `batchIdOf`.
    function _idOf(Request memory any) private view returns (RequestId) {
        bytes32 typeHash = REQUEST_TYPEHASH;
        bytes32 structHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            mcopy(add(free, 0x20), any, 0x1a0)
            structHash := keccak256(free, 0x1c0)
        }
        return RequestId.wrap(_hashTypedDataV4(structHash));
    }

    function _termsOf(Wish calldata wish) private pure returns (PostTerms memory terms) {
        terms.model = wish.model;
        terms.feeWei = wish.feeWei;
        terms.tipWei = wish.tipWei;
        terms.minBondWei = wish.minBondWei;
        terms.deadline = wish.deadline;
        terms.callback = wish.callback;
        terms.callbackGas = wish.callbackGas;
    }

    /// @dev Kind, property and parents stay zero: to infer, judged by the model itself, from nobody's output.
    function _requestOf(PostTerms memory terms, address requester, uint64 nonce, BundleRoot inputsRoot)
        private
        pure
        returns (Request memory made)
    {
        made.requester = requester;
        made.nonce = nonce;
        made.model = terms.model;
        made.inputsRoot = inputsRoot;
        made.feeWei = terms.feeWei;
        made.tipWei = terms.tipWei;
        made.minBondWei = terms.minBondWei;
        made.deadline = terms.deadline;
        made.callback = terms.callback;
        made.callbackGas = terms.callbackGas;
    }

    /// @dev The batch that comes next in `lane`.
    function _batchOf(PostTerms memory terms, uint8 lane, uint32 count, bytes32 root)
        private
        view
        returns (RequestBatch memory batch)
    {
        batch.lane = lane;
        batch.first = laneLength[lane];
        batch.count = count;
        batch.root = root;
        batch.model = terms.model;
        batch.feeWei = terms.feeWei;
        batch.tipWei = terms.tipWei;
        batch.minBondWei = terms.minBondWei;
        batch.deadline = terms.deadline;
        batch.callback = terms.callback != address(0);
    }
}
