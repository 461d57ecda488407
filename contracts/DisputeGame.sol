// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Demands} from "./Demands.sol";
import {ClaimBatch, ClaimWitness, IContestable} from "./interfaces/IContestable.sol";
import {Dispute, DisputeStatus, IDisputeGame, TraceOpening} from "./interfaces/IDisputeGame.sol";
import {IModels, Model, Windows} from "./interfaces/IModels.sol";
import {Committed, FaultProof, IStepJudge, Verdict} from "./interfaces/IStepJudge.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Course, DisputeClock, Phase} from "./libraries/DisputeClock.sol";
import {EncodedSize} from "./libraries/EncodedSize.sol";
import {Meter, MeterLib} from "./libraries/MeterLib.sol";
import {Shares, SlashLib} from "./libraries/SlashLib.sol";
import {ClaimBatchId, ClaimId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {Instant, currentInstant} from "./types/Time.sol";

/// @title Challenge, opening, demand and supply, proof, timeouts
/// @notice See `IDisputeGame`. Owns disputes, their clocks and their escrow; knows nothing of floating point (the judge),
/// certainty (ClaimChain) or balances (Vault).
/// @dev Only the four contracts fixed here are ever called, and none of them calls back or calls anyone else in these
/// calls; so checks and effects may use what they return. When a dispute ends, all its wei leave the escrow.
contract DisputeGame is Demands {
    using SafeCast for uint256;

    /// @notice What a challenge costs an honest executor, gas: one opening and the conclusion that acquits. A challenger
    /// puts up twice that, of which an honest executor gets half.
    uint256 public constant OPEN_GAS = 240_000;

    /// @dev What is left to do after the meter is read, at the least, so that nobody earns by being metered:
    /// one fresh word; the payments of a slash; ClaimChain's part of a rejection and two payments; one page's payment.
    uint256 private constant CHALLENGE_TAIL_GAS = 22_000;
    uint256 private constant SLASH_TAIL_GAS = 25_000;
    uint256 private constant REJECT_TAIL_GAS = 100_000;
    uint256 private constant PAGE_TAIL_GAS = 5_000;

    constructor(IVault vault_, IContestable claimChain_, IModels registry_, IStepJudge judge_)
        Demands(vault_, claimChain_, registry_, judge_)
    {}

    /// @inheritdoc IDisputeGame
    function challenge(ClaimWitness calldata witness) external payable {
        Meter memory meter = Meter(gasleft(), EncodedSize.ofCall(witness));
        (ClaimId id,) = claimChain.contest(witness);
        Record storage record = _records[id];
        _requireStatus(record, DisputeStatus.None);
        Windows memory windows = registry.terms(witness.requests.model).windows;
        _requireChallengeable(witness.claims, windows);
        uint96 bondWei = _bondOf(witness.claims).toUint96();

        record.status = DisputeStatus.Challenged;
        record.challenger = msg.sender;
        record.challengedAt = currentInstant();
        emit ChallengeMade(id, msg.sender, witness.claims.executor, bondWei);
        if (witness.claims.eager) _openTrace(id, record, _eagerTrace(witness.entry));

        _lock(bondWei);
        record.costWei = _cap96(MeterLib.costWei(meter, CHALLENGE_TAIL_GAS));
        record.bondWei = bondWei;
        record.open = windows.open;
    }

    /// @inheritdoc IDisputeGame
    function open(ClaimBatch calldata claims, TraceOpening[] calldata openings) external {
        if (msg.sender != claims.executor) revert NotTheExecutor(msg.sender, claims.executor);
        if (openings.length == 0) revert NothingOpened();
        ClaimBatchId batchId = claimChain.claimBatchIdOf(claims);
        for (uint256 i = 0; i < openings.length; ++i) {
            ClaimId id = claimChain.claimIdOf(batchId, openings[i].index);
            Record storage record = _records[id];
            _requireStatus(record, DisputeStatus.Challenged);
            _requireBefore(DisputeClock.openEnd(record.challengedAt, record.open));
            if (openings[i].traceRoot.isZeroBundle()) revert ZeroTraceRoot();
            _openTrace(id, record, openings[i].traceRoot);
        }
    }

    /// @inheritdoc IDisputeGame
    function prove(ClaimWitness calldata witness, FaultProof calldata proof) external {
        Meter memory meter = Meter(gasleft(), EncodedSize.ofCall(witness, proof));
        (ClaimId id, Record storage record) = _recall(witness);
        DisputeStatus status = record.status;
        // After acquittal ClaimChain refuses what is final already.
        if (status != DisputeStatus.Acquitted) _requireStatus(record, DisputeStatus.Opened);

        Model memory model = registry.model(witness.requests.model);
        Verdict verdict = _faultOf(id, _committed(model, witness, record.traceRoot), proof);
        bool held = status == DisputeStatus.Opened;
        Course memory course = _courseOf(record);
        if (verdict == Verdict.BeyondSound) {
            bool early = currentInstant().isBefore(DisputeClock.proveHalf(course, model.windows));
            _refute(witness, id, early, held, meter);
        } else {
            // Else a liar would prove a small fault of its own before somebody proves the one that slashes.
            _requireOver(course, model.windows);
            _reject(witness, id, held, meter);
        }
    }

    /// @inheritdoc IDisputeGame
    function proveEager(ClaimWitness calldata witness, FaultProof calldata proof) external {
        Meter memory meter = Meter(gasleft(), EncodedSize.ofCall(witness, proof));
        (ClaimId id,) = claimChain.contest(witness);
        if (!witness.claims.eager) revert NoEagerTrace(id);
        Record storage record = _records[id];
        _requireStatus(record, DisputeStatus.None);
        record.challengedAt = record.openedAt = currentInstant();

        BundleRoot traceRoot = _eagerTrace(witness.entry);
        Model memory model = registry.model(witness.requests.model);
        Verdict verdict = _faultOf(id, _committed(model, witness, traceRoot), proof);
        if (verdict != Verdict.BeyondSound) revert NotBeyondSound(verdict);
        _refute(witness, id, false, false, meter);
    }

    /// @inheritdoc IDisputeGame
    function conclude(ClaimWitness calldata witness) external {
        Meter memory meter = Meter(gasleft(), EncodedSize.ofCall(witness));
        (ClaimId id, Record storage record) = _recall(witness);
        DisputeStatus status = record.status;
        if (status != DisputeStatus.Challenged) _requireStatus(record, DisputeStatus.Opened);
        Course memory course = _courseOf(record);
        Windows memory windows = registry.terms(witness.requests.model).windows;
        Phase phase = DisputeClock.phaseAt(course, windows, currentInstant());

        if (phase == Phase.Over) {
            _acquit(witness, id, DisputeClock.finalFrom(course, windows));
        } else if (phase == Phase.Unopened || phase == Phase.Starved) {
            emit Silenced(id, status);
            _refute(witness, id, false, true, meter);
        } else {
            revert TooEarly(currentInstant(), DisputeClock.concludableFrom(course, windows));
        }
    }

    /// @inheritdoc IDisputeGame
    function disputeOf(ClaimId id) external view returns (Dispute memory) {
        Record storage record = _records[id];
        return Dispute({
            status: record.status,
            challenger: record.challenger,
            bondWei: record.bondWei,
            costWei: record.costWei,
            challengedAt: record.challengedAt,
            openedAt: record.openedAt,
            demanded: record.demanded,
            supplied: record.supplied,
            traceRoot: record.traceRoot
        });
    }

    /// @inheritdoc IDisputeGame
    function challengeBond(uint96 claimBondWei) public view returns (uint256) {
        uint256 opening = 2 * OPEN_GAS * block.basefee;
        uint256 stake = claimBondWei / 8;
        return opening < stake ? stake : opening;
    }

    // Moves, from here on.

    /// @dev An eager claim's root may be anything, zero too: no leaf of such a trace can be supplied.
    function _openTrace(ClaimId id, Record storage record, BundleRoot traceRoot) private {
        record.status = DisputeStatus.Opened;
        record.openedAt = currentInstant();
        record.traceRoot = traceRoot;
        emit TraceOpened(id, traceRoot);
    }

    function _faultOf(ClaimId id, Committed memory committed, FaultProof calldata proof)
        private
        returns (Verdict verdict)
    {
        verdict = judge.judge(committed, proof);
        if (verdict == Verdict.NoFault) revert NoFaultFound();
        emit FaultProven(id, msg.sender, verdict, proof.kind, proof.step, proof.element);
    }

    /// @param early whether the sender's part belongs to the challenger
    /// @param held whether challenge bond and deposits still lie in escrow
    function _refute(ClaimWitness calldata witness, ClaimId id, bool early, bool held, Meter memory meter) private {
        Record storage record = _records[id];
        address challenger = record.challenger;
        uint256 pages = _pages[id].length;
        record.status = DisputeStatus.Refuted;

        uint256 bondWei = claimChain.refute(witness);
        uint256 gasWei = MeterLib.costWei(meter, SLASH_TAIL_GAS + pages * PAGE_TAIL_GAS);
        Shares memory shares = SlashLib.split(bondWei, gasWei, pages, challenger != address(0), early);
        emit Slashed(id, bondWei, shares.burnedWei, shares.challengerWei, shares.senderWei, shares.demanderWei * pages);
        vault.burn(shares.burnedWei);
        _pay(challenger, shares.challengerWei + (held ? record.bondWei : 0));
        _pay(msg.sender, shares.senderWei);
        _payDemanders(id, shares.demanderWei, held);
    }

    function _reject(ClaimWitness calldata witness, ClaimId id, bool held, Meter memory meter) private {
        Record storage record = _records[id];
        uint256 challengerWei = record.costWei;
        record.status = DisputeStatus.Rejected;

        uint256 gasWei = MeterLib.costWei(meter, REJECT_TAIL_GAS + _pages[id].length * PAGE_TAIL_GAS);
        uint256 movedWei = claimChain.reject(witness, challengerWei + gasWei);
        if (movedWei < challengerWei) challengerWei = movedWei;
        _pay(record.challenger, challengerWei + (held ? record.bondWei : 0));
        _pay(msg.sender, movedWei - challengerWei);
        _payDemanders(id, 0, held);
    }

    function _acquit(ClaimWitness calldata witness, ClaimId id, Instant finalAt) private {
        Record storage record = _records[id];
        record.status = DisputeStatus.Acquitted;
        emit Cleared(id, finalAt);
        bool fallen = _hasFallen(witness.claims);
        claimChain.acquit(witness, finalAt);
        if (fallen) {
            // Whoever doubted a liar pays nothing for having asked at the wrong place.
            _pay(record.challenger, record.bondWei);
            _payDemanders(id, 0, true);
            return;
        }
        uint256 executorWei = record.bondWei / 2;
        vault.burn(record.bondWei - executorWei);
        _pay(witness.claims.executor, executorWei + record.depositsWei);
    }

    // What a game of claims that bear one bond for many items sees otherwise.

    function _requireChallengeable(ClaimBatch calldata claims, Windows memory windows) internal view virtual {
        _requireBefore(claims.claimedAt.afterwards(windows.challenge));
    }

    /// @dev Of the challenge that is being made, which its claim has counted already.
    function _bondOf(ClaimBatch calldata claims) internal view virtual returns (uint256) {
        return challengeBond(claims.bondWei);
    }

    /// @dev Whether the claim was refuted by something else while this dispute went on.
    function _hasFallen(ClaimBatch calldata) internal view virtual returns (bool) {
        return false;
    }

    /// @inheritdoc Demands
    function _afterFirstDemand(ClaimWitness calldata, Course memory, Windows memory) internal virtual override {}

    // Small parts.

    function _eagerTrace(bytes calldata entry) private pure returns (BundleRoot) {
        return BundleRoot.wrap(bytes32(entry[entry.length - 32:]));
    }

    function _requireOver(Course memory course, Windows memory windows) private view {
        if (DisputeClock.phaseAt(course, windows, currentInstant()) != Phase.Over) {
            revert TooEarly(currentInstant(), DisputeClock.proveEnd(course, windows));
        }
    }

    function _cap96(uint256 amountWei) private pure returns (uint96) {
        return amountWei < type(uint96).max ? uint96(amountWei) : type(uint96).max;
    }
}
