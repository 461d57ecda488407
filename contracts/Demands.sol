// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ClaimWitness, IContestable} from "./interfaces/IContestable.sol";
import {DemandPage, DisputeStatus, IDisputeGame, LeafRef, StepProof} from "./interfaces/IDisputeGame.sol";
import {IModels, Model, Windows} from "./interfaces/IModels.sol";
import {Committed, IStepJudge, Opening} from "./interfaces/IStepJudge.sol";
import {IVault} from "./interfaces/IVault.sol";
import {MAX_DEMAND_LEAVES} from "./libraries/ConstantsLib.sol";
import {Course, DisputeClock} from "./libraries/DisputeClock.sol";
import {ClaimId} from "./types/Ids.sol";
import {BundleRoot} from "./types/Roots.sol";
import {Duration, Instant, currentInstant} from "./types/Time.sol";

/// @title Disputes as they are kept, and the leaves demanded and supplied in them
/// @notice The half of the game that makes traces available. Knows no verdicts: it only checks that a leaf exists in the
/// graph or the claimed output before it may be demanded, and that it is that leaf when it is supplied.
abstract contract Demands is IDisputeGame {
    using SafeCast for uint256;

    /// @notice What the supply of one leaf costs, gas: 1 KiB and its paths at the calldata floor.
    uint256 public constant SUPPLY_LEAF_GAS = 240_000;

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
    IContestable public immutable claimChain;
    IModels public immutable registry;
    IStepJudge public immutable judge;

    mapping(ClaimId => Record) internal _records;
    mapping(ClaimId => DemandPage[]) internal _pages;

    constructor(IVault vault_, IContestable claimChain_, IModels registry_, IStepJudge judge_) {
        vault = vault_;
        claimChain = claimChain_;
        registry = registry_;
        judge = judge_;
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
        bool first = record.demanded == 0;

        uint96 depositWei = demandDeposit(refs.length).toUint96();
        record.demanded = uint16(demanded);
        record.depositsWei += depositWei;
        emit Demanded(id, _pages[id].length, msg.sender, refs, depositWei);
        _pages[id].push(DemandPage(msg.sender, depositWei, keccak256(abi.encode(refs)), 0, uint16(refs.length)));
        if (first) _afterFirstDemand(witness, _courseOf(record), model.windows);
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
    function pageOf(ClaimId id, uint256 page) external view returns (DemandPage memory) {
        if (page >= _pages[id].length) revert UnknownPage(page, _pages[id].length);
        return _pages[id][page];
    }

    /// @inheritdoc IDisputeGame
    function pagesOf(ClaimId id) external view returns (uint256) {
        return _pages[id].length;
    }

    /// @inheritdoc IDisputeGame
    function demandDeposit(uint256 leaves) public view returns (uint256) {
        return leaves * SUPPLY_LEAF_GAS * block.basefee;
    }

    // Leaves.

    /// @dev From now on what is hidden becomes known by the end of the supply period at the latest.
    function _afterFirstDemand(ClaimWitness calldata witness, Course memory course, Windows memory windows)
        internal
        virtual;

    function _markSupplied(Page memory named, uint256[] calldata positions, uint256 size) private {
        DemandPage storage page = _pages[named.id][named.number];
        uint256 supplied = page.supplied;
        uint16 fresh = 0;
        for (uint256 i = 0; i < positions.length; ++i) {
            if (positions[i] >= size) revert PositionOutOfPage(positions[i], size);
            // Not refused: else whoever supplies one leaf first would undo a call that supplies many.
            if (supplied >> positions[i] & 1 == 0) ++fresh;
            supplied |= 1 << positions[i];
        }
        page.supplied = supplied;
        _records[named.id].supplied += fresh;
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

    // Money.

    function _lock(uint256 amountWei) internal {
        if (msg.value > 0) vault.deposit{value: msg.value}(msg.sender);
        vault.lock(msg.sender, amountWei);
    }

    function _pay(address account, uint256 amountWei) internal {
        if (amountWei > 0) vault.pay(account, amountWei);
    }

    /// @dev At most 256 pages, so that this always fits into a transaction.
    function _payDemanders(ClaimId id, uint256 partWei, bool held) internal {
        DemandPage[] storage pages = _pages[id];
        for (uint256 i = 0; i < pages.length; ++i) {
            _pay(pages[i].demander, partWei + (held ? pages[i].depositWei : 0));
        }
    }

    // What is known of a claim.

    function _recall(ClaimWitness calldata witness) internal view returns (ClaimId id, Record storage record) {
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
        internal
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
            undefined: witness.claims.undefined,
            claimedOutput: witness.claims.eager ? entry[:entry.length - 32] : entry
        });
    }

    function _courseOf(Record storage record) internal view returns (Course memory) {
        return Course({
            challengedAt: record.challengedAt,
            openedAt: record.openedAt,
            demanded: record.demanded > 0,
            missing: record.supplied < record.demanded
        });
    }

    // Guards.

    function _requireStatus(Record storage record, DisputeStatus expected) internal view {
        if (record.status != expected) revert WrongStatus(record.status, expected);
    }

    function _requireBefore(Instant until) internal view {
        if (!currentInstant().isBefore(until)) revert TooLate(currentInstant(), until);
    }

    function _requireCount(uint256 received, uint256 expected) private pure {
        if (received != expected) revert WrongCount(received, expected);
    }
}
