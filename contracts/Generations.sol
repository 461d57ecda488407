// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch} from "./interfaces/IContestable.sol";
import {
    Generation, GenerationState, GenerationStatus, GenerationTerms, IGenerations
} from "./interfaces/IGenerations.sol";
import {IModelRegistry, Model} from "./interfaces/IModelRegistry.sol";
import {IPropertyJudge, Outcome} from "./interfaces/IPropertyJudge.sol";
import {IScoreClaims, Scoring} from "./interfaces/IScoreClaims.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Beacon} from "./libraries/Beacon.sol";
import {CallbackLib, Message} from "./libraries/CallbackLib.sol";
import {INLINE_OUTPUT_BYTES, MAX_BOND_DOUBLINGS, MAX_REJECTIONS, SEED_TAG} from "./libraries/ConstantsLib.sol";
import {GenerationTermsLib} from "./libraries/GenerationTermsLib.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {PropertyIds} from "./libraries/PropertyIds.sol";
import {Uniforms} from "./libraries/Uniforms.sol";
import {ClaimBatchId, RequestId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {currentInstant, Duration, Instant} from "./types/Time.sol";

/// @title Texts generated on request, checked in one pass
/// @notice See `IGenerations`. Owns requests, leases, seeds and their escrow; that margins are true is for ScoreClaims and
/// its disputes.
/// @dev Only contracts of this system are called, and none of them calls back, but for the callback, which finds a finished
/// state. So a claim's id may be kept after the call that made it.
contract Generations is IGenerations {
    /// @param rejections how many of the attempts were rejected; the others were refuted
    struct Record {
        GenerationState state;
        uint32 rejections;
    }

    IVault public immutable vault;
    IModelRegistry public immutable registry;
    IScoreClaims public immutable scoreClaims;
    IPropertyJudge public immutable propertyJudge;
    uint96 public immutable minFeeWei;
    Duration public immutable leaseTerm;
    uint96 public immutable leaseDepositWei;

    mapping(address requester => uint64) public nonceOf;
    mapping(RequestId => Record) private _records;
    /// @dev Executors who had a claim on the request rejected.
    mapping(RequestId => mapping(address executor => bool)) private _excluded;

    constructor(
        IVault vault_,
        IModelRegistry registry_,
        IScoreClaims scoreClaims_,
        IPropertyJudge propertyJudge_,
        uint96 minFeeWei_,
        Duration leaseTerm_,
        uint96 leaseDepositWei_
    ) {
        (vault, registry, scoreClaims, propertyJudge) = (vault_, registry_, scoreClaims_, propertyJudge_);
        (minFeeWei, leaseTerm, leaseDepositWei) = (minFeeWei_, leaseTerm_, leaseDepositWei_);
    }

    // The requester.

    /// @inheritdoc IGenerations
    function request(GenerationTerms calldata terms) external payable returns (RequestId id) {
        if (msg.value != terms.feeWei) revert WrongPayment(msg.value, terms.feeWei);
        GenerationTermsLib.requireTerms(terms, registry, propertyJudge, minFeeWei);
        Generation memory generation = Generation(msg.sender, nonceOf[msg.sender]++, currentInstant(), terms);
        id = PropertyIds.idOf(generation);
        GenerationState storage state = _records[id].state;
        (state.status, state.anchor, state.deadline) = (GenerationStatus.Open, uint64(block.number), terms.deadline);
        emit GenerationRequested(id, msg.sender, generation);
        vault.escrow{value: msg.value}();
    }

    /// @inheritdoc IGenerations
    /// @dev A lease that was taken and not used is burned: who took it kept others from answering.
    function refund(Generation calldata generation) external {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        _requireStatus(state.status, GenerationStatus.Open);
        if (currentInstant().isBefore(state.deadline)) revert NotYetRefundable(state.deadline);
        bool leased = state.lessee != address(0);

        state.status = GenerationStatus.Refunded;
        _clearLease(state);
        emit GenerationRefunded(id, generation.terms.feeWei);
        if (leased) vault.burn(leaseDepositWei);
        vault.pay(generation.requester, generation.terms.feeWei);
    }

    // Seeds and leases.

    /// @inheritdoc IGenerations
    function draw(Generation calldata generation) external {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        if (!generation.terms.sampled) revert NothingToDraw();
        if (state.seed != 0) revert AlreadyDrawn();
        if (!Beacon.isReady(state.anchor)) revert BeaconNotReady(state.anchor);
        bytes32 beacon = Beacon.valueAfter(state.anchor);
        if (beacon == 0) state.anchor = uint64(block.number);
        else state.seed = keccak256(abi.encode(SEED_TAG, id, beacon));
        emit Drawn(id, state.seed, state.anchor);
    }

    /// @inheritdoc IGenerations
    function take(Generation calldata generation) external payable {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        _requireStatus(state.status, GenerationStatus.Open);
        Instant present = currentInstant();
        if (!present.isBefore(state.deadline)) revert DeadlinePassed(state.deadline);
        if (generation.terms.sampled && state.seed == 0) revert NotDrawn();
        if (_excluded[id][msg.sender]) revert ExcludedExecutor(msg.sender, id);
        bool lapsed = state.lessee != address(0);
        if (lapsed && present.isBefore(state.leasedUntil)) revert LeaseHeld(state.lessee, state.leasedUntil);

        Instant until = present.afterwards(leaseTerm);
        (state.lessee, state.leasedUntil) = (msg.sender, until);
        emit Taken(id, msg.sender, until, leaseDepositWei);
        _depositValue();
        if (lapsed) vault.burn(leaseDepositWei);
        vault.lock(msg.sender, leaseDepositWei);
    }

    // Claims.

    /// @inheritdoc IGenerations
    function claim(Generation calldata generation, bytes calldata tokens, bytes calldata scores, uint96 bondWei)
        external
        payable
        returns (ClaimBatchId claimed)
    {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        _requireLessee(state);
        uint256 minimumWei = _minimumBond(generation.terms, record);
        if (bondWei < minimumWei) revert IScoreClaims.BondTooLow(bondWei, minimumWei);
        Scoring memory scoring = _scoringOf(id, generation.terms, state, tokens, scores);
        scoring.bondWei = bondWei;
        _requireMargin(generation.terms, scoring.subject, scores);

        (state.status, state.executor, state.output) = (GenerationStatus.Claimed, msg.sender, keccak256(tokens));
        _clearLease(state);
        _depositValue();
        vault.pay(msg.sender, leaseDepositWei);
        claimed = scoreClaims.make(scoring);
        state.claim = claimed;
        emit Generated(id, msg.sender, claimed, tokens, scores);
    }

    /// @inheritdoc IGenerations
    /// @dev After too many rejections the deadline is now, so that nobody can take the request and its refund is due.
    function reopen(Generation calldata generation) external {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        _requireStatus(state.status, GenerationStatus.Claimed);
        ClaimBatchId fell = state.claim;
        Certainty fallen = scoreClaims.standingOf(fell).certainty;
        if (fallen != Certainty.Refuted && fallen != Certainty.Rejected) {
            revert IScoreClaims.WrongCertainty(fallen, Certainty.Refuted);
        }
        ++state.attempts;
        if (fallen == Certainty.Rejected) {
            ++record.rejections;
            _excluded[id][state.executor] = true;
        }
        Instant deadline = currentInstant();
        if (record.rejections < MAX_REJECTIONS) {
            deadline = deadline.afterwards(registry.terms(generation.terms.scorer).windows.challenge);
            deadline = deadline.afterwards(leaseTerm).later(state.deadline);
        }
        (state.status, state.executor, state.deadline) = (GenerationStatus.Open, address(0), deadline);
        (state.claim, state.output) = (ClaimBatchId.wrap(0), 0);
        emit GenerationReopened(id, fell, fallen, deadline);
    }

    /// @inheritdoc IGenerations
    function settle(Generation calldata generation, ClaimBatch calldata claims, bytes calldata tokens) external {
        (RequestId id, Record storage record) = _recall(generation);
        GenerationState storage state = record.state;
        bool again = state.status == GenerationStatus.Final;
        if (!again) _requireStatus(state.status, GenerationStatus.Claimed);
        _requireShown(state, claims, tokens);
        bool called = generation.terms.callback != address(0);
        if (again && (!called || state.heard)) revert NothingToSend();
        if (!again) _requireFinal(state.claim, claims);
        // After the claim's finality, whose gas is not part of the reserve; a refusal undoes that too.
        if (called) CallbackLib.requireGas(generation.terms.callbackGas);

        (state.status, state.heard) = (GenerationStatus.Final, called);
        if (!again) {
            emit GenerationFinal(id, claims.executor, state.claim);
            vault.pay(claims.executor, generation.terms.feeWei);
        }
        if (called) _send(id, generation.terms, state, tokens);
    }

    // Views.

    /// @inheritdoc IGenerations
    function uniformsOf(bytes32 seed, uint32 count) external pure returns (bytes memory) {
        return Uniforms.bytesOf(seed, count);
    }

    /// @inheritdoc IGenerations
    function generationIdOf(Generation calldata generation) external view returns (RequestId) {
        return PropertyIds.idOf(generation);
    }

    /// @inheritdoc IGenerations
    function stateOf(RequestId id) external view returns (GenerationState memory) {
        return _records[id].state;
    }

    // Parts of a claim.

    function _requireLessee(GenerationState storage state) private view {
        _requireStatus(state.status, GenerationStatus.Open);
        if (msg.sender != state.lessee) revert NotTheLessee(msg.sender, state.lessee);
        Instant present = currentInstant();
        if (!present.isBefore(state.leasedUntil)) revert LeaseExpired(state.leasedUntil);
        if (!present.isBefore(state.deadline)) revert DeadlinePassed(state.deadline);
    }

    function _minimumBond(GenerationTerms calldata terms, Record storage record) private view returns (uint256) {
        uint256 pricedWei = scoreClaims.minimumBond(terms.scorer);
        uint256 refutations = record.state.attempts - record.rejections;
        uint256 doublings = refutations < MAX_BOND_DOUBLINGS ? refutations : MAX_BOND_DOUBLINGS;
        return (pricedWei > terms.minBondWei ? pricedWei : terms.minBondWei) << doublings;
    }

    /// @dev One item: the whole text, and with it the uniforms. Its score is the whole vector, by root if it is long.
    function _scoringOf(
        RequestId id,
        GenerationTerms calldata terms,
        GenerationState storage state,
        bytes calldata tokens,
        bytes calldata scores
    ) private view returns (Scoring memory scoring) {
        Model memory scorer = registry.model(terms.scorer);
        uint256 expected = terms.newTokens * scorer.inputs[0].header.width();
        if (tokens.length != expected) revert WrongTokensLength(tokens.length, expected);
        expected = scorer.outputHeader.byteLength();
        if (scores.length != expected) revert IPropertyJudge.WrongScoresLength(scores.length, expected);

        scoring.subject = PropertyIds.subjectOf(id, state.attempts, msg.sender, keccak256(tokens));
        (scoring.executor, scoring.scorer, scoring.weightsRoot) = (msg.sender, terms.scorer, scorer.weightsRoot);
        bytes memory uniforms = terms.sampled ? Uniforms.bytesOf(state.seed, terms.newTokens) : bytes("");
        scoring.items = new BundleRoot[](1);
        scoring.items[0] = registry.commitInputs(terms.scorer, bytes.concat(terms.prompt, tokens, uniforms));
        scoring.scores = scores.length > INLINE_OUTPUT_BYTES
            ? abi.encode(MerkleLib.tensorRoot(scorer.outputHeader, scores))
            : scores;
    }

    function _requireMargin(GenerationTerms calldata terms, bytes32 subject, bytes calldata scores) private view {
        Outcome memory outcome = propertyJudge.judge(GenerationTermsLib.marginOf(terms.delta), subject, scores);
        if (!outcome.holds) revert MarginMissed(outcome.total);
    }

    // Parts of a settlement.

    function _requireShown(GenerationState storage state, ClaimBatch calldata claims, bytes calldata tokens)
        private
        view
    {
        ClaimBatchId received = scoreClaims.claimBatchIdOf(claims);
        if (!(received == state.claim)) revert WrongClaim(received, state.claim);
        bytes32 output = keccak256(tokens);
        if (output != state.output) revert WrongOutput(output, state.output);
    }

    function _requireFinal(ClaimBatchId claimed, ClaimBatch calldata claims) private {
        Certainty certainty = scoreClaims.standingOf(claimed).certainty;
        if (certainty == Certainty.Provisional) return scoreClaims.finalise(claims);
        if (certainty != Certainty.Final) revert NotFinal(certainty);
    }

    function _send(RequestId id, GenerationTerms calldata terms, GenerationState storage state, bytes calldata tokens)
        private
    {
        ClaimBatchId claimed = state.claim;
        Message memory message =
            Message(id, scoreClaims.claimIdOf(claimed, 0), Certainty.Final, uint64(state.attempts) + 1, tokens);
        if (CallbackLib.send(terms.callback, terms.callbackGas, message)) {
            emit CallbackSent(id, claimed);
            return;
        }
        state.heard = false;
        emit CallbackFailed(id, claimed);
    }

    // Names and money.

    function _recall(Generation calldata generation) private view returns (RequestId id, Record storage record) {
        id = PropertyIds.idOf(generation);
        record = _records[id];
        if (record.state.status == GenerationStatus.None) revert UnknownGeneration(id);
    }

    function _requireStatus(GenerationStatus received, GenerationStatus expected) private pure {
        if (received != expected) revert WrongGenerationStatus(received, expected);
    }

    function _clearLease(GenerationState storage state) private {
        (state.lessee, state.leasedUntil) = (address(0), Instant.wrap(0));
    }

    function _depositValue() private {
        if (msg.value != 0) vault.deposit{value: msg.value}(msg.sender);
    }
}
