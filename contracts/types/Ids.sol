// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// Names of things on the log. Each is a hash of content, so a reorg cannot redirect a call that carries one,
// and each has a type of its own, so that a claim's name does not fit where a request's name belongs.

/// @notice EIP-712 digest of a signed or on-chain request (binds chain id and Inbox through the domain).
type RequestId is bytes32;

/// @notice Hash of a request batch's header, bound to chain id and Inbox.
type RequestBatchId is bytes32;

/// @notice Hash of a claim batch's record, bound to chain id and ClaimChain.
type ClaimBatchId is bytes32;

/// @notice Hash of a claim batch's id and the claim's index in it.
type ClaimId is bytes32;

/// @notice Hash of every registered parameter of a model.
type ModelId is bytes32;

using {sameRequest as ==} for RequestId global;
using {sameRequestBatch as ==} for RequestBatchId global;
using {sameClaimBatch as ==} for ClaimBatchId global;
using {sameClaim as ==} for ClaimId global;
using {sameModel as ==} for ModelId global;

function sameRequest(RequestId a, RequestId b) pure returns (bool) {
    return RequestId.unwrap(a) == RequestId.unwrap(b);
}

function sameRequestBatch(RequestBatchId a, RequestBatchId b) pure returns (bool) {
    return RequestBatchId.unwrap(a) == RequestBatchId.unwrap(b);
}

function sameClaimBatch(ClaimBatchId a, ClaimBatchId b) pure returns (bool) {
    return ClaimBatchId.unwrap(a) == ClaimBatchId.unwrap(b);
}

function sameClaim(ClaimId a, ClaimId b) pure returns (bool) {
    return ClaimId.unwrap(a) == ClaimId.unwrap(b);
}

function sameModel(ModelId a, ModelId b) pure returns (bool) {
    return ModelId.unwrap(a) == ModelId.unwrap(b);
}
