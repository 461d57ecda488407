// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ModelId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {Instant} from "../types/Time.sol";

/// @notice A wish for a result. Its id is its EIP-712 digest under Inbox's domain.
/// @param requester signer, or caller of `request`; owns the escrow
/// @param nonce the requester's, without gaps, shared by signed and on-chain requests
/// @param kind 0 infer; other kinds are refused for now
/// @param inputsRoot bundle of the input tensors
/// @param property zero: the model's output itself is judged; else refused for now
/// @param parents zero: no parents; else refused for now
/// @param feeWei to the executor of the claim that becomes final
/// @param tipWei to the keeper who settles
/// @param minBondWei least bond of a claim on this request
/// @param deadline until then a claim may be made; afterwards the requester may be refunded
/// @param callback receives `onResult`; zero for none
/// @param callbackGas exact gas of that call
struct Request {
    address requester;
    uint64 nonce;
    uint8 kind;
    ModelId model;
    BundleRoot inputsRoot;
    bytes32 property;
    bytes32 parents;
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Instant deadline;
    address callback;
    uint32 callbackGas;
}

/// @notice What all requests of a batch share, and the root over their ids. Its hash is the batch's id.
/// @param lane 0: L1, one request a batch; 1: the sequencer
/// @param first index in the lane of the batch's first request
/// @param count requests in the batch, at most 512
/// @param root keccak positional tree over request ids; the zero leaf is a request that was logged empty
/// @param callback whether the batch's requests have callbacks (all or none)
struct RequestBatch {
    uint8 lane;
    uint64 first;
    uint32 count;
    bytes32 root;
    ModelId model;
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Instant deadline;
    bool callback;
}

/// @notice An on-chain request's wish.
/// @param model a model, or a family if the inputs are inline: their length says which of its buckets the request is for
/// @param inputs canonical bytes of all input tensors, concatenated; if empty, `inputsRoot` names inputs kept off chain,
/// and otherwise it is not read
struct Wish {
    ModelId model;
    bytes inputs;
    BundleRoot inputsRoot;
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Instant deadline;
    address callback;
    uint32 callbackGas;
}

/// @notice What the signed requests of one posted batch share. `model` is no family: who signs names the bucket.
struct PostTerms {
    ModelId model;
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Instant deadline;
    address callback;
    uint32 callbackGas;
}

/// @notice One signed request as posted; the rest of it stands in `PostTerms`. Inputs as in `Wish`.
/// @param signature 65 bytes r | s | v over the request's id, by an account with a key
struct Signed {
    address requester;
    uint64 nonce;
    bytes inputs;
    BundleRoot inputsRoot;
    bytes signature;
}

/// @notice Why a posted request was logged empty instead of taken. Only a taken request uses its nonce up.
enum EmptyReason {
    None,
    BadSignature,
    StaleNonce,
    Unfunded,
    BadInputs
}

/// @title Requests in order, with their fees; no world state, no execution
/// @notice Lane 0 takes one request a call from anyone, contract or not: it is the forced way in, and shifts nobody's
/// index in lane 1. Lane 1 takes batches of signed requests from the sequencer.
/// @dev A posted request that cannot be taken is logged empty, with its claimed bit set; a batch never reverts for it.
interface IInbox {
    /// @param inputs inline inputs, or empty
    event Requested(
        RequestId indexed id, RequestBatchId indexed batchId, RequestBatch batch, Request request, bytes inputs
    );
    /// @param reasons one `EmptyReason` byte per request
    event Posted(RequestBatchId indexed batchId, RequestBatch batch, PostTerms terms, Signed[] requests, bytes reasons);
    event Refunded(RequestId indexed id, RequestBatchId indexed batchId, uint32 index, uint256 amountWei);

    error NotTheSequencer(address received, address expected);
    error NotTheClaimChain(address received, address expected);
    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error DeadlineOutOfRange(Instant received, Instant earliest, Instant latest);
    error FeeTooLow(uint96 receivedWei, uint96 minimumWei);
    error BatchSizeOutOfRange(uint256 received, uint256 maximum);
    error InlineInputsTooLong(uint256 received, uint256 maximum);
    error MissingInputs();
    /// @notice Checking a posted request's inputs ran out of gas: that is no reason to log it empty.
    /// @param index of the request in the batch
    error OutOfGasForInputs(uint256 index);
    error CallbackGasOutOfRange(uint32 received, uint32 maximum);
    error UnknownRequestBatch(RequestBatchId received);
    error NotInBatch(RequestId received, uint32 index);

    /// @notice Orders one request in lane 0. `msg.value` must be fee plus tip.
    function request(Wish calldata wish) external payable returns (RequestId id, RequestBatchId batchId);

    /// @notice Sequencer only: orders signed requests in lane 1, escrowing fee plus tip from each requester's Vault balance.
    function post(PostTerms calldata terms, Signed[] calldata requests) external returns (RequestBatchId batchId);

    /// @notice Pays fee and tip back once the deadline (extended by refutations) has passed and no claim is live, or once
    /// the request was rejected three times. Anyone may call; the requester is paid.
    function refund(RequestBatch calldata batch, uint32 index, Request calldata request, bytes32[] calldata path)
        external;

    /// @notice ClaimChain only: moves `amountWei` of escrowed fees to ClaimChain's escrow.
    function release(uint256 amountWei) external;

    /// @notice Checks that `request` is number `index` of an ordered `batch`; returns its id. Reverts otherwise.
    function requireOrdered(
        RequestBatch calldata batch,
        uint32 index,
        Request calldata request,
        bytes32[] calldata path
    ) external view returns (RequestId id);

    function isOrdered(RequestBatchId batchId) external view returns (bool);
    /// @notice Whether fee and tip were paid back: no claim on the request will ever be final. Anyone may have called
    /// `refund`, so a contract that asked for somebody else learns here whose money came back.
    function isRefunded(RequestId id) external view returns (bool);
    function batchIdOf(RequestBatch calldata batch) external view returns (RequestBatchId);
    function requestIdOf(Request calldata request) external view returns (RequestId);
    function nonceOf(address requester) external view returns (uint64);
    function laneLength(uint8 lane) external view returns (uint64);
    function sequencer() external view returns (address);
}
