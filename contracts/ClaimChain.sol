// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, Contested, IClaimChain} from "./interfaces/IClaimChain.sol";
import {IContestable} from "./interfaces/IContestable.sol";
import {IInbox, RequestBatch} from "./interfaces/IInbox.sol";
import {IModelRegistry, Terms} from "./interfaces/IModelRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Leases} from "./Leases.sol";
import {BitsLib} from "./libraries/BitsLib.sol";
import {CallbackLib, Message} from "./libraries/CallbackLib.sol";
import {CLAIM_BATCH_TAG, CLAIM_TAG} from "./libraries/ConstantsLib.sol";
import {EntriesLib} from "./libraries/EntriesLib.sol";
import {IdsLib} from "./libraries/IdsLib.sol";
import {KeccakTree} from "./libraries/KeccakTree.sol";
import {LIVE, NOT_HERE, SETTLED, StandingLib, UNSETTLED} from "./libraries/StandingLib.sol";
import {ClaimBatchId, ClaimId, RequestBatchId, RequestId} from "./types/Ids.sol";
import {currentInstant, Duration, Instant} from "./types/Time.sol";

/// @dev Bytes of an endpoint's URL.
uint256 constant MAX_ENDPOINT_BYTES = 256;

enum Delivery {
    None,
    Sent,
    Failed
}

/// @notice What must be known of a claim that does not go the common way: contested, or with a failed callback.
/// @param certainty `None` unless contested
/// @param sequence of its announcement, fixed when it fell or when its callback failed
struct Record {
    Certainty certainty;
    Instant finalAt;
    uint96 bondWei;
    uint64 sequence;
    Delivery delivery;
}

/// @title Bonded claims, their certainty, finality and callbacks
/// @notice A claim batch is stored as two bits a claim; everything else about it comes back as calldata and is checked
/// against the batch's id. Knows no outputs and no faults: the dispute game tells it which claims fall.
/// @dev Nothing here is locked against re-entry: every call changes its own state before it calls out, and what a
/// consumer can reach from its callback finds a finished state.
contract ClaimChain is Leases {
    using BitsLib for uint256[2];
    using StandingLib for uint256[4];

    address public immutable disputeGame;

    mapping(ClaimBatchId => uint256[4]) private _standings;
    mapping(ClaimId => Record) private _records;

    modifier onlyDisputeGame() {
        if (msg.sender != disputeGame) revert NotTheDisputeGame(msg.sender);
        _;
    }

    constructor(
        IVault vault_,
        IInbox inbox_,
        IModelRegistry registry_,
        address disputeGame_,
        Duration leaseTerm_,
        uint96 leaseDepositWei_
    ) Leases(vault_, inbox_, registry_, leaseTerm_, leaseDepositWei_) {
        disputeGame = disputeGame_;
    }

    // Claim.

    /// @inheritdoc IClaimChain
    function claim(
        RequestBatch calldata batch,
        uint32 first,
        uint32 count,
        uint256[2] calldata presence,
        bytes calldata data,
        bool eager,
        uint96 bondWei
    ) external payable returns (ClaimBatchId) {
        if (count == 0 || uint256(first) + count > batch.count) {
            revert RangeOutOfBatch(first, count, batch.count);
        }
        ClaimBatch memory claims =
            ClaimBatch(_requireOrdered(batch), msg.sender, first, count, 0, bondWei, currentInstant(), eager, false);
        return _claim(batch, claims, presence, data);
    }

    /// @inheritdoc IClaimChain
    function claimUndefined(RequestBatch calldata batch, uint32 index, bytes calldata entry, uint96 bondWei)
        external
        payable
        returns (ClaimBatchId)
    {
        if (index >= batch.count) revert RangeOutOfBatch(index, 1, batch.count);
        ClaimBatch memory claims =
            ClaimBatch(_requireOrdered(batch), msg.sender, index, 1, 0, bondWei, currentInstant(), true, true);
        uint256[2] memory presence = [uint256(1), 0];
        return _claim(batch, claims, presence, entry);
    }

    function _claim(
        RequestBatch calldata batch,
        ClaimBatch memory claims,
        uint256[2] memory presence,
        bytes calldata data
    ) private returns (ClaimBatchId id) {
        if (presence.span() > claims.count) {
            revert RangeOutOfBatch(claims.first, presence.span(), claims.count);
        }
        (uint256[2] memory live, bool reopened) = _take(batch, claims, presence);
        Terms memory terms = registry.terms(batch.model);
        _requireBond(batch, claims, terms.minBondGas);
        claims.root = EntriesLib.rootOf(claims, presence, live, data, terms.outputBytes);

        id = ClaimBatchId.wrap(keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, address(this), claims)));
        // The same record twice in one block: only a claim that fell at once and was made again can do that.
        if (reopened) _requireNew(claimIdOf(id, 0));
        _standings[id].open(live);
        _depositValue();
        uint256 taken = live.size();
        vault.pay(msg.sender, taken * leaseDepositWei);
        vault.lock(msg.sender, taken * claims.bondWei);
        // Fees and tips follow the claims, so that finality and callbacks need not fetch them.
        uint256 escrowWei = taken * _escrowOf(batch);
        if (escrowWei != 0) inbox.release(escrowWei);
        emit Claimed(id, claims, batch, presence, live, data);
    }

    // Finality and callbacks.

    /// @inheritdoc IClaimChain
    function finalise(RequestBatch calldata requests, ClaimBatch calldata claims) external {
        _requireSame(requests, claims);
        _finalise(IdsLib.idOf(claims), requests, claims);
    }

    /// @inheritdoc IClaimChain
    function finaliseContested(ClaimWitness calldata witness) external {
        _requireSame(witness.requests, witness.claims);
        ClaimBatchId batchId = IdsLib.idOf(witness.claims);
        ClaimId id = claimIdOf(batchId, witness.index);
        Record storage record = _records[id];
        if (record.certainty != Certainty.Provisional) revert WrongCertainty(record.certainty, Certainty.Provisional);
        Instant until = _windowEnd(witness.claims).later(record.finalAt);
        if (currentInstant().isBefore(until)) revert WindowOpen(until);

        record.certainty = _final(witness.claims);
        _standings[batchId].write(witness.index, witness.requests.callback ? UNSETTLED : SETTLED);
        _payExecutor(witness.requests, witness.claims, 1);
        emit ContestedFinalised(id, msg.sender);
    }

    /// @inheritdoc IClaimChain
    function settle(ClaimWitness[] calldata witnesses) external {
        uint256 tipsWei = 0;
        for (uint256 i = 0; i < witnesses.length; ++i) {
            // Only a page of one is refused for it: else a consumer could undo every page that it is in, by settling from
            // its callback a claim that comes later.
            if (_settle(witnesses[i], witnesses.length == 1)) tipsWei += witnesses[i].requests.tipWei;
        }
        // Paid once for the page: each claim that counts was marked by this very call.
        if (tipsWei != 0) vault.pay(msg.sender, tipsWei);
    }

    /// @return whether it was this call that settled the claim
    function _settle(ClaimWitness calldata witness, bool alone) private returns (bool) {
        (ClaimId id, ClaimBatchId batchId, RequestId request) = _verify(witness);
        if (witness.request.callback == address(0)) revert NoCallback(request);
        uint256[4] storage words = _standings[batchId];
        uint256 standing = words.read(witness.index);
        if (standing == LIVE) _finalise(batchId, witness.requests, witness.claims);
        else if (standing == SETTLED && alone) revert AlreadySettled(id);
        else if (standing == SETTLED) return false;
        else if (standing == NOT_HERE) revert WrongCertainty(_records[id].certainty, Certainty.Final);
        // After the batch's finality, whose gas is not part of the reserve; a refusal undoes that too.
        CallbackLib.requireGas(witness.request.callbackGas);

        words.write(witness.index, SETTLED);
        _send(witness, Message(request, id, _final(witness.claims), _nextSequence(witness), _outputOf(witness)));
        return true;
    }

    /// @inheritdoc IClaimChain
    function announce(ClaimWitness calldata witness) external {
        (ClaimId id,, RequestId request) = _verify(witness);
        Record storage record = _records[id];
        if (record.certainty != Certainty.Refuted) revert WrongCertainty(record.certainty, Certainty.Refuted);
        if (record.delivery != Delivery.None) revert AlreadySettled(id);
        if (witness.request.callback == address(0)) revert NoCallback(request);
        CallbackLib.requireGas(witness.request.callbackGas);

        record.delivery = Delivery.Sent;
        _send(witness, Message(request, id, Certainty.Refuted, record.sequence, ""));
    }

    /// @inheritdoc IClaimChain
    function retry(ClaimWitness calldata witness) external {
        (ClaimId id,, RequestId request) = _verify(witness);
        Record storage record = _records[id];
        if (record.delivery != Delivery.Failed) revert NothingToRetry(id);
        CallbackLib.requireGas(witness.request.callbackGas);

        record.delivery = Delivery.Sent;
        if (record.certainty == Certainty.Refuted) {
            _send(witness, Message(request, id, Certainty.Refuted, record.sequence, ""));
        } else {
            _send(witness, Message(request, id, _final(witness.claims), record.sequence, _outputOf(witness)));
        }
    }

    /// @inheritdoc IClaimChain
    function announceEndpoint(string calldata url) external {
        uint256 length = bytes(url).length;
        if (length > MAX_ENDPOINT_BYTES) revert EndpointTooLong(length, MAX_ENDPOINT_BYTES);
        emit EndpointAnnounced(msg.sender, url);
    }

    // Dispute game only.

    /// @inheritdoc IContestable
    function contest(ClaimWitness calldata witness) external onlyDisputeGame returns (ClaimId, RequestId) {
        (ClaimId id, ClaimBatchId batchId, RequestId request) = _verify(witness);
        Record storage record = _records[id];
        if (record.certainty != Certainty.None) revert AlreadyContested(id);
        uint256 standing = _standings[batchId].read(witness.index);
        if (standing != LIVE) {
            revert WrongCertainty(standing == NOT_HERE ? Certainty.None : _final(witness.claims), Certainty.Provisional);
        }
        Instant until = _windowEnd(witness.claims);
        // A fault in an eager trace can be proven until finality, like one in an opened trace.
        if (!witness.claims.eager && !currentInstant().isBefore(until)) revert WindowOver(until);

        _standings[batchId].write(witness.index, NOT_HERE);
        record.certainty = Certainty.Challenged;
        record.bondWei = witness.claims.bondWei;
        emit Challenged(id, batchId, witness.index);
        return (id, request);
    }

    /// @inheritdoc IContestable
    /// @dev The record exists only because `contest` saw the whole witness; here its headers suffice.
    function acquit(ClaimWitness calldata witness, Instant finalAt) external onlyDisputeGame {
        ClaimId id = claimIdOf(IdsLib.idOf(witness.claims), witness.index);
        Record storage record = _records[id];
        if (record.certainty != Certainty.Challenged) revert WrongCertainty(record.certainty, Certainty.Challenged);
        record.certainty = Certainty.Provisional;
        record.finalAt = finalAt;
        emit Acquitted(id, finalAt);
    }

    /// @inheritdoc IContestable
    function refute(ClaimWitness calldata witness) external onlyDisputeGame returns (uint96 bondWei) {
        (ClaimId id, RequestId request) = _fall(witness, Certainty.Refuted);
        bondWei = witness.claims.bondWei;
        vault.move(disputeGame, bondWei);
        emit Refuted(id, request);
    }

    /// @inheritdoc IContestable
    function reject(ClaimWitness calldata witness, uint256 costWei)
        external
        onlyDisputeGame
        returns (uint256 movedWei)
    {
        (ClaimId id, RequestId request) = _fall(witness, Certainty.Rejected);
        ClaimBatch calldata claims = witness.claims;
        movedWei = costWei < claims.bondWei ? costWei : claims.bondWei;
        if (movedWei != 0) vault.move(disputeGame, movedWei);
        if (movedWei != claims.bondWei) vault.pay(claims.executor, claims.bondWei - movedWei);
        emit Rejected(id, request);
    }

    // Views.

    /// @inheritdoc IContestable
    function requireWitness(ClaimWitness calldata witness) external view returns (ClaimId id, RequestId request) {
        (id,, request) = _verify(witness);
    }

    /// @inheritdoc IClaimChain
    function certaintyOf(ClaimBatch calldata claims, uint32 index) external view returns (Certainty, uint256) {
        if (index >= claims.count) return (Certainty.None, 0);
        ClaimBatchId batchId = IdsLib.idOf(claims);
        Record storage record = _records[claimIdOf(batchId, index)];
        Instant until = _windowEnd(claims);
        if (record.certainty == Certainty.Provisional) {
            return (Certainty.Provisional, _secondsTo(until.later(record.finalAt)));
        }
        if (record.certainty != Certainty.None) return (record.certainty, 0);
        uint256 standing = _standings[batchId].read(index);
        if (standing == NOT_HERE) return (Certainty.None, 0);
        return standing == LIVE ? (Certainty.Provisional, _secondsTo(until)) : (_final(claims), 0);
    }

    /// @inheritdoc IContestable
    function claimBatchIdOf(ClaimBatch calldata claims) external view returns (ClaimBatchId) {
        return IdsLib.idOf(claims);
    }

    /// @inheritdoc IContestable
    function claimIdOf(ClaimBatchId batchId, uint32 index) public pure returns (ClaimId) {
        return ClaimId.wrap(keccak256(abi.encode(CLAIM_TAG, batchId, index)));
    }

    /// @inheritdoc IClaimChain
    function contested(ClaimId id) external view returns (Contested memory) {
        Record storage record = _records[id];
        return Contested(record.certainty, record.finalAt, record.bondWei);
    }

    // Finality.

    function _finalise(ClaimBatchId id, RequestBatch calldata requests, ClaimBatch calldata claims) private {
        Instant until = _windowEnd(claims);
        if (currentInstant().isBefore(until)) revert WindowOpen(until);
        uint256 live = _standings[id].close(claims.count, requests.callback);
        if (live == 0) revert WrongCertainty(Certainty.None, Certainty.Provisional);
        _payExecutor(requests, claims, live);
        emit Finalised(id, uint32(live), msg.sender);
    }

    /// @dev Fees and bonds to the executor. Tips to the caller, or kept until callbacks are fired.
    function _payExecutor(RequestBatch calldata requests, ClaimBatch calldata claims, uint256 live) private {
        vault.pay(claims.executor, live * (uint256(requests.feeWei) + claims.bondWei));
        uint256 tipsWei = live * requests.tipWei;
        if (tipsWei != 0 && !requests.callback) vault.pay(msg.sender, tipsWei);
    }

    /// @dev What a claim of the batch is when nothing can be said against it any more.
    function _final(ClaimBatch calldata claims) private pure returns (Certainty) {
        return claims.undefined ? Certainty.Undefined : Certainty.Final;
    }

    function _windowEnd(ClaimBatch calldata claims) private view returns (Instant) {
        return claims.claimedAt.afterwards(_challengeWindow(claims.requests));
    }

    function _secondsTo(Instant until) private view returns (uint256) {
        Instant present = currentInstant();
        return present.isBefore(until) ? Instant.unwrap(until) - Instant.unwrap(present) : 0;
    }

    // Callbacks.

    function _send(ClaimWitness calldata witness, Message memory message) private {
        if (CallbackLib.send(witness.request.callback, witness.request.callbackGas, message)) {
            emit CallbackSent(message.request, message.claim, message.certainty, message.sequence);
            return;
        }
        Record storage record = _records[message.claim];
        record.delivery = Delivery.Failed;
        record.sequence = message.sequence;
        emit CallbackFailed(message.request, message.claim, message.certainty, message.sequence);
    }

    /// @dev Empty where there is none.
    function _outputOf(ClaimWitness calldata witness) private pure returns (bytes calldata) {
        if (witness.claims.undefined) return witness.entry[:0];
        return witness.entry[:witness.entry.length - (witness.claims.eager ? 32 : 0)];
    }

    // Fallen claims.

    /// @dev Ends a claim that is challenged, or acquitted and not yet final.
    function _fall(ClaimWitness calldata witness, Certainty fallen) private returns (ClaimId id, RequestId request) {
        (id,, request) = _verify(witness);
        Record storage record = _records[id];
        Certainty certainty = record.certainty;
        if (certainty != Certainty.Challenged && certainty != Certainty.Provisional) {
            revert WrongCertainty(certainty, Certainty.Challenged);
        }
        record.certainty = fallen;
        record.sequence = _nextSequence(witness);
        _reopen(witness, request, fallen);
        uint256 escrowWei = _escrowOf(witness.requests);
        if (escrowWei != 0) vault.move(address(inbox), escrowWei);
    }

    /// @dev Fee and tip of one request, wei.
    function _escrowOf(RequestBatch calldata batch) private pure returns (uint256) {
        return uint256(batch.feeWei) + batch.tipWei;
    }

    // Names and proofs.

    /// @dev Checks everything in a witness but whether its claim batch was ever made: the batch's standings say that,
    /// and a claim batch is only made over a request batch that Inbox ordered.
    function _verify(ClaimWitness calldata witness)
        private
        view
        returns (ClaimId id, ClaimBatchId batchId, RequestId request)
    {
        ClaimBatch calldata claims = witness.claims;
        _requireSame(witness.requests, claims);
        batchId = IdsLib.idOf(claims);
        id = claimIdOf(batchId, witness.index);
        if (!EntriesLib.holds(claims, witness.index, witness.entry, witness.entryPath)) {
            revert NotInClaims(witness.index);
        }
        request = IdsLib.idOf(inbox, witness.request);
        uint32 place = claims.first + witness.index;
        bytes32 leaf = RequestId.unwrap(request);
        if (KeccakTree.keccakPath(leaf, place, witness.requests.count, witness.requestPath) != witness.requests.root) {
            revert IInbox.NotInBatch(request, place);
        }
    }

    function _requireSame(RequestBatch calldata requests, ClaimBatch calldata claims) private view {
        RequestBatchId received = IdsLib.idOf(inbox, requests);
        if (!(received == claims.requests)) revert UnknownRequestBatch(received);
    }

    function _requireNew(ClaimId id) private view {
        Certainty certainty = _records[id].certainty;
        if (certainty != Certainty.None) revert WrongCertainty(certainty, Certainty.None);
    }
}
