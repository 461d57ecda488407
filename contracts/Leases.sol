// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "./interfaces/IClaimChain.sol";
import {IInbox, RequestBatch} from "./interfaces/IInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IVault} from "./interfaces/IVault.sol";
import {BitsLib} from "./libraries/BitsLib.sol";
import {MAX_BOND_DOUBLINGS, MAX_REJECTIONS} from "./libraries/ConstantsLib.sol";
import {IdsLib} from "./libraries/IdsLib.sol";
import {RequestBatchId, RequestId} from "./types/Ids.sol";
import {currentInstant, Duration, Instant} from "./types/Time.sol";

/// @notice An exclusive right to claim, one slot. Without unclaimed requests it is over.
/// @param unclaimed requests it covers that are still to be claimed; each holds one part of the deposit
/// @param challenge the model's challenge window, kept here so that finality needs no look at the model
struct Lease {
    address lessee;
    Instant until;
    uint16 unclaimed;
    Duration challenge;
}

/// @notice What became of earlier claims on one request.
/// @param deadline replaces the batch's deadline once a claim has fallen; zero before
struct Attempts {
    uint32 refutations;
    uint32 rejections;
    Instant deadline;
}

/// @title Which requests may be claimed, by whom, until when, for what bond
/// @notice The requests' half of ClaimChain: leases, the claimed bitmap, attempts and deadlines. Knows no claims.
/// @dev A claimed bit is cleared only when a claim falls, so at most one claim of a request is live, and a final one
/// blocks its request for ever. A reopened request leaves its batch's common lease for good.
abstract contract Leases is IClaimChain {
    using BitsLib for uint256[2];

    IVault public immutable vault;
    IInbox public immutable inbox;
    IModelRegistry public immutable registry;
    Duration public immutable leaseTerm;
    uint96 public immutable leaseDepositWei;

    mapping(RequestBatchId => uint256[2]) private _claimed;
    mapping(RequestBatchId => uint256[2]) private _reopened;
    mapping(RequestBatchId => mapping(uint32 scope => Lease)) private _leases;
    mapping(RequestBatchId => mapping(uint32 index => Attempts)) private _attempts;
    /// @dev The request's id where the executor had a claim on it rejected.
    mapping(RequestBatchId => mapping(uint32 index => mapping(address executor => RequestId))) private _excluded;

    modifier onlyInbox() {
        if (msg.sender != address(inbox)) revert NotTheInbox(msg.sender);
        _;
    }

    constructor(IVault vault_, IInbox inbox_, IModelRegistry registry_, Duration leaseTerm_, uint96 leaseDepositWei_) {
        vault = vault_;
        inbox = inbox_;
        registry = registry_;
        leaseTerm = leaseTerm_;
        leaseDepositWei = leaseDepositWei_;
    }

    /// @inheritdoc IClaimChain
    function lease(RequestBatch calldata batch, uint32 scope) external payable {
        RequestBatchId requests = _requireOrdered(batch);
        uint256 unclaimed = scope == 0 ? _leasableCount(batch, requests) : _requireReopened(batch, requests, scope - 1);
        Lease memory held = _leases[requests][scope];
        Instant present = currentInstant();
        if (held.unclaimed != 0 && present.isBefore(held.until)) revert LeaseHeld(held.lessee, held.until);
        if (unclaimed == 0) revert NothingToClaim();

        Instant until = present.afterwards(leaseTerm);
        _leases[requests][scope] =
            Lease(msg.sender, until, uint16(unclaimed), registry.terms(batch.model).windows.challenge);
        _depositValue();
        if (held.unclaimed != 0) vault.burn(uint256(held.unclaimed) * leaseDepositWei);
        vault.lock(msg.sender, unclaimed * leaseDepositWei);
        emit Leased(requests, scope, msg.sender, until, unclaimed * leaseDepositWei);
    }

    /// @inheritdoc IClaimChain
    function logEmpty(RequestBatchId requests, uint256[2] calldata bits) external onlyInbox {
        _setClaimed(requests, bits);
    }

    /// @inheritdoc IClaimChain
    function retire(RequestBatch calldata batch, uint32 index, RequestId) external onlyInbox {
        RequestBatchId requests = IdsLib.idOf(inbox, batch);
        uint256[2] memory claimed = _claimed[requests];
        if (claimed.has(index)) revert ClaimIsLive(requests, index);
        Instant deadline = _deadlineOf(batch, _attempts[requests][index]);
        if (currentInstant().isBefore(deadline)) revert NotYetRefundable(deadline);
        _claimed[requests][index >> 8] |= 1 << (index & 255);
        _forfeit(requests, _attempts[requests][index].deadline.isZero() ? 0 : index + 1);
    }

    /// @inheritdoc IClaimChain
    function claimedBits(RequestBatchId requests, uint256 word) external view returns (uint256) {
        return _claimed[requests][word];
    }

    /// @inheritdoc IClaimChain
    function attemptsOf(RequestBatchId requests, uint32 index) external view returns (uint32, uint32) {
        Attempts storage attempts = _attempts[requests][index];
        return (attempts.refutations, attempts.rejections);
    }

    /// @inheritdoc IClaimChain
    function leaseOf(RequestBatchId requests, uint32 scope)
        external
        view
        returns (address lessee, Instant until, uint256 depositWei)
    {
        Lease storage held = _leases[requests][scope];
        return (held.lessee, held.until, uint256(held.unclaimed) * leaseDepositWei);
    }

    /// @inheritdoc IClaimChain
    function minimumBond(RequestBatch calldata batch, uint32 attempts) external view returns (uint256) {
        return _minimumBond(batch, registry.terms(batch.model).minBondGas, attempts);
    }

    // Leasing.

    /// @dev Requests that the batch's common lease covers now: not claimed, not reopened.
    function _leasableCount(RequestBatch calldata batch, RequestBatchId requests) private view returns (uint256) {
        if (!currentInstant().isBefore(batch.deadline)) revert DeadlinePassed(batch.deadline);
        uint256[2] memory claimed = _claimed[requests];
        uint256[2] memory reopened = _reopened[requests];
        return batch.count - claimed.size() - reopened.without(claimed).size();
    }

    /// @dev One if reopened request `index` can be claimed by the caller, zero if it is claimed.
    function _requireReopened(RequestBatch calldata batch, RequestBatchId requests, uint32 index)
        private
        view
        returns (uint256)
    {
        if (index >= batch.count) revert RangeOutOfBatch(index, 1, batch.count);
        Instant deadline = _attempts[requests][index].deadline;
        if (deadline.isZero()) revert NotReopened(index);
        RequestId request = _excluded[requests][index][msg.sender];
        if (RequestId.unwrap(request) != 0) revert ExcludedExecutor(msg.sender, request);
        if (!currentInstant().isBefore(deadline)) revert DeadlinePassed(deadline);
        uint256[2] memory claimed = _claimed[requests];
        return claimed.has(index) ? 0 : 1;
    }

    // Claiming.

    /// @dev Takes the present and unclaimed requests for the caller, under its lease.
    /// @return live bits that become claims, relative to the claim batch
    /// @return reopened whether the one request taken is a reopened one
    function _take(RequestBatch calldata batch, ClaimBatch memory claims, uint256[2] memory presence)
        internal
        returns (uint256[2] memory live, bool reopened)
    {
        live = presence.without(_claimed[claims.requests].slice(claims.first));
        if (live.isEmpty()) revert NothingToClaim();
        uint256[2] memory again = live.both(_reopened[claims.requests].slice(claims.first));
        reopened = !again.isEmpty();
        if (reopened && claims.count != 1) revert ReopenedIsClaimedSingly(claims.first + uint32(again.lowest()));
        _useLease(batch, claims, reopened, uint16(live.size()));
        _setClaimed(claims.requests, live.place(claims.first));
    }

    function _useLease(RequestBatch calldata batch, ClaimBatch memory claims, bool reopened, uint16 taken) private {
        Lease storage held = _leases[claims.requests][reopened ? claims.first + 1 : 0];
        if (held.lessee != msg.sender) revert NotTheLessee(msg.sender, held.lessee);
        if (!claims.claimedAt.isBefore(held.until)) revert LeaseExpired(held.until);
        Instant deadline = reopened ? _attempts[claims.requests][claims.first].deadline : batch.deadline;
        if (!claims.claimedAt.isBefore(deadline)) revert DeadlinePassed(deadline);

        _reduce(held, taken);
    }

    function _reduce(Lease storage held, uint16 gone) private {
        uint16 unclaimed = held.unclaimed - gone;
        held.unclaimed = unclaimed;
        // The window stays: claims of this batch read it until they are final.
        if (unclaimed == 0) (held.lessee, held.until) = (address(0), Instant.wrap(0));
    }

    /// @dev Burns the part of the deposit that lies on a request which was leased but never claimed. A lease that has
    /// unclaimed requests covers every one of its scope, and nobody can lease after the deadline.
    function _forfeit(RequestBatchId requests, uint32 scope) private {
        Lease storage held = _leases[requests][scope];
        if (held.unclaimed == 0) return;
        _reduce(held, 1);
        vault.burn(leaseDepositWei);
    }

    /// @dev Only reopened requests have refutations, and they are claimed singly, so the first request's count holds.
    function _requireBond(RequestBatch calldata batch, ClaimBatch memory claims, uint64 minBondGas) internal view {
        uint32 refutations = claims.count == 1 ? _attempts[claims.requests][claims.first].refutations : 0;
        uint256 minimumWei = _minimumBond(batch, minBondGas, refutations);
        if (claims.bondWei < minimumWei) revert BondTooLow(claims.bondWei, minimumWei);
    }

    function _minimumBond(RequestBatch calldata batch, uint64 minBondGas, uint32 refutations)
        private
        view
        returns (uint256)
    {
        uint256 pricedWei = minBondGas * block.basefee;
        uint256 doublings = refutations < MAX_BOND_DOUBLINGS ? refutations : MAX_BOND_DOUBLINGS;
        return (pricedWei > batch.minBondWei ? pricedWei : batch.minBondWei) << doublings;
    }

    function _setClaimed(RequestBatchId requests, uint256[2] memory bits) private {
        uint256[2] storage claimed = _claimed[requests];
        if (bits[0] != 0) claimed[0] |= bits[0];
        if (bits[1] != 0) claimed[1] |= bits[1];
    }

    // After a claim.

    /// @dev Opens the request of a fallen claim again. The new deadline leaves a whole lease and a challenge window;
    /// after too many rejections it is now, so that nobody can lease or claim the request and its refund is due.
    function _reopen(ClaimWitness calldata witness, RequestId request, Certainty fallen) internal {
        RequestBatchId requests = witness.claims.requests;
        uint32 index = witness.claims.first + witness.index;
        Attempts memory attempts = _attempts[requests][index];
        if (fallen == Certainty.Refuted) {
            ++attempts.refutations;
        } else {
            ++attempts.rejections;
            _excluded[requests][index][witness.claims.executor] = request;
        }
        Instant deadline = currentInstant();
        if (attempts.rejections < MAX_REJECTIONS) {
            deadline = deadline.afterwards(_challengeWindow(requests)).afterwards(leaseTerm);
            deadline = deadline.later(_deadlineOf(witness.requests, attempts));
        }
        attempts.deadline = deadline;
        _attempts[requests][index] = attempts;
        _claimed[requests][index >> 8] &= ~(1 << (index & 255));
        _reopened[requests][index >> 8] |= 1 << (index & 255);
        emit Reopened(request, requests, index, attempts.refutations + attempts.rejections, deadline);
    }

    /// @dev Sequence number of the announcement of the claim that ends now. A final claim ends its request, so nothing
    /// raises the counts after it.
    function _nextSequence(ClaimWitness calldata witness) internal view returns (uint64) {
        Attempts storage attempts = _attempts[witness.claims.requests][witness.claims.first + witness.index];
        return uint64(attempts.refutations) + attempts.rejections + 1;
    }

    /// @dev Every batch of requests is first claimed under its common lease, which keeps the model's window.
    function _challengeWindow(RequestBatchId requests) internal view returns (Duration) {
        return _leases[requests][0].challenge;
    }

    function _deadlineOf(RequestBatch calldata batch, Attempts memory attempts) private pure returns (Instant) {
        return attempts.deadline.isZero() ? batch.deadline : attempts.deadline;
    }

    // Names and money.

    function _requireOrdered(RequestBatch calldata batch) internal view returns (RequestBatchId requests) {
        requests = IdsLib.idOf(inbox, batch);
        if (!inbox.isOrdered(requests)) revert UnknownRequestBatch(requests);
    }

    function _depositValue() internal {
        if (msg.value != 0) vault.deposit{value: msg.value}(msg.sender);
    }
}
