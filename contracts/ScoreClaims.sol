// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, IContestable} from "./interfaces/IContestable.sol";
import {IInbox, RequestBatch} from "./interfaces/IInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IModels, Model, Terms} from "./interfaces/IModels.sol";
import {BrokenWeight, IScoreClaims, Scoring, Standing} from "./interfaces/IScoreClaims.sol";
import {IVault} from "./interfaces/IVault.sol";
import {CLAIM_BATCH_TAG, CLAIM_TAG, MAX_SCORED_ITEMS, MODEL_TAG, REQUEST_BATCH_TAG} from "./libraries/ConstantsLib.sol";
import {EntriesLib} from "./libraries/EntriesLib.sol";
import {IdsLib} from "./libraries/IdsLib.sol";
import {ScoredLib} from "./libraries/ScoredLib.sol";
import {WeightsLib} from "./libraries/WeightsLib.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestBatchId, RequestId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {currentInstant, Instant} from "./types/Time.sol";

/// @title Bonded claims of scores
/// @notice See `IScoreClaims`. Knows neither what scores are for (the sources) nor what is wrong with one (the dispute game):
/// it keeps one bond a claim, and the items that are disputed of it.
/// @dev Calls the Vault and the registry, which call nobody. A claim is stored in one slot, a contested item in another;
/// everything else comes back as calldata and is checked against the claim's id.
contract ScoreClaims is IScoreClaims {
    /// @dev What becomes of an item that was challenged. It is challenged once.
    enum Item {
        None,
        Disputed,
        Acquitted,
        Fallen
    }

    /// @dev A `Standing`, and when items can be challenged no more.
    struct Record {
        Certainty certainty;
        uint32 disputes;
        uint96 bondWei;
        Instant finalAt;
        Instant windowEnd;
    }

    /// @dev A scorer with other weights.
    struct Derived {
        ModelId scorer;
        BundleRoot weightsRoot;
    }

    IVault public immutable vault;
    IModelRegistry public immutable registry;
    address public immutable scoreGame;
    address public immutable trainings;
    address public immutable generations;

    mapping(ClaimBatchId => Record) private _records;
    mapping(ClaimId => Item) private _items;
    mapping(ModelId => Derived) private _derived;

    modifier onlySource() {
        if (msg.sender != trainings && msg.sender != generations) revert NotASource(msg.sender);
        _;
    }

    modifier onlyScoreGame() {
        if (msg.sender != scoreGame) revert NotTheScoreGame(msg.sender);
        _;
    }

    constructor(
        IVault vault_,
        IModelRegistry registry_,
        address scoreGame_,
        address trainings_,
        address generations_
    ) {
        vault = vault_;
        registry = registry_;
        scoreGame = scoreGame_;
        trainings = trainings_;
        generations = generations_;
    }

    // Sources only.

    /// @inheritdoc IScoreClaims
    function make(Scoring calldata scoring) external onlySource returns (ClaimBatchId id) {
        Terms memory known = registry.terms(scoring.scorer);
        uint256 minimumWei = _minimumBond(known);
        if (scoring.bondWei < minimumWei) revert BondTooLow(scoring.bondWei, minimumWei);
        (RequestBatch memory requests, ClaimBatch memory claims) = _recordsOf(scoring, known.outputBytes);

        id = ClaimBatchId.wrap(keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, address(this), claims)));
        if (_records[id].certainty != Certainty.None) revert AlreadyClaimed(id);
        Instant until = claims.claimedAt.afterwards(known.windows.challenge);
        _records[id] = Record(Certainty.Provisional, 0, scoring.bondWei, until, until);
        emit ScoresClaimed(id, scoring.subject, msg.sender, claims, requests, scoring);
        vault.lock(scoring.executor, scoring.bondWei);
    }

    /// @inheritdoc IScoreClaims
    function refuteBySource(ClaimBatch calldata claims, address sender) external onlySource {
        ClaimBatchId id = IdsLib.idOf(claims);
        _refuteAtOnce(_requireProvisional(id), id, sender);
    }

    // Anyone.

    /// @inheritdoc IScoreClaims
    function condemn(RequestBatch calldata requests, ClaimBatch calldata claims, BrokenWeight calldata shown)
        external
    {
        _requireSame(requests, claims);
        ClaimBatchId id = IdsLib.idOf(claims);
        Record storage record = _requireProvisional(id);
        Derived storage derived = _derived[requests.model];
        // The scorer's own weights are no fault of whoever uses them.
        if (ModelId.unwrap(derived.scorer) == 0) revert WeightIsSound(shown.tensor, shown.element);
        WeightsLib.requireBroken(registry.model(derived.scorer), derived.weightsRoot, shown);
        emit WeightsCondemned(id, msg.sender, shown.tensor, shown.element);
        _refuteAtOnce(record, id, msg.sender);
    }

    /// @inheritdoc IScoreClaims
    function finalise(ClaimBatch calldata claims) external {
        ClaimBatchId id = IdsLib.idOf(claims);
        Record storage record = _requireProvisional(id);
        if (record.disputes != 0) revert InDispute(record.disputes);
        if (currentInstant().isBefore(record.finalAt)) revert WindowOpen(record.finalAt);
        (record.certainty, record.bondWei) = (Certainty.Final, 0);
        emit ScoresFinal(id, claims.executor);
        vault.pay(claims.executor, claims.bondWei);
    }

    // Dispute game only.

    /// @inheritdoc IContestable
    function contest(ClaimWitness calldata witness) external onlyScoreGame returns (ClaimId id, RequestId request) {
        ClaimBatchId batchId;
        (id, batchId, request) = _verify(witness);
        Record storage record = _requireProvisional(batchId);
        if (_items[id] != Item.None) revert AlreadyContested(id);
        if (!currentInstant().isBefore(record.windowEnd)) revert WindowOver(record.windowEnd);
        _items[id] = Item.Disputed;
        ++record.disputes;
        emit ScoresContested(id, batchId, witness.index);
    }

    /// @inheritdoc IScoreClaims
    /// @dev Of a claim that has fallen nothing is left to be challenged.
    function keepOpen(ClaimBatch calldata claims, Instant until) external onlyScoreGame {
        ClaimBatchId id = IdsLib.idOf(claims);
        Record storage record = _records[id];
        if (record.certainty != Certainty.Provisional || !record.windowEnd.isBefore(until)) return;
        (record.windowEnd, record.finalAt) = (until, record.finalAt.later(until));
        emit ScoresKeptOpen(id, until);
    }

    /// @inheritdoc IContestable
    /// @dev Of a claim that has fallen too: the dispute must end, for its challenger's bond. A fault that only rejects is
    /// heard when the challenge window is over, and has a prove window from then on.
    function acquit(ClaimWitness calldata witness, Instant finalAt) external onlyScoreGame {
        (ClaimId id, ClaimBatchId batchId) = _named(witness);
        Record storage record = _records[batchId];
        _conclude(record, id, Item.Acquitted);
        finalAt = finalAt.later(record.windowEnd.afterwards(terms(witness.requests.model).windows.prove));
        record.finalAt = record.finalAt.later(finalAt);
        emit ScoreAcquitted(id, batchId, finalAt);
    }

    /// @inheritdoc IContestable
    function refute(ClaimWitness calldata witness) external onlyScoreGame returns (uint96 bondWei) {
        (ClaimId id, ClaimBatchId batchId) = _named(witness);
        Record storage record = _records[batchId];
        _conclude(record, id, Item.Fallen);
        if (_hasFallen(record)) return 0;
        bondWei = _fall(record, batchId, id, Certainty.Refuted);
        vault.move(scoreGame, bondWei);
    }

    /// @inheritdoc IContestable
    function reject(ClaimWitness calldata witness, uint256 costWei)
        external
        onlyScoreGame
        returns (uint256 movedWei)
    {
        (ClaimId id, ClaimBatchId batchId) = _named(witness);
        Record storage record = _records[batchId];
        _conclude(record, id, Item.Fallen);
        if (_hasFallen(record)) return 0;
        // Else a liar would save its bond by a small fault of one item, before somebody proves the one that slashes.
        if (record.disputes != 0) revert InDispute(record.disputes);
        if (currentInstant().isBefore(record.windowEnd)) revert WindowOpen(record.windowEnd);
        uint256 bondWei = _fall(record, batchId, id, Certainty.Rejected);
        movedWei = costWei < bondWei ? costWei : bondWei;
        if (movedWei != 0) vault.move(scoreGame, movedWei);
        if (movedWei != bondWei) vault.pay(witness.claims.executor, bondWei - movedWei);
    }

    // Views.

    /// @inheritdoc IContestable
    function requireWitness(ClaimWitness calldata witness) external view returns (ClaimId id, RequestId request) {
        (id,, request) = _verify(witness);
    }

    /// @inheritdoc IModels
    function model(ModelId id) external view returns (Model memory known) {
        Derived storage derived = _derived[id];
        if (ModelId.unwrap(derived.scorer) == 0) return registry.model(id);
        known = registry.model(derived.scorer);
        known.weightsRoot = derived.weightsRoot;
    }

    /// @inheritdoc IModels
    function terms(ModelId id) public view returns (Terms memory) {
        ModelId scorer = _derived[id].scorer;
        return registry.terms(ModelId.unwrap(scorer) == 0 ? id : scorer);
    }

    /// @inheritdoc IScoreClaims
    function standingOf(ClaimBatchId id) external view returns (Standing memory) {
        Record storage record = _records[id];
        return Standing(record.certainty, record.disputes, record.bondWei, record.finalAt);
    }

    /// @inheritdoc IScoreClaims
    function minimumBond(ModelId scorer) external view returns (uint256) {
        return _minimumBond(registry.terms(scorer));
    }

    /// @inheritdoc IContestable
    function claimBatchIdOf(ClaimBatch calldata claims) external view returns (ClaimBatchId) {
        return IdsLib.idOf(claims);
    }

    /// @inheritdoc IContestable
    function claimIdOf(ClaimBatchId batchId, uint32 index) public pure returns (ClaimId) {
        return ClaimId.wrap(keccak256(abi.encode(CLAIM_TAG, batchId, index)));
    }

    // Making.

    /// @dev The records that witnesses of a new claim are made of.
    function _recordsOf(Scoring calldata scoring, uint256 outputBytes)
        private
        returns (RequestBatch memory requests, ClaimBatch memory claims)
    {
        uint256 items = scoring.items.length;
        if (items == 0) revert NoItems();
        if (items > MAX_SCORED_ITEMS) revert TooManyItems(items, MAX_SCORED_ITEMS);
        ModelId derived = _derive(scoring.scorer, scoring.weightsRoot);
        requests = ScoredLib.requestsOf(msg.sender, scoring.subject, scoring.items, derived);
        bytes32 named = keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, address(this), requests));
        claims.requests = RequestBatchId.wrap(named);
        claims.executor = scoring.executor;
        claims.count = requests.count;
        claims.bondWei = scoring.bondWei;
        claims.claimedAt = currentInstant();
        claims.root = ScoredLib.scoresRoot(scoring.scores, items, outputBytes);
    }

    /// @dev Id of the scorer with these weights, as if it were registered; its own where they are its own.
    function _derive(ModelId scorer, BundleRoot weightsRoot) private returns (ModelId id) {
        Model memory known = registry.model(scorer);
        if (known.weightsRoot == weightsRoot) return scorer;
        known.weightsRoot = weightsRoot;
        id = ModelId.wrap(keccak256(abi.encode(MODEL_TAG, known)));
        if (ModelId.unwrap(_derived[id].scorer) == 0) _derived[id] = Derived(scorer, weightsRoot);
    }

    function _minimumBond(Terms memory known) private view returns (uint256) {
        return known.minBondGas * block.basefee;
    }

    // Ending.

    /// @dev The game ends each dispute once; after an acquittal a fault may still be shown, until the claim is final.
    function _conclude(Record storage record, ClaimId id, Item end) private {
        Item item = _items[id];
        if (record.certainty == Certainty.Final) revert WrongCertainty(Certainty.Final, Certainty.Provisional);
        if (item == Item.Disputed) --record.disputes;
        else if (item != Item.Acquitted || end == Item.Acquitted) revert NotInDispute(id);
        _items[id] = end;
    }

    function _hasFallen(Record storage record) private view returns (bool) {
        return record.certainty != Certainty.Provisional;
    }

    /// @return bondWei all that was held, which the caller disposes of
    function _fall(Record storage record, ClaimBatchId id, ClaimId item, Certainty fallen)
        private
        returns (uint96 bondWei)
    {
        bondWei = record.bondWei;
        (record.certainty, record.bondWei) = (fallen, 0);
        emit ScoresFell(id, item, fallen);
    }

    /// @dev Nobody challenged: of the bond a quarter goes to the sender, the rest is burned.
    function _refuteAtOnce(Record storage record, ClaimBatchId id, address sender) private {
        uint256 bondWei = _fall(record, id, ClaimId.wrap(0), Certainty.Refuted);
        uint256 senderWei = bondWei / 4;
        vault.burn(bondWei - senderWei);
        vault.pay(sender, senderWei);
    }

    function _requireProvisional(ClaimBatchId id) private view returns (Record storage record) {
        record = _records[id];
        if (record.certainty == Certainty.None) revert UnknownClaim(id);
        if (record.certainty != Certainty.Provisional) revert WrongCertainty(record.certainty, Certainty.Provisional);
    }

    // Names and proofs.

    /// @dev An item is kept only because `contest` saw its whole witness: its headers suffice to name it again.
    function _named(ClaimWitness calldata witness) private view returns (ClaimId id, ClaimBatchId batchId) {
        batchId = IdsLib.idOf(witness.claims);
        id = claimIdOf(batchId, witness.index);
    }

    function _requireSame(RequestBatch calldata requests, ClaimBatch calldata claims) private view {
        RequestBatchId received = IdsLib.idOf(IInbox(address(this)), requests);
        if (!(received == claims.requests)) revert UnknownRequestBatch(received);
    }

    /// @dev Checks everything in a witness but whether its claim was ever made.
    function _verify(ClaimWitness calldata witness)
        private
        view
        returns (ClaimId id, ClaimBatchId batchId, RequestId request)
    {
        ClaimBatch calldata claims = witness.claims;
        _requireSame(witness.requests, claims);
        (id, batchId) = _named(witness);
        if (!EntriesLib.holds(claims, witness.index, witness.entry, witness.entryPath)) {
            revert NotInClaims(witness.index);
        }
        request = ScoredLib.requireItem(witness);
    }
}
