// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Request, RequestBatch} from "./IInbox.sol";
import {ClaimBatchId, ClaimId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {Instant} from "../types/Time.sol";

/// @notice How sure a claim is. None: never made. Void is for children of fallen parents. Undefined is final, and says
/// that the request has no result: an honest run of it overflows.
enum Certainty {
    None,
    Provisional,
    Challenged,
    Final,
    Rejected,
    Refuted,
    Void,
    Undefined
}

/// @notice Record of claims made in one call. Its hash is the batch's id; only its state is stored.
/// @param requests the request batch that all claims lie in
/// @param first index in the request batch of the first claim
/// @param count entries, claimed or empty
/// @param root keccak positional tree over entries; the zero leaf is empty (not present, or already claimed)
/// @param bondWei locked for each live claim
/// @param eager whether each entry carries a trace root
/// @param undefined whether the entries name a step and an element that overflow, in place of an output; then `eager` too
struct ClaimBatch {
    RequestBatchId requests;
    address executor;
    uint32 first;
    uint32 count;
    bytes32 root;
    uint96 bondWei;
    Instant claimedAt;
    bool eager;
    bool undefined;
}

/// @notice One claim, shown from the two batches it lies in.
/// @param index in the claim batch
/// @param entry output (inline bytes or tensor root), or `step:u32 | element:u32` if undefined; then the trace root if eager
/// @param entryPath siblings from the entry's leaf to `claims.root`
/// @param request whose index in the request batch is `claims.first + index`
struct ClaimWitness {
    RequestBatch requests;
    ClaimBatch claims;
    uint32 index;
    bytes entry;
    bytes32[] entryPath;
    Request request;
    bytes32[] requestPath;
}

/// @title What a dispute game needs of the claims that it is about
/// @notice A claim is one entry of a claim batch, shown by a witness. The game says which claims fall; the chain of claims
/// says what that means for their bonds and for whatever they answer.
/// @dev Two contracts are disputed of: ClaimChain, whose claims answer requests, and ScoreClaims, whose claims are scores.
interface IContestable {
    // Dispute game only.

    /// @notice A claim leaves the common way because it is challenged. With an eager trace it may be refuted in the same
    /// call.
    function contest(ClaimWitness calldata witness) external returns (ClaimId id, RequestId request);

    /// @notice Nothing was proven: final not before `finalAt` nor before the batch's own window is over.
    function acquit(ClaimWitness calldata witness, Instant finalAt) external;

    /// @notice Ends a claim that is false, and moves its bond, what is left of it, to the dispute game's escrow.
    function refute(ClaimWitness calldata witness) external returns (uint96 bondWei);

    /// @notice Ends a claim that is off, but not by enough to be slashed: moves `costWei`, at most what is left of the bond,
    /// to the dispute game's escrow, and returns the rest.
    function reject(ClaimWitness calldata witness, uint256 costWei) external returns (uint256 movedWei);

    // Views.

    /// @notice Checks everything in a witness but whether its claim batch was ever made. Reverts otherwise.
    function requireWitness(ClaimWitness calldata witness) external view returns (ClaimId id, RequestId request);

    function claimBatchIdOf(ClaimBatch calldata claims) external view returns (ClaimBatchId);
    function claimIdOf(ClaimBatchId batchId, uint32 index) external pure returns (ClaimId);
}
