// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, IContestable} from "./IContestable.sol";
import {RequestBatch} from "./IInbox.sol";
import {IModels} from "./IModels.sol";
import {Opening} from "./IStepJudge.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {BundleRoot, TensorHeader} from "../types/Roots.sol";
import {Instant} from "../types/Time.sol";

/// @notice What is claimed: that a scorer, with these weights, gives these items these scores.
/// @param subject what the scores are about; binds request, executor and claimed result
/// @param scorer a registered model
/// @param weightsRoot replaces the scorer's own weights
/// @param items bundle roots of the items' inputs, in order
/// @param scores the scorer's outputs, one an item, in order: whole up to 64 bytes each, else by tensor root
/// @param bondWei one bond for the whole claim: the first false score takes all of it
struct Scoring {
    bytes32 subject;
    address executor;
    ModelId scorer;
    BundleRoot weightsRoot;
    BundleRoot[] items;
    bytes scores;
    uint96 bondWei;
}

/// @notice Where a claim of scores stands.
/// @param certainty Provisional until finalised or fallen, whatever is disputed of it
/// @param disputes items in dispute now
/// @param bondWei held for it now; zero once it is final or fallen
/// @param finalAt not final before this
struct Standing {
    Certainty certainty;
    uint32 disputes;
    uint96 bondWei;
    Instant finalAt;
}

/// @notice One element of one weight, as the scorer was registered with it and as it is claimed.
/// @param header of the weight, in both
/// @param tensor number among the weights
/// @param own the element's leaf in the scorer's own weights
/// @param claimed the same leaf in the claimed ones, where it is another, and not finite
struct BrokenWeight {
    TensorHeader header;
    uint32 tensor;
    uint32 element;
    Opening own;
    Opening claimed;
}

/// @title Bonded claims of scores, each item of which is disputed like any inference
/// @notice One claim covers all items of a hold-out, or one generated text. To the dispute game (a second instance of it
/// that has only this for its claims and its models) each item is a claim of its own: it may be challenged, opened,
/// demanded of and proven wrong beside all others, and the first fault takes the bond of the whole. To have its models here
/// too, the game asks for the scorer with the claimed weights.
/// @dev Fallen, a claim has nothing left: further faults and rejections of its items move 0 wei. A rejection, which returns
/// most of the bond, waits for the challenge window and for all other disputes of the claim: a liar could else reject its
/// own claim by a small fault of one item, before the fault of another is shown that slashes.
/// An item's `ClaimWitness` is made of ordinary records. `requests`: lane 2, first 0, count items, `root` the Keccak
/// tree over item ids, `model` the scorer with the claimed weights; no fee, tip, minimum bond or deadline, no callback.
/// `claims`: `requests` the id of that record under this contract, first 0, `root` the Keccak tree over score leaves
/// (as entries of a claim batch), neither eager nor undefined. `request`: requester the source (Trainings, Generations),
/// nonce the item's index, kind 1, that model, the item's `inputsRoot`, `property` the subject, all else zero. Item id:
/// keccak256(abi.encode(SCORED_TAG, source, subject, index, inputsRoot)).
interface IScoreClaims is IContestable, IModels {
    /// @param requests as above; with `claims` and `scoring` all that any witness of it needs
    event ScoresClaimed(
        ClaimBatchId indexed id, bytes32 indexed subject, address source, ClaimBatch claims, RequestBatch requests, Scoring scoring
    );
    event ScoresContested(ClaimId indexed id, ClaimBatchId indexed batchId, uint32 index);
    /// @param until items may be challenged until then
    event ScoresKeptOpen(ClaimBatchId indexed id, Instant until);
    event ScoreAcquitted(ClaimId indexed id, ClaimBatchId indexed batchId, Instant finalAt);
    /// @param item zero if the source showed the fault
    event ScoresFell(ClaimBatchId indexed id, ClaimId indexed item, Certainty certainty);
    event WeightsCondemned(ClaimBatchId indexed id, address indexed sender, uint32 tensor, uint32 element);
    event ScoresFinal(ClaimBatchId indexed id, address executor);

    error NotASource(address received);
    error NotTheScoreGame(address received);
    error NoItems();
    error TooManyItems(uint256 received, uint256 maximum);
    error WrongDataLength(uint256 received, uint256 expected);
    error BondTooLow(uint256 receivedWei, uint256 minimumWei);
    error AlreadyClaimed(ClaimBatchId received);
    error UnknownClaim(ClaimBatchId received);
    error UnknownRequestBatch(RequestBatchId received);
    error AlreadyContested(ClaimId received);
    error NotInDispute(ClaimId received);
    error WrongCertainty(Certainty received, Certainty expected);
    error WindowOpen(Instant until);
    error WindowOver(Instant until);
    error InDispute(uint32 disputes);
    error WeightIsSound(uint32 tensor, uint32 element);
    error NotInClaims(uint32 index);
    error NotAnItem(RequestId received, uint32 index);

    /// @notice Sources only: makes a claim, which locks its bond from the executor's Vault balance.
    function make(Scoring calldata scoring) external returns (ClaimBatchId id);

    /// @notice Sources only: shows that an item's claimed inputs are not what the pool holds; the claim is refuted at once.
    /// Half of the bond is burned, a quarter goes to `sender`, a quarter is burned too (nobody challenged).
    function refuteBySource(ClaimBatch calldata claims, address sender) external;

    /// @notice Shows that a claimed weight is NaN or infinite and not what it was in the scorer: whatever is made of it would
    /// acquit. The claim is refuted at once, and its bond split as by `refuteBySource`. Anyone may.
    function condemn(RequestBatch calldata requests, ClaimBatch calldata claims, BrokenWeight calldata shown) external;

    /// @notice Makes a claim final, and returns its bond: after its window, with no item in dispute. Anyone may.
    function finalise(ClaimBatch calldata claims) external;

    /// @notice Score game only: something was demanded that concerns all items, so they may be challenged until `until`, if
    /// that is later than before.
    function keepOpen(ClaimBatch calldata claims, Instant until) external;

    function standingOf(ClaimBatchId id) external view returns (Standing memory);
    /// @notice Least bond of a claim with this scorer now, wei.
    function minimumBond(ModelId scorer) external view returns (uint256);
}
