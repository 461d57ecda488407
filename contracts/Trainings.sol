// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimBatch} from "./interfaces/IContestable.sol";
import {RequestBatch} from "./interfaces/IInbox.sol";
import {IModelRegistry, Model} from "./interfaces/IModelRegistry.sol";
import {IPropertyJudge, Outcome} from "./interfaces/IPropertyJudge.sol";
import {IScoreClaims, Scoring} from "./interfaces/IScoreClaims.sol";
import {
    Commit,
    ITrainings,
    OpenedItem,
    PoolItem,
    StrayElement,
    Training,
    TrainingId,
    TrainingState,
    TrainingStatus,
    TrainingTerms,
    Unmasking
} from "./interfaces/ITrainings.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Beacon} from "./libraries/Beacon.sol";
import {MAX_COMMITS, REQUEST_BATCH_TAG} from "./libraries/ConstantsLib.sol";
import {ItemsLib} from "./libraries/ItemsLib.sol";
import {KeccakTree} from "./libraries/KeccakTree.sol";
import {MaskLib} from "./libraries/MaskLib.sol";
import {PoolLib} from "./libraries/PoolLib.sol";
import {PropertyIds} from "./libraries/PropertyIds.sol";
import {ScoredLib} from "./libraries/ScoredLib.sol";
import {TrainingClock} from "./libraries/TrainingClock.sol";
import {TrainingTermsLib} from "./libraries/TrainingTermsLib.sol";
import {Settlements} from "./Settlements.sol";
import {ClaimBatchId, RequestBatchId, RequestId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {currentInstant, Instant} from "./types/Time.sol";

/// @title Networks trained to order, paid for what they can do
/// @notice See `ITrainings`. Owns requests, pools, commitments and their escrow; that scores are true is for ScoreClaims and
/// its disputes, what they come to for PropertyJudge.
/// @dev Only contracts of this system are called; none of them calls back, and of what they call only a property's
/// predicate is anybody's, by STATICCALL. So a claim's id may be kept after the call that made it.
contract Trainings is Settlements {
    uint96 public immutable minFeeWei;
    /// @notice Least fee of a commitment: what one of the 32 places costs whoever takes it to keep others out.
    uint96 public immutable minCommitFeeWei;

    mapping(address requester => uint64) public nonceOf;

    constructor(
        IVault vault_,
        IModelRegistry registry_,
        IScoreClaims scoreClaims_,
        IPropertyJudge propertyJudge_,
        uint96 minFeeWei_,
        uint96 minCommitFeeWei_
    ) Settlements(vault_, registry_, scoreClaims_, propertyJudge_) {
        (minFeeWei, minCommitFeeWei) = (minFeeWei_, minCommitFeeWei_);
    }

    // The requester, and whoever has its pool's key.

    /// @inheritdoc ITrainings
    function request(TrainingTerms calldata terms) external payable returns (TrainingId id) {
        _requirePayment(_prizeOf(terms));
        TrainingTermsLib.requireTerms(terms, registry, propertyJudge, minFeeWei, minCommitFeeWei);
        Training memory training =
            Training(msg.sender, nonceOf[msg.sender]++, currentInstant(), uint64(block.number), terms);
        id = PropertyIds.idOf(training);
        _states[id].status = TrainingStatus.Requested;
        emit TrainingRequested(id, msg.sender, training);
        vault.escrow{value: msg.value}();
    }

    /// @inheritdoc ITrainings
    function open(Training calldata training, OpenedItem[] calldata items) external {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Requested);
        _requireBefore(TrainingClock.openEnd(training));
        bytes32 seed = PoolLib.seedOf(id, _beaconOf(training.requestedBlock));
        _requireDrawn(training.terms, seed, items);

        TrainingState storage record = _states[id];
        (record.status, record.openedAt, record.seed) = (TrainingStatus.Committing, currentInstant(), seed);
        emit PoolOpened(id, seed, items);
    }

    /// @inheritdoc ITrainings
    function reveal(Training calldata training, bytes32 poolKey) external {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Committing);
        Instant from = TrainingClock.commitEnd(training, state);
        if (currentInstant().isBefore(from)) revert TooEarly(currentInstant(), from);
        // Without a commitment the request ended with the time for them.
        _requireBefore(state.commits == 0 ? from : TrainingClock.revealEnd(training, state));
        bytes32 received = PoolLib.keyHashOf(poolKey);
        if (received != training.terms.keyHash) revert WrongPoolKey(received, training.terms.keyHash);

        TrainingState storage record = _states[id];
        (record.status, record.revealedAt, record.poolKey) = (TrainingStatus.Revealed, currentInstant(), poolKey);
        emit PoolRevealed(id, poolKey);
    }

    // Executors.

    /// @inheritdoc ITrainings
    function commit(Training calldata training, bytes32 commitment) external payable returns (uint32 number) {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Committing);
        _requireBefore(TrainingClock.commitEnd(training, state));
        _requirePayment(training.terms.commitFeeWei);
        if (commitment == 0) revert ZeroCommitment();
        number = state.commits;
        if (number >= MAX_COMMITS) revert TooManyCommits(MAX_COMMITS);

        _states[id].commits = number + 1;
        Commit storage record = _commits[id][number];
        (record.executor, record.commitment) = (msg.sender, commitment);
        emit WeightsCommitted(id, number, msg.sender, commitment);
        if (msg.value != 0) vault.escrow{value: msg.value}();
    }

    /// @inheritdoc ITrainings
    function score(
        Training calldata training,
        uint32 number,
        BundleRoot weightsRoot,
        bytes32 salt,
        BundleRoot[] calldata items,
        bytes calldata scores,
        uint96 bondWei
    ) external payable returns (ClaimBatchId) {
        TrainingId id = _requireScorable(training, number, items.length);
        _requireCommitted(id, number, weightsRoot, salt);
        if (bondWei < training.terms.minBondWei) revert IScoreClaims.BondTooLow(bondWei, training.terms.minBondWei);
        Scoring memory scoring = Scoring({
            subject: PropertyIds.subjectOf(id, number, msg.sender, weightsRoot),
            executor: msg.sender,
            scorer: training.terms.scorer,
            weightsRoot: weightsRoot,
            items: items,
            scores: scores,
            bondWei: bondWei
        });
        return _claim(id, number, _judge(training.terms, scoring.subject, scores), scoring);
    }

    // Whoever looks closely.

    /// @inheritdoc ITrainings
    function spoil(Training calldata training, PoolItem calldata item) external {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Revealed);
        PoolLib.requireInPool(training.terms, item.index, item.keyHash, item.maskedRoot, item.path);
        if (item.keyHash == PoolLib.hashOf(PoolLib.itemKeyOf(state.poolKey, item.index))) {
            revert PoolIsSound(item.index);
        }
        emit PoolSpoiled(id, item.index);
        _endUnscored(id, training, state.commits);
    }

    /// @inheritdoc ITrainings
    /// @dev An item that was opened was looked at before anybody committed, and nobody is scored on it: it spoils nothing.
    function spoilByRange(Training calldata training, StrayElement calldata shown) external {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Revealed);
        Model memory scorer = registry.model(training.terms.scorer);
        bytes32 key = ItemsLib.requirePooled(training.terms, state, shown.item, shown.pooled);
        if (!ItemsLib.isStray(scorer, key, shown)) revert PoolIsSound(shown.pooled.index);
        emit PoolSpoiled(id, shown.pooled.index);
        _endUnscored(id, training, state.commits);
    }

    /// @inheritdoc ITrainings
    /// @dev The item's key is made of the pool's, and its leaf of that key: of a spoiled item nobody is convicted.
    function unmask(Training calldata training, uint32 number, ClaimBatch calldata claims, Unmasking calldata shown)
        external
    {
        (TrainingId id, TrainingState memory state) = _recall(training);
        _requireStatus(state, TrainingStatus.Revealed);
        Model memory scorer = registry.model(training.terms.scorer);
        _requireClaimed(id, number, scorer, claims, shown);
        bytes32 key = ItemsLib.requirePooled(training.terms, state, shown.item, shown.pooled);
        (uint256 tensor, uint256 leaf) = (shown.tensor, shown.leaf);
        ItemsLib.requireLeaf(scorer, tensor, leaf, shown.masked, shown.pooled.maskedRoot, 0);
        ItemsLib.requireLeaf(scorer, tensor, leaf, shown.claimed, shown.inputsRoot, 1);
        if (MaskLib.unmasks(key, tensor, leaf, shown.masked.leaves, shown.claimed.leaves)) {
            revert ItemIsSound(shown.item);
        }
        emit ItemsUnmasked(id, number, shown.item);
        scoreClaims.refuteBySource(claims, msg.sender);
    }

    // Views.

    /// @inheritdoc ITrainings
    function trainingIdOf(Training calldata training) external view returns (TrainingId) {
        return PropertyIds.idOf(training);
    }

    /// @inheritdoc ITrainings
    function stateOf(TrainingId id) external view returns (TrainingState memory) {
        return _states[id];
    }

    /// @inheritdoc ITrainings
    function commitOf(TrainingId id, uint32 number) external view returns (Commit memory) {
        return _commits[id][number];
    }

    /// @inheritdoc ITrainings
    function sealedIndex(bytes32 seed, uint32 poolCount, uint32 openCount, uint32 item) external pure returns (uint32) {
        return PoolLib.sealedIndex(seed, poolCount, openCount, item);
    }

    // The pool.

    function _beaconOf(uint64 requestedBlock) private view returns (bytes32 beacon) {
        if (!Beacon.isReady(requestedBlock)) revert BeaconNotReady(requestedBlock);
        beacon = Beacon.valueAfter(requestedBlock);
        if (beacon == 0) revert BeaconLost(requestedBlock);
    }

    function _requireDrawn(TrainingTerms calldata terms, bytes32 seed, OpenedItem[] calldata items) private pure {
        if (items.length != terms.openCount) revert WrongCount(items.length, terms.openCount);
        uint256 size = terms.poolCount / terms.openCount;
        for (uint256 stratum = 0; stratum < items.length; ++stratum) {
            OpenedItem calldata item = items[stratum];
            uint256 index = PoolLib.drawnIndex(seed, stratum, size);
            PoolLib.requireInPool(terms, index, PoolLib.hashOf(item.key), item.maskedRoot, item.path);
        }
    }

    // Scores.

    /// @param items that are scored
    function _requireScorable(Training calldata training, uint32 number, uint256 items)
        private
        view
        returns (TrainingId id)
    {
        TrainingState memory state;
        (id, state) = _recall(training);
        _requireStatus(state, TrainingStatus.Revealed);
        _requireBefore(TrainingClock.claimEnd(training, state));
        if (ClaimBatchId.unwrap(_commits[id][number].claim) != 0) revert AlreadyScored(number);
        uint256 expected = PoolLib.sealedCount(training.terms);
        if (items != expected) revert WrongCount(items, expected);
    }

    function _requireCommitted(TrainingId id, uint32 number, BundleRoot weightsRoot, bytes32 salt) private view {
        Commit storage record = _commits[id][number];
        if (msg.sender != record.executor) revert NotTheExecutor(msg.sender, record.executor);
        bytes32 received = PropertyIds.commitmentOf(id, msg.sender, weightsRoot, salt);
        if (received != record.commitment) revert NotCommitted(number, received);
    }

    function _judge(TrainingTerms calldata terms, bytes32 subject, bytes calldata scores)
        private
        view
        returns (int256)
    {
        Outcome memory outcome = propertyJudge.judge(terms.property, subject, scores);
        if (!outcome.holds) revert PropertyMissed(outcome.total, outcome.count);
        return outcome.total;
    }

    function _claim(TrainingId id, uint32 number, int256 total, Scoring memory scoring)
        private
        returns (ClaimBatchId claim)
    {
        if (msg.value != 0) vault.deposit{value: msg.value}(msg.sender);
        claim = scoreClaims.make(scoring);
        Commit storage record = _commits[id][number];
        (record.claim, record.total, record.weightsRoot) = (claim, total, scoring.weightsRoot);
        emit ScoresMade(id, number, msg.sender, claim, scoring.weightsRoot, total);
    }

    // Unmasking.

    /// @dev The claim is the commitment's, and its item `shown.item` has the inputs `shown.inputsRoot`. The claim names the
    /// record of its items, which is made anew from what is shown.
    function _requireClaimed(
        TrainingId id,
        uint32 number,
        Model memory scorer,
        ClaimBatch calldata claims,
        Unmasking calldata shown
    ) private view {
        Commit storage record = _commits[id][number];
        ClaimBatchId received = scoreClaims.claimBatchIdOf(claims);
        if (!(received == record.claim)) revert WrongClaim(received, record.claim);
        bytes32 subject = PropertyIds.subjectOf(id, number, record.executor, record.weightsRoot);
        bytes32 leaf = RequestId.unwrap(ScoredLib.itemIdOf(address(this), subject, shown.item, shown.inputsRoot));
        bytes32 root = KeccakTree.keccakPath(leaf, shown.item, claims.count, shown.itemPath);
        scorer.weightsRoot = record.weightsRoot;
        RequestBatch memory items = ScoredLib.requestsOf(claims.count, root, registry.idOf(scorer));
        bytes32 named = keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, scoreClaims, items));
        if (named != RequestBatchId.unwrap(claims.requests)) revert NotAnItem(shown.item);
    }

    // Checks that several moves share.

    function _requirePayment(uint256 expectedWei) private view {
        if (msg.value != expectedWei) revert WrongPayment(msg.value, expectedWei);
    }

    function _requireStatus(TrainingState memory state, TrainingStatus expected) private pure {
        if (state.status != expected) revert WrongTrainingStatus(state.status, expected);
    }

    function _requireBefore(Instant until) private view {
        Instant present = currentInstant();
        if (!present.isBefore(until)) revert TooLate(present, until);
    }
}
