// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimBatch, ClaimWitness} from "./IClaimChain.sol";
import {FaultKind, FaultProof, Opening, Verdict} from "./IStepJudge.sol";
import {ClaimBatchId, ClaimId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {Instant} from "../types/Time.sol";

enum DisputeStatus {
    None,
    Challenged,
    Opened,
    Acquitted,
    Rejected,
    Refuted
}

/// @notice State of one dispute. Its clocks follow from `challengedAt`, `openedAt`, whether leaves were demanded, and
/// the windows of the claim's model.
/// @param costWei metered gas of the challenge, priced when it was made
/// @param demanded leaves demanded so far
/// @param supplied leaves supplied so far
struct Dispute {
    DisputeStatus status;
    address challenger;
    uint96 bondWei;
    uint96 costWei;
    Instant challengedAt;
    Instant openedAt;
    uint16 demanded;
    uint16 supplied;
    BundleRoot traceRoot;
}

/// @notice The executor's answer to the challenge of claim `index` of a batch.
struct TraceOpening {
    uint32 index;
    BundleRoot traceRoot;
}

/// @notice One leaf that somebody misses, named as a step sees it; or a leaf of the claimed output, if the claim holds
/// only its root: in slot 0 of the step after the last. That is in no graph and no bundle, so its `StepProof` and its
/// bundle path are empty.
/// @param slot 0 the step's result, 1.. its operands (inputs, weights or earlier results)
struct LeafRef {
    uint32 step;
    uint8 slot;
    uint32 leaf;
}

/// @notice A page of demanded leaves: what one `demand` call asked for.
/// @param refsHash keccak of its `LeafRef`s
/// @param supplied bit i: leaf i of the page was supplied
struct DemandPage {
    address demander;
    uint96 depositWei;
    bytes32 refsHash;
    uint256 supplied;
    uint16 count;
}

/// @notice Proof of a step's record, so that a leaf's tensor header is taken from the graph and never from a trace. Empty
/// for a leaf of the claimed output.
struct StepProof {
    bytes record;
    bytes32[] path;
}

/// @title Challenge, opening, demand and supply, proof, timeouts
/// @notice Rounds are constant: challenge, open, prove; with an eager trace, prove. Once a trace is open anyone may
/// prove. Time: in time means strictly before the deadline (`Instant.isBefore`); what may happen after a deadline may
/// not happen before it, so proof and timeout never overlap.
/// @dev Money: of a refuted claim's bond half is burned first; the sender of the proof gets its metered gas; a quarter
/// goes to the challenger; the rest in equal parts to the sender and each demand page; what is left is burned. In the
/// first half of the prove window the sender's part belongs to the challenger.
interface IDisputeGame {
    event ChallengeMade(ClaimId indexed id, address indexed challenger, address indexed executor, uint96 bondWei);
    event TraceOpened(ClaimId indexed id, BundleRoot traceRoot);
    event Demanded(ClaimId indexed id, uint256 indexed page, address demander, LeafRef[] refs, uint256 depositWei);
    event Supplied(ClaimId indexed id, uint256 indexed page, uint256 indexed position, LeafRef leaf, Opening opening);
    event FaultProven(
        ClaimId indexed id, address indexed sender, Verdict verdict, FaultKind kind, uint32 step, uint32 element
    );
    event Silenced(ClaimId indexed id, DisputeStatus stage);
    event Cleared(ClaimId indexed id, Instant finalAt);
    /// @notice Where a refuted claim's bond went, wei.
    event Slashed(
        ClaimId indexed id, uint256 bondWei, uint256 burnedWei, uint256 challengerWei, uint256 senderWei, uint256 demandersWei
    );

    error NotTheExecutor(address received, address expected);
    error WrongStatus(DisputeStatus received, DisputeStatus expected);
    error TooEarly(Instant current, Instant from);
    error TooLate(Instant current, Instant until);
    error NoEagerTrace(ClaimId received);
    error ZeroTraceRoot();
    error NothingOpened();
    error NothingDemanded();
    /// @notice Lists that must be equally long are not.
    error WrongCount(uint256 received, uint256 expected);
    error TooManyLeaves(uint256 received, uint256 maximum);
    error UnknownPage(uint256 received, uint256 pages);
    error WrongPage(bytes32 received, bytes32 expected);
    error PositionOutOfPage(uint256 received, uint256 size);
    error NoFaultFound();
    error NotBeyondSound(Verdict received);

    /// @notice Demands that a claim's trace be opened. Once per claim, in its challenge window. `msg.value` is added to
    /// the caller's Vault balance first; the bond is locked from there. An eager claim's own trace is open from then on:
    /// so leaves of a trace that nobody serves can be demanded.
    function challenge(ClaimWitness calldata witness) external payable;

    /// @notice Executor only: opens the traces of any number of challenged claims of one batch.
    function open(ClaimBatch calldata claims, TraceOpening[] calldata openings) external;

    /// @notice In the collect period: asks for leaves of an opened trace or of the claimed output, against a deposit for
    /// their supply.
    /// @param refs at least one, and with those demanded before at most 256
    /// @param steps one proof per ref
    function demand(ClaimWitness calldata witness, LeafRef[] calldata refs, StepProof[] calldata steps) external payable;

    /// @notice Supplies leaves of one page, in time. Anyone may; the executor must. A leaf that somebody supplied before
    /// changes nothing.
    /// @param refs the whole page, as demanded
    /// @param positions which leaves of the page; `steps` and `openings` have one item for each
    function supply(
        ClaimWitness calldata witness,
        uint256 page,
        LeafRef[] calldata refs,
        uint256[] calldata positions,
        StepProof[] calldata steps,
        Opening[] calldata openings
    ) external;

    /// @notice Shows one wrong thing in an opened trace, at any time until the claim is final. Reverts if it is none.
    /// @dev A fault beyond only a calibrated bound or band rejects, and is heard from the end of the prove window on, when
    /// nobody slashed: else a liar would escape by a small fault of its own. An acquitted claim waits for it as long.
    function prove(ClaimWitness calldata witness, FaultProof calldata proof) external;

    /// @notice Shows one wrong thing in an eagerly committed trace: the whole dispute in one transaction. Only beyond a
    /// sound bound; what only rejects goes through `challenge` and `prove`.
    function proveEager(ClaimWitness calldata witness, FaultProof calldata proof) external;

    /// @notice Ends a dispute whose clock has run out: silence refutes; nothing proven acquits.
    function conclude(ClaimWitness calldata witness) external;

    function disputeOf(ClaimId id) external view returns (Dispute memory);
    function pageOf(ClaimId id, uint256 page) external view returns (DemandPage memory);
    function pagesOf(ClaimId id) external view returns (uint256);
    /// @notice Bond a challenge needs at this block's base fee, for a claim with this bond, wei. In the game of scores it
    /// doubles with every 32 other items of the claim that are in dispute.
    function challengeBond(uint96 claimBondWei) external view returns (uint256);
    /// @notice Deposit for demanding `leaves` leaves at this block's base fee, wei.
    function demandDeposit(uint256 leaves) external view returns (uint256);
}
