// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimBatch, Certainty} from "./IContestable.sol";
import {Property} from "./IPropertyJudge.sol";
import {Opening} from "./IStepJudge.sol";
import {ClaimBatchId, ModelId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {Duration, Instant} from "../types/Time.sol";

type TrainingId is bytes32;

/// @notice A wish for a trained network.
/// @param architecture the registered model whose weights are to be found; what it was registered with is where one may start
/// @param scorer a registered model over the same weights: takes one item (the architecture's inputs, then the target) and
/// gives its score, one f32
/// @param dataRoot bundle of the training data: the inputs of all items stacked, then the targets
/// @param recipe SHA-256 of a recipe that the requester suggests, zero for none; binds nobody
/// @param poolRoot Keccak tree over the pool's item leaves
/// @param poolCount items of the pool, a multiple of `openCount`
/// @param openCount items that the beacon has opened, one of each stratum; the rest is sealed and scored
/// @param keyHash keccak256(POOL_KEY_TAG | pool key)
/// @param feeWei to the executor whose claim of the best score is final
/// @param bonusWei besides, in proportion to how far the score gets from the threshold to `fullScore`
/// @param fullScore f32 bits
/// @param commitFeeWei put up with each commitment; burned unless it ends in scores that stand. Not below the deployment's least
/// @param minBondWei least bond of a claim of scores
/// @param unscoredShare of `feeWei`, in 1/10,000: lost if the requester does not reveal, half of it to the first committer
/// @param open from the request: what the beacon drew may be opened
/// @param commit from the opening: weights may be committed
/// @param reveal from the end of `commit`: the requester may reveal the pool's key
/// @param claim from the revelation: scores may be claimed
struct TrainingTerms {
    ModelId architecture;
    ModelId scorer;
    BundleRoot dataRoot;
    bytes32 recipe;
    bytes32 poolRoot;
    uint32 poolCount;
    uint32 openCount;
    bytes32 keyHash;
    Property property;
    uint96 feeWei;
    uint96 bonusWei;
    uint32 fullScore;
    uint96 commitFeeWei;
    uint96 minBondWei;
    uint16 unscoredShare;
    Duration open;
    Duration commit;
    Duration reveal;
    Duration claim;
}

/// @notice A training request as it was made. Its hash is its id; calls carry it.
/// @param requestedBlock the beacon is the hash of the block after it
struct Training {
    address requester;
    uint64 nonce;
    Instant requestedAt;
    uint64 requestedBlock;
    TrainingTerms terms;
}

/// @notice Requested: the drawn part is awaited. Committing: weights are committed, then the key is awaited. Revealed: scores
/// are claimed and disputed. Ends: Cancelled (nothing was opened, or nobody committed), Unscored (the pool's key did not come,
/// or does not fit, or an item is out of range), Missed (no claim stands), Trained.
enum TrainingStatus {
    None,
    Requested,
    Committing,
    Revealed,
    Cancelled,
    Unscored,
    Missed,
    Trained
}

/// @notice Where a training request stands.
/// @param seed of the draw; zero before the opening
/// @param poolKey zero before it is revealed
/// @param model the trained model, registered, when Trained
/// @param winner number of the commitment that was paid, when Trained
struct TrainingState {
    TrainingStatus status;
    Instant openedAt;
    Instant revealedAt;
    uint32 commits;
    uint32 winner;
    bytes32 seed;
    bytes32 poolKey;
    ModelId model;
}

/// @param commitment keccak256(abi.encode(WEIGHTS_TAG, training id, executor, weights root, salt))
/// @param claim zero until scores are claimed
/// @param total what the scores come to, as in `Outcome`
struct Commit {
    address executor;
    bytes32 commitment;
    ClaimBatchId claim;
    int256 total;
    BundleRoot weightsRoot;
}

/// @notice One drawn item, opened.
/// @param key the item's key: unmasks the item's tensors
/// @param maskedRoot bundle root of the masked tensors
/// @param path from the item's leaf to the pool's root
struct OpenedItem {
    bytes32 key;
    BundleRoot maskedRoot;
    bytes32[] path;
}

/// @notice An item's leaf in the pool, shown.
struct PoolItem {
    uint32 index;
    bytes32 keyHash;
    BundleRoot maskedRoot;
    bytes32[] path;
}

/// @notice One element of a sealed item, as the pool has it.
/// @param item number among the sealed items
/// @param tensor number in the item's bundle
/// @param element flat, in the tensor
struct StrayElement {
    uint32 item;
    PoolItem pooled;
    uint32 tensor;
    uint32 element;
    Opening masked;
}

/// @notice The same leaf of the same tensor of one item, as the pool has it and as the claim has it.
/// @param item number among the sealed items
/// @param inputsRoot the item's claimed inputs
/// @param itemPath from the item's id to the root of the claim's items
/// @param tensor number in the item's bundle
struct Unmasking {
    uint32 item;
    BundleRoot inputsRoot;
    bytes32[] itemPath;
    PoolItem pooled;
    uint32 tensor;
    uint32 leaf;
    Opening masked;
    Opening claimed;
}

/// @title Networks trained to order, paid for what they can do
/// @notice Any method, any hardware, any cluster: what is judged is the score on items that nobody could see, and its
/// scores are claimed, disputed and judged one item at a time. PROTOCOL.md, "Properties", has the reasons.
/// @dev A pool's items are public from the start, masked; one key of 32 bytes reveals all of them. So nothing can be withheld
/// at the end that executors did not hold before they committed, and revealing costs the same whatever the items' size.
interface ITrainings {
    event TrainingRequested(TrainingId indexed id, address indexed requester, Training training);
    event PoolOpened(TrainingId indexed id, bytes32 seed, OpenedItem[] items);
    event WeightsCommitted(TrainingId indexed id, uint32 indexed number, address indexed executor, bytes32 commitment);
    event PoolRevealed(TrainingId indexed id, bytes32 poolKey);
    event ScoresMade(
        TrainingId indexed id, uint32 indexed number, address indexed executor, ClaimBatchId claim, BundleRoot weightsRoot, int256 total
    );
    event PoolSpoiled(TrainingId indexed id, uint32 index);
    event ItemsUnmasked(TrainingId indexed id, uint32 indexed number, uint32 item);
    /// @param model zero unless Trained
    /// @param paidWei to the winner, or to the first committer if Unscored
    event TrainingEnded(TrainingId indexed id, TrainingStatus status, uint32 winner, ModelId model, uint256 paidWei, uint256 refundedWei, uint256 burnedWei);

    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error UnknownTraining(TrainingId received);
    error WrongTrainingStatus(TrainingStatus received, TrainingStatus expected);
    error TooEarly(Instant current, Instant from);
    error TooLate(Instant current, Instant until);
    error PoolOutOfRange(uint32 poolCount, uint32 openCount);
    error PeriodOutOfRange(uint256 period, Duration received, Duration least, Duration most);
    error ShareOutOfRange(uint16 received, uint16 maximum);
    error FeeTooLow(uint96 receivedWei, uint96 minimumWei);
    error CommitFeeTooLow(uint96 receivedWei, uint96 minimumWei);
    /// @notice A scorer takes the architecture's inputs, in the same ranges, and one target more, has its weights, and gives one
    /// f32.
    error NotAScorer(ModelId scorer, ModelId architecture);
    error BeaconNotReady(uint64 requestedBlock);
    error BeaconLost(uint64 requestedBlock);
    error WrongCount(uint256 received, uint256 expected);
    error NotInPool(uint32 index);
    error ZeroCommitment();
    error TooManyCommits(uint256 maximum);
    error WrongPoolKey(bytes32 receivedHash, bytes32 expectedHash);
    error NotCommitted(uint32 number, bytes32 received);
    error NotTheExecutor(address received, address expected);
    error AlreadyScored(uint32 number);
    error PropertyMissed(int256 total, uint256 count);
    error PoolIsSound(uint32 index);
    error ItemIsSound(uint32 item);
    error WrongClaim(ClaimBatchId received, ClaimBatchId expected);
    error NotAnItem(uint32 item);
    error StillOpen(uint32 number, Certainty certainty);

    /// @notice Asks for a trained network. `msg.value` must be fee plus bonus.
    function request(TrainingTerms calldata terms) external payable returns (TrainingId id);

    /// @notice In time: opens the items that the beacon drew, one of each stratum, in order. Anyone who has their keys may: a
    /// requester that is a contract leaves it to whoever keeps its pool's key.
    function open(Training calldata training, OpenedItem[] calldata items) external;

    /// @notice In time: commits weights. `msg.value` must be the commit fee.
    function commit(Training calldata training, bytes32 commitment) external payable returns (uint32 number);

    /// @notice When the commitments are closed, in time: reveals the pool's key. Anyone who has it may.
    function reveal(Training calldata training, bytes32 poolKey) external;

    /// @notice The committer only, in time: claims the scores of the sealed items with the committed weights. `msg.value` is
    /// added to the caller's Vault balance first. Reverts if the property is missed.
    function score(
        Training calldata training,
        uint32 number,
        BundleRoot weightsRoot,
        bytes32 salt,
        BundleRoot[] calldata items,
        bytes calldata scores,
        uint96 bondWei
    ) external payable returns (ClaimBatchId id);

    /// @notice Shows, while scores are claimed or disputed, that an item's key does not follow from the pool's: Unscored.
    function spoil(Training calldata training, PoolItem calldata item) external;

    /// @notice The same, by a sealed item that holds an element out of its input's range: nobody can be judged on it.
    function spoilByRange(Training calldata training, StrayElement calldata shown) external;

    /// @notice Shows that a claim's item is not what the pool holds: its executor is slashed, the sender earns a part.
    function unmask(Training calldata training, uint32 number, ClaimBatch calldata claims, Unmasking calldata shown) external;

    /// @notice Ends a request whose clock has run out or whose claims are decided: pays whom it is due. Anyone may.
    function settle(Training calldata training) external;

    function trainingIdOf(Training calldata training) external view returns (TrainingId);
    function stateOf(TrainingId id) external view returns (TrainingState memory);
    function commitOf(TrainingId id, uint32 number) external view returns (Commit memory);
    /// @notice The trained model, and how sure it is: None, Provisional (scores stand, no model yet), Final.
    function trained(TrainingId id) external view returns (ModelId model, Certainty certainty);
    /// @notice Pool index of sealed item `item`.
    function sealedIndex(bytes32 seed, uint32 poolCount, uint32 openCount, uint32 item) external pure returns (uint32);
    function nonceOf(address requester) external view returns (uint64);
}
