// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, IContestable} from "./IContestable.sol";
import {RequestBatch} from "./IInbox.sol";
import {ClaimBatchId, ClaimId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {Instant} from "../types/Time.sol";

/// @notice A claim that was challenged: it left its batch and lives on alone.
/// @param finalAt after acquittal, not final before this
struct Contested {
    Certainty certainty;
    Instant finalAt;
    uint96 bondWei;
}

/// @title Bonded claims, their certainty, finality and callbacks
/// @notice Owns leases, the claimed bitmap, bonds, certainty, settlement and callbacks. At most one claim per request is
/// ever final and paid.
/// @dev A claim batch lies inside one request batch, so its model, fee, tip and deadline are checked on chain when it is
/// made. A lease covers a whole request batch; a reopened request is leased and claimed singly. A claim that falls reopens
/// its request: refuted, at twice the minimum bond; rejected, without its executor.
interface IClaimChain is IContestable {
    event Leased(RequestBatchId indexed requests, uint32 indexed scope, address indexed lessee, Instant until, uint256 depositWei);
    /// @param data entries of the claims, in order of index, for the set bits of `presence`
    /// @param live bits that became claims (present and not claimed before)
    event Claimed(
        ClaimBatchId indexed id, ClaimBatch batch, RequestBatch requests, uint256[2] presence, uint256[2] live, bytes data
    );
    event Finalised(ClaimBatchId indexed id, uint32 live, address keeper);
    event ContestedFinalised(ClaimId indexed id, address keeper);
    event Challenged(ClaimId indexed id, ClaimBatchId indexed batchId, uint32 index);
    event Acquitted(ClaimId indexed id, Instant finalAt);
    event Refuted(ClaimId indexed id, RequestId indexed request);
    event Rejected(ClaimId indexed id, RequestId indexed request);
    event Reopened(RequestId indexed request, RequestBatchId indexed requests, uint32 index, uint32 attempts, Instant deadline);
    event CallbackSent(RequestId indexed request, ClaimId indexed claim, Certainty certainty, uint64 sequence);
    event CallbackFailed(RequestId indexed request, ClaimId indexed claim, Certainty certainty, uint64 sequence);
    /// @param url where GET /blobs/{hash} is served
    event EndpointAnnounced(address indexed executor, string url);

    error UnknownRequestBatch(RequestBatchId received);
    error NotTheLessee(address received, address expected);
    error LeaseHeld(address lessee, Instant until);
    error LeaseExpired(Instant until);
    error DeadlinePassed(Instant deadline);
    error RangeOutOfBatch(uint256 first, uint256 count, uint256 size);
    error WrongDataLength(uint256 received, uint256 expected);
    error BondTooLow(uint256 receivedWei, uint256 minimumWei);
    error NothingToClaim();
    error ReopenedIsClaimedSingly(uint32 index);
    error NotReopened(uint32 index);
    error ExcludedExecutor(address executor, RequestId request);
    error WrongCertainty(Certainty received, Certainty expected);
    error WindowOpen(Instant until);
    error WindowOver(Instant until);
    error NotTheDisputeGame(address received);
    error NotTheInbox(address received);
    error NotInClaims(uint32 index);
    error ClaimIsLive(RequestBatchId requests, uint32 index);
    error NotYetRefundable(Instant deadline);
    error AlreadyContested(ClaimId received);
    error AlreadySettled(ClaimId received);
    error NothingToRetry(ClaimId received);
    error NoCallback(RequestId received);
    error InsufficientGas(uint256 available, uint256 required);
    error EndpointTooLong(uint256 received, uint256 maximum);

    /// @notice Takes the exclusive right to claim `batch` for the lease term, against a deposit per unclaimed request.
    /// `msg.value` is added to the caller's Vault balance first. What an expired lease left unclaimed is burned.
    /// @param scope 0 for the whole batch; index + 1 for one reopened request
    function lease(RequestBatch calldata batch, uint32 scope) external payable;

    /// @notice Claims requests `first .. first + count` of `batch`, those whose presence bit is set.
    /// @param presence bit i of word i / 256 is request `first + i`
    /// @param data entries of the present requests, in order, each of the model's entry length
    /// @dev Bits already claimed are skipped. Locks `bondWei` per live claim from the caller's Vault balance.
    function claim(
        RequestBatch calldata batch,
        uint32 first,
        uint32 count,
        uint256[2] calldata presence,
        bytes calldata data,
        bool eager,
        uint96 bondWei
    ) external payable returns (ClaimBatchId id);

    /// @notice Claims that request `index` of `batch` has no result: in an honest run of it, an element of a step is the
    /// first to overflow though all that it is made of is finite (PROTOCOL.md, "Undefined"). Final, it is paid like any
    /// other, and the requester is told `Undefined`.
    /// @param entry `step:u32 | element:u32 | trace root`: 40 bytes. Of steps after the named one the trace has zero roots
    function claimUndefined(RequestBatch calldata batch, uint32 index, bytes calldata entry, uint96 bondWei)
        external
        payable
        returns (ClaimBatchId id);

    /// @notice Makes all unchallenged claims of a batch final in one step, whatever its size: pays fees, unlocks bonds,
    /// and pays the tips of requests without callbacks to the caller.
    function finalise(RequestBatch calldata requests, ClaimBatch calldata claims) external;

    /// @notice Makes one acquitted claim final.
    function finaliseContested(ClaimWitness calldata witness) external;

    /// @notice Fires the callbacks of final claims, in pages. The caller earns each tip once, whether the callback
    /// succeeds or not. A batch that may be finalised and was not is finalised on the way. In a page of several, a claim
    /// that is settled already is passed over.
    function settle(ClaimWitness[] calldata witnesses) external;

    /// @notice Fires the `Refuted` callback of one claim. No tip.
    function announce(ClaimWitness calldata witness) external;

    /// @notice Fires again a callback that failed. Anyone may; no tip.
    function retry(ClaimWitness calldata witness) external;

    /// @notice Says where the caller serves blobs. Only logged.
    function announceEndpoint(string calldata url) external;

    // Inbox only.

    /// @notice Sets the claimed bits of requests that were logged empty.
    function logEmpty(RequestBatchId requests, uint256[2] calldata bits) external;

    /// @notice Sets the claimed bit of a request that is refunded; reverts while a claim is live or may still be made.
    function retire(RequestBatch calldata batch, uint32 index, RequestId request) external;

    // Views.

    /// @notice Certainty of claim `index` of a batch, and the seconds until it can be final (0 if now or never).
    function certaintyOf(ClaimBatch calldata claims, uint32 index)
        external
        view
        returns (Certainty certainty, uint256 secondsLeft);

    function contested(ClaimId id) external view returns (Contested memory);
    function claimedBits(RequestBatchId requests, uint256 word) external view returns (uint256);
    /// @notice How often claims on the request ended in refutation or rejection; each refutation doubles its
    /// minimum bond.
    function attemptsOf(RequestBatchId requests, uint32 index) external view returns (uint32 refutations, uint32 rejections);
    function leaseOf(RequestBatchId requests, uint32 scope) external view returns (address lessee, Instant until, uint256 depositWei);
    /// @notice Least bond of a claim now, wei.
    function minimumBond(RequestBatch calldata batch, uint32 attempts) external view returns (uint256);
}
