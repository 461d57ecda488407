// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch} from "./IContestable.sol";
import {ClaimBatchId, ModelId, RequestId} from "../types/Ids.sol";
import {Instant} from "../types/Time.sol";

/// @notice A wish for a text.
/// @param scorer a registered model that takes the whole text, prompt and new tokens (i64 or i32 [1, T]) and, if sampled, one
/// uniform f32 a new token ([1, n]); gives one f32 score a new token ([1, n]): greedy, the token's logit less the
/// greatest; sampled, by how much the uniform lies inside the token's part of the distribution (negative: outside)
/// @param prompt canonical bytes of the first T - n tokens
/// @param newTokens n
/// @param sampled whether the beacon's seed selects the tokens; else the likeliest are
/// @param delta f32 bits, not negative: every score must be at least -delta. At most half of the scorer's output band, which
/// is 8 times the natural difference of honest kernels
struct GenerationTerms {
    ModelId scorer;
    bytes prompt;
    uint32 newTokens;
    bool sampled;
    uint32 delta;
    uint96 feeWei;
    uint96 minBondWei;
    Instant deadline;
    address callback;
    uint32 callbackGas;
}

/// @notice A generation request as it was made. Its hash is its id, a `RequestId` of its own kind; calls carry it.
struct Generation {
    address requester;
    uint64 nonce;
    Instant requestedAt;
    GenerationTerms terms;
}

/// @notice Open: to be drawn for, taken and claimed. Claimed: a claim stands. Final, Refunded: ended.
enum GenerationStatus {
    None,
    Open,
    Claimed,
    Final,
    Refunded
}

/// @param seed of the uniforms; zero until drawn
/// @param anchor the beacon is the hash of the block after it
/// @param executor whose claim stands; zero if there is none
/// @param lessee who alone may claim, until `leasedUntil`
/// @param attempts claims that fell
/// @param output keccak256 of the claimed tokens; zero if there is no claim
/// @param heard whether the callback was fired and succeeded
struct GenerationState {
    GenerationStatus status;
    uint64 anchor;
    address executor;
    bytes32 seed;
    address lessee;
    Instant leasedUntil;
    Instant deadline;
    uint32 attempts;
    ClaimBatchId claim;
    bytes32 output;
    bool heard;
}

/// @title Texts generated on request, checked in one pass
/// @notice A text is made token by token and checked whole: one pass of the scorer over prompt and answer gives every new
/// token's margin, and the property is that none lies below -delta. The chain takes the least margin itself; a false margin
/// is a fault like any other, of the one item that the claim of scores has.
interface IGenerations {
    event GenerationRequested(RequestId indexed id, address indexed requester, Generation generation);
    event Drawn(RequestId indexed id, bytes32 seed, uint64 anchor);
    event Taken(RequestId indexed id, address indexed lessee, Instant until, uint256 depositWei);
    /// @notice Both as they were claimed: of more than 16 scores the claim itself holds only a root, and whoever checks a text
    /// must not depend on its executor for what to check.
    event Generated(RequestId indexed id, address indexed executor, ClaimBatchId claim, bytes tokens, bytes scores);
    event GenerationFinal(RequestId indexed id, address indexed executor, ClaimBatchId claim);
    event GenerationReopened(RequestId indexed id, ClaimBatchId claim, Certainty fallen, Instant deadline);
    event GenerationRefunded(RequestId indexed id, uint256 amountWei);
    event CallbackSent(RequestId indexed id, ClaimBatchId claim);
    event CallbackFailed(RequestId indexed id, ClaimBatchId claim);

    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error UnknownGeneration(RequestId received);
    error WrongGenerationStatus(GenerationStatus received, GenerationStatus expected);
    error NotATextScorer(ModelId received);
    error WrongPromptLength(uint256 received, uint256 expected);
    error TextTooLong(uint256 receivedBytes, uint256 maximumBytes);
    error DeltaOutOfRange(uint32 received, uint32 maximum);
    error DeadlineOutOfRange(Instant received, Instant earliest, Instant latest);
    error FeeTooLow(uint96 receivedWei, uint96 minimumWei);
    error CallbackGasOutOfRange(uint32 received, uint32 maximum);
    error BeaconNotReady(uint64 anchor);
    error NotDrawn();
    error AlreadyDrawn();
    /// @notice The tokens of a greedy request are the likeliest: it has no seed.
    error NothingToDraw();
    error LeaseHeld(address lessee, Instant until);
    error NotTheLessee(address received, address expected);
    error LeaseExpired(Instant until);
    /// @notice A claim of this executor on the request was rejected.
    error ExcludedExecutor(address received, RequestId id);
    error DeadlinePassed(Instant deadline);
    error WrongTokensLength(uint256 received, uint256 expected);
    error MarginMissed(int256 least);
    error NotFinal(Certainty received);
    error WrongClaim(ClaimBatchId received, ClaimBatchId expected);
    error WrongOutput(bytes32 received, bytes32 expected);
    error NotYetRefundable(Instant deadline);
    error NothingToSend();

    /// @notice Asks for a text. `msg.value` must be the fee.
    function request(GenerationTerms calldata terms) external payable returns (RequestId id);

    /// @notice Fixes the seed of a sampled request from the hash of the block after its anchor; if that hash is out of the
    /// chain's reach, moves the anchor to this block. Anyone may.
    function draw(Generation calldata generation) external;

    /// @notice Takes the exclusive right to claim for the lease term, against the system's lease deposit from the caller's
    /// Vault balance (to which `msg.value` is added): returned with a claim, burned when somebody takes the lapsed lease.
    /// Not for an executor whose claim on the request was rejected.
    function take(Generation calldata generation) external payable;

    /// @notice The lessee only: claims the text. Reverts unless every score is at least -delta. The scores are the scorer's
    /// output on prompt, tokens and, if sampled, uniforms.
    /// @param tokens canonical bytes of the new tokens
    /// @param scores canonical bytes of the scorer's output
    function claim(Generation calldata generation, bytes calldata tokens, bytes calldata scores, uint96 bondWei)
        external
        payable
        returns (ClaimBatchId id);

    /// @notice Opens a request again whose claim fell: its deadline is at least one challenge window and lease term away;
    /// after three rejections it is now. Each refutation doubles the least bond of the next claim, up to 2^6 times.
    function reopen(Generation calldata generation) external;

    /// @notice When the claim is final (it is finalised on the way if it may be): pays the executor, fires the callback
    /// `onResult(id, claim id of item 0, Final, attempts + 1, tokens)` with exact gas. Later calls fire one that failed again.
    function settle(Generation calldata generation, ClaimBatch calldata claims, bytes calldata tokens) external;

    /// @notice Pays the fee back once the deadline has passed without a claim.
    function refund(Generation calldata generation) external;

    /// @notice The uniforms of a seed: f32, big-endian, k / 2^24 with k the top 24 bits of SHA-256(UNIFORM_TAG | seed | index).
    function uniformsOf(bytes32 seed, uint32 count) external view returns (bytes memory);
    function generationIdOf(Generation calldata generation) external view returns (RequestId);
    function stateOf(RequestId id) external view returns (GenerationState memory);
    function nonceOf(address requester) external view returns (uint64);
}
