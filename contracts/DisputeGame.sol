// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ClaimBatch, ClaimWitness, IClaimChain} from "./interfaces/IClaimChain.sol";
import {
    DemandPage,
    Dispute,
    DisputeStatus,
    IDisputeGame,
    LeafRef,
    StepProof,
    TraceOpening
} from "./interfaces/IDisputeGame.sol";
import {IModelRegistry, Model, Windows} from "./interfaces/IModelRegistry.sol";
import {Committed, FaultProof, IStepJudge, Opening, Verdict} from "./interfaces/IStepJudge.sol";
import {IVault} from "./interfaces/IVault.sol";
import {MAX_DEMAND_LEAVES} from "./libraries/ConstantsLib.sol";
import {Course, DisputeClock, Phase} from "./libraries/DisputeClock.sol";
import {MeterLib} from "./libraries/MeterLib.sol";
import {Shares, SlashLib} from "./libraries/SlashLib.sol";
import {ClaimBatchId, ClaimId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {Duration, Instant, currentInstant} from "./types/Time.sol";

/// @title Challenge, opening, demand and supply, proof, timeouts
/// @notice See `IDisputeGame`. Owns disputes, their clocks and their escrow; knows nothing of floating point (the judge),
/// certainty (ClaimChain) or balances (Vault).
/// @dev Only the four contracts fixed here are ever called, and none of them calls back or calls anyone else in these
/// calls; so checks and effects may use what they return. When a dispute ends, all its wei leave the escrow.
contract DisputeGame is IDisputeGame {
    using SafeCast for uint256;

    /// @notice What one opening costs an executor, gas: a challenger puts up twice that.
    uint256 public constant OPEN_GAS = 120_000;

    /// @notice What the supply of one leaf costs, gas: 1 KiB and its paths at the calldata floor.
    uint256 public constant SUPPLY_LEAF_GAS = 160_000;

    /// @dev What is left to do after the meter is read, at the least, so that nobody earns by being metered:
    /// one fresh word and an event; the payments of a slash; two payments.
    uint256 private constant CHALLENGE_TAIL_GAS = 23_000;
    uint256 private constant SLASH_TAIL_GAS = 40_000;
    uint256 private constant REJECT_TAIL_GAS = 40_000;

    /// @dev A `Dispute`, packed for the moves that are paid for most: challenge and open.
    /// @param open the model's opening window: `open` shows no model
    /// @param depositsWei of all demand pages
    struct Record {
        DisputeStatus status;
        address challenger;
        Instant challengedAt;
        Instant openedAt;
        uint96 bondWei;
        uint96 costWei;
        Duration open;
        BundleRoot traceRoot;
        uint96 depositsWei;
        uint16 demanded;
        uint16 supplied;
    }

    /// @dev One page while it is supplied, and what its leaves are checked against.
    struct Page {
        ClaimId id;
        uint256 number;
        Committed committed;
    }

    IVault public immutable vault;
    IClaimChain public immutable claimChain;
    IModelRegistry public immutable registry;
    IStepJudge public immutable judge;

    mapping(ClaimId => Record) private _records;
    mapping(ClaimId => DemandPage[]) private _pages;

    constructor(IVault vault_, IClaimChain claimChain_, IModelRegistry registry_, IStepJudge judge_) {
        vault = vault_;
        claimChain = claimChain_;
        registry = registry_;
        judge = judge_;
    }

    /// @inheritdoc IDisputeGame
    function challenge(ClaimWitness calldata witness) external payable {
        uint256 startGas = gasleft();
        (ClaimId id,) = claimChain.contest(witness);
        Record storage record = _records[id];
        _requireStatus(record, DisputeStatus.None);
        Windows memory windows = registry.terms(witness.requests.model).windows;
        _requireBefore(witness.claims.claimedAt.afterwards(windows.challenge));
        uint96 bondWei = challengeBond(witness.claims.bondWei).toUint96();

        record.status = DisputeStatus.Challenged;
        record.challenger = msg.sender;
        record.challengedAt = currentInstant();
        emit ChallengeMade(id, msg.sender, witness.claims.executor, bondWei);
        if (witness.claims.eager) _openTrace(id, record, _eagerTrace(witness.entry));

        _lock(bondWei);
        record.costWei = _cap96(MeterLib.costWei(startGas, CHALLENGE_TAIL_GAS, msg.data));
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
            _openTrace(id, record, openings[i].traceRoot);
        }
    }

    /// @inheritdoc IDisputeGame
    function demand(ClaimWitness calldata witness, LeafRef[] calldata refs, StepProof[] calldata steps)
        external
        payable
    {
        if (refs.length == 0) revert NothingDemanded();
        _requireCount(steps.length, refs.length);
        (ClaimId id, Record storage record) = _recall(witness);
        _requireStatus(record, DisputeStatus.Opened);
        uint256 demanded = record.demanded + refs.length;
        if (demanded > MAX_DEMAND_LEAVES) revert TooManyLeaves(demanded, MAX_DEMAND_LEAVES);
        Model memory model = registry.model(witness.requests.model);
        _requireBefore(DisputeClock.collectEnd(_courseOf(record), model.windows));
        _requireSlots(_committed(model, witness, record.traceRoot), refs, steps);

        uint96 depositWei = demandDeposit(refs.length).toUint96();
        record.demanded = uint16(demanded);
        record.depositsWei += depositWei;
        emit Demanded(id, _pages[id].length, msg.sender, refs, depositWei);
        _pages[id].push(DemandPage(msg.sender, depositWei, keccak256(abi.encode(refs)), 0, uint16(refs.length)));
        _lock(depositWei);
    }

    /// @inheritdoc IDisputeGame
    function supply(
        ClaimWitness calldata witness,
        uint256 page,
        LeafRef[] calldata refs,
        uint256[] calldata positions,
        StepProof[] calldata steps,
        Opening[] calldata openings
    ) external {
        _requireCount(steps.length, positions.length);
        _requireCount(openings.length, positions.length);
        Page memory named = _recallPage(witness, page, refs);
        _markSupplied(named, positions, refs.length);
        _requireLeaves(named, refs, positions, steps, openings);
    }

    /// @inheritdoc IDisputeGame
    function prove(ClaimWitness calldata witness, FaultProof calldata proof) external {
        uint256 startGas = gasleft();
        (ClaimId id, Record storage record) = _recall(witness);
        DisputeStatus status = record.status;
        // After acquittal ClaimChain refuses what is final already.
        if (status != DisputeStatus.Acquitted) _requireStatus(record, DisputeStatus.Opened);

        Model memory model = registry.model(witness.requests.model);
        Verdict verdict = _faultOf(id, _committed(model, witness, record.traceRoot), proof);
        bool held = status == DisputeStatus.Opened;
        if (verdict == Verdict.BeyondSound) {
            bool early = currentInstant().isBefore(DisputeClock.proveHalf(_courseOf(record), model.windows));
            _refute(witness, id, early, held, startGas);
        } else {
            _reject(witness, id, held, startGas);
        }
    }

    /// @inheritdoc IDisputeGame
    function proveEager(ClaimWitness calldata witness, FaultProof calldata proof) external {
        uint256 startGas = gasleft();
        (ClaimId id,) = claimChain.contest(witness);
        if (!witness.claims.eager) revert NoEagerTrace(id);
        Record storage record = _records[id];
        _requireStatus(record, DisputeStatus.None);
        record.challengedAt = record.openedAt = currentInstant();

        BundleRoot traceRoot = _eagerTrace(witness.entry);
        Model memory model = registry.model(witness.requests.model);
        Verdict verdict = _faultOf(id, _committed(model, witness, traceRoot), proof);
        if (verdict == Verdict.BeyondSound) _refute(witness, id, false, false, startGas);
        else _reject(witness, id, false, startGas);
    }

    /// @inheritdoc IDisputeGame
    function conclude(ClaimWitness calldata witness) external {
        uint256 startGas = gasleft();
        (ClaimId id, Record storage record) = _recall(witness);
        DisputeStatus status = record.status;
        if (status != DisputeStatus.Challenged) _requireStatus(record, DisputeStatus.Opened);
        Course memory course = _courseOf(record);
        Windows memory windows = registry.terms(witness.requests.model).windows;
        Phase phase = DisputeClock.phaseAt(course, windows, currentInstant());

        if (phase == Phase.Over) {
            _acquit(witness, id, DisputeClock.proveEnd(course, windows));
        } else if (phase == Phase.Unopened || phase == Phase.Starved) {
            emit Silenced(id, status);
            _refute(witness, id, false, true, startGas);
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
    function pageOf(ClaimId id, uint256 page) external view returns (DemandPage memory) {
        if (page >= _pages[id].length) revert UnknownPage(page, _pages[id].length);
        return _pages[id][page];
    }

    /// @inheritdoc IDisputeGame
    function pagesOf(ClaimId id) external view returns (uint256) {
        return _pages[id].length;
    }

    /// @inheritdoc IDisputeGame
    function challengeBond(uint96 claimBondWei) public view returns (uint256) {
        uint256 opening = 2 * OPEN_GAS * block.basefee;
        uint256 stake = claimBondWei / 8;
        return opening < stake ? stake : opening;
    }

    /// @inheritdoc IDisputeGame
    function demandDeposit(uint256 leaves) public view returns (uint256) {
        return leaves * SUPPLY_LEAF_GAS * block.basefee;
    }

    // Moves, from here on.

    function _openTrace(ClaimId id, Record storage record, BundleRoot traceRoot) private {
        if (traceRoot.isZeroBundle()) revert ZeroTraceRoot();
        record.status = DisputeStatus.Opened;
        record.openedAt = currentInstant();
        record.traceRoot = traceRoot;
        emit TraceOpened(id, traceRoot);
    }

    function _markSupplied(Page memory named, uint256[] calldata positions, uint256 size) private {
        DemandPage storage page = _pages[named.id][named.number];
        uint256 supplied = page.supplied;
        for (uint256 i = 0; i < positions.length; ++i) {
            if (positions[i] >= size) revert PositionOutOfPage(positions[i], size);
            if (supplied >> positions[i] & 1 != 0) revert AlreadySupplied(named.number, positions[i]);
            supplied |= 1 << positions[i];
        }
        page.supplied = supplied;
        _records[named.id].supplied += uint16(positions.length);
    }

    function _requireLeaves(
        Page memory named,
        LeafRef[] calldata refs,
        uint256[] calldata positions,
        StepProof[] calldata steps,
        Opening[] calldata openings
    ) private {
        for (uint256 i = 0; i < positions.length; ++i) {
            _requireLeaf(named.committed, refs[positions[i]], steps[i], openings[i]);
            emit Supplied(named.id, named.number, positions[i], refs[positions[i]], openings[i]);
        }
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
    function _refute(ClaimWitness calldata witness, ClaimId id, bool early, bool held, uint256 startGas) private {
        Record storage record = _records[id];
        address challenger = record.challenger;
        uint256 pages = _pages[id].length;
        record.status = DisputeStatus.Refuted;

        uint256 bondWei = claimChain.refute(witness);
        uint256 gasWei = MeterLib.costWei(startGas, SLASH_TAIL_GAS, msg.data);
        Shares memory shares = SlashLib.split(bondWei, gasWei, pages, challenger != address(0), early);
        emit Slashed(id, bondWei, shares.burnedWei, shares.challengerWei, shares.senderWei, shares.demanderWei * pages);
        vault.burn(shares.burnedWei);
        _pay(challenger, shares.challengerWei + (held ? record.bondWei : 0));
        _pay(msg.sender, shares.senderWei);
        _payDemanders(id, shares.demanderWei, held);
    }

    function _reject(ClaimWitness calldata witness, ClaimId id, bool held, uint256 startGas) private {
        Record storage record = _records[id];
        uint256 challengerWei = record.costWei;
        record.status = DisputeStatus.Rejected;

        uint256 gasWei = MeterLib.costWei(startGas, REJECT_TAIL_GAS, msg.data);
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
        claimChain.acquit(witness, finalAt);
        uint256 executorWei = record.bondWei / 2;
        vault.burn(record.bondWei - executorWei);
        _pay(witness.claims.executor, executorWei + record.depositsWei);
    }

    // Money.

    function _lock(uint256 amountWei) private {
        if (msg.value > 0) vault.deposit{value: msg.value}(msg.sender);
        vault.lock(msg.sender, amountWei);
    }

    function _pay(address account, uint256 amountWei) private {
        if (amountWei > 0) vault.pay(account, amountWei);
    }

    /// @dev At most 256 pages, so that this always fits into a transaction.
    function _payDemanders(ClaimId id, uint256 partWei, bool held) private {
        DemandPage[] storage pages = _pages[id];
        for (uint256 i = 0; i < pages.length; ++i) {
            _pay(pages[i].demander, partWei + (held ? pages[i].depositWei : 0));
        }
    }

    // What is known of a claim.

    function _recall(ClaimWitness calldata witness) private view returns (ClaimId id, Record storage record) {
        (id,) = claimChain.requireWitness(witness);
        record = _records[id];
    }

    /// @dev The page of an opened dispute, while it may be supplied.
    function _recallPage(ClaimWitness calldata witness, uint256 number, LeafRef[] calldata refs)
        private
        view
        returns (Page memory)
    {
        (ClaimId id, Record storage record) = _recall(witness);
        _requireStatus(record, DisputeStatus.Opened);
        Model memory model = registry.model(witness.requests.model);
        _requireBefore(DisputeClock.supplyEnd(_courseOf(record), model.windows));
        if (number >= _pages[id].length) revert UnknownPage(number, _pages[id].length);
        bytes32 refsHash = keccak256(abi.encode(refs));
        bytes32 expected = _pages[id][number].refsHash;
        if (refsHash != expected) revert WrongPage(refsHash, expected);
        return Page(id, number, _committed(model, witness, record.traceRoot));
    }

    function _committed(Model memory model, ClaimWitness calldata witness, BundleRoot traceRoot)
        private
        pure
        returns (Committed memory)
    {
        bytes calldata entry = witness.entry;
        return Committed({
            graphRoot: model.graphRoot,
            graphHeader: model.graphHeader,
            inputsRoot: witness.request.inputsRoot,
            weightsRoot: model.weightsRoot,
            traceRoot: traceRoot,
            numericsRoot: model.numericsRoot,
            numericsHeader: model.numericsHeader,
            outputHeader: model.outputHeader,
            outputBand: model.outputBand,
            slashBand: model.slashBand,
            claimedOutput: witness.claims.eager ? entry[:entry.length - 32] : entry
        });
    }

    function _eagerTrace(bytes calldata entry) private pure returns (BundleRoot) {
        return BundleRoot.wrap(bytes32(entry[entry.length - 32:]));
    }

    function _courseOf(Record storage record) private view returns (Course memory) {
        return Course({
            challengedAt: record.challengedAt,
            openedAt: record.openedAt,
            demanded: record.demanded > 0,
            missing: record.supplied < record.demanded
        });
    }

    function _cap96(uint256 amountWei) private pure returns (uint96) {
        return amountWei < type(uint96).max ? uint96(amountWei) : type(uint96).max;
    }

    // Guards.

    function _requireStatus(Record storage record, DisputeStatus expected) private view {
        if (record.status != expected) revert WrongStatus(record.status, expected);
    }

    function _requireBefore(Instant until) private view {
        if (!currentInstant().isBefore(until)) revert TooLate(currentInstant(), until);
    }

    function _requireCount(uint256 received, uint256 expected) private pure {
        if (received != expected) revert WrongCount(received, expected);
    }

    function _requireSlots(Committed memory committed, LeafRef[] calldata refs, StepProof[] calldata steps)
        private
        view
    {
        for (uint256 i = 0; i < refs.length; ++i) {
            judge.requireSlot(committed, refs[i].step, steps[i].record, steps[i].path, refs[i].slot, refs[i].leaf);
        }
    }

    function _requireLeaf(
        Committed memory committed,
        LeafRef calldata ref,
        StepProof calldata step,
        Opening calldata opening
    ) private view {
        judge.requireLeaf(committed, ref.step, step.record, step.path, ref.slot, ref.leaf, opening);
    }
}
