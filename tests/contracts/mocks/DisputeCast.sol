// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";
import {DisputeGame} from "../../../contracts/DisputeGame.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {ClaimBatch, ClaimWitness, IContestable} from "../../../contracts/interfaces/IContestable.sol";
import {Dispute, DisputeStatus, LeafRef, StepProof, TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {IModels, Windows} from "../../../contracts/interfaces/IModels.sol";
import {FaultProof, IStepJudge, Opening, Verdict} from "../../../contracts/interfaces/IStepJudge.sol";
import {ClaimId, ModelId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Harness} from "../Harness.sol";
import {ToyClaims, ToyJudge, ToyRegistry} from "./DisputeDoubles.sol";

/// @notice A dispute among a cast, over a real Vault and doubles of the rest. Claims cost 8 ether of bond.
abstract contract DisputeCast is Harness {
    address internal constant EXECUTOR = address(0xE1); // claims; honest or liar as the test has it
    address internal constant CHALLENGER = address(0xC1);
    address internal constant SENDER = address(0x51); // sends proofs
    address internal constant DEMANDER = address(0xD1);
    address internal constant THIEF = address(0x7F);

    uint96 internal constant BOND = 8 ether;
    uint256 internal constant START = 1_000_000;
    uint256 internal constant FEE = 10 gwei;
    bytes32 internal constant TRACE = keccak256("trace");

    Vault internal vault;
    ToyClaims internal claims;
    ToyRegistry internal registry;
    ToyJudge internal judge;
    DisputeGame internal game;

    function setUp() public virtual {
        vm.warp(START);
        vm.fee(FEE);
        vm.txGasPrice(FEE);
        claims = new ToyClaims();
        registry = new ToyRegistry();
        judge = new ToyJudge();
        address[] memory modules = new address[](2);
        modules[0] = address(claims);
        modules[1] = LibRLP.computeAddress(address(this), 5);
        vault = new Vault(modules);
        game = new DisputeGame(
            vault, IContestable(address(claims)), IModels(address(registry)), IStepJudge(address(judge))
        );
        claims.connect(vault, address(game));
        registry.setWindows(windows());
        fund(EXECUTOR);
        fund(CHALLENGER);
        fund(DEMANDER);
    }

    function windows() internal pure returns (Windows memory) {
        return Windows(Duration.wrap(200), Duration.wrap(100), Duration.wrap(40), Duration.wrap(60), Duration.wrap(80));
    }

    function fund(address account) internal {
        vm.deal(address(this), 1000 ether);
        vault.deposit{value: 1000 ether}(account);
    }

    /// @notice Claim `index` of a batch of four; each `nonce` is a batch of its own.
    function claimed(uint256 nonce, uint32 index, bool eager) internal pure returns (ClaimWitness memory witness) {
        witness.claims.executor = EXECUTOR;
        witness.claims.count = 4;
        witness.claims.bondWei = BOND;
        witness.claims.root = keccak256(abi.encode(nonce));
        witness.claims.claimedAt = instant(START);
        witness.claims.eager = eager;
        witness.index = index;
        witness.requests.model = ModelId.wrap(keccak256("model"));
        witness.request.inputsRoot = BundleRoot.wrap(keccak256("inputs"));
        witness.entry = eager ? abi.encodePacked(uint32(7), TRACE) : abi.encodePacked(uint32(7));
    }

    /// @notice Claim 0 of a fresh batch, whose four bonds are locked.
    function live(uint256 nonce, bool eager) internal returns (ClaimWitness memory witness, ClaimId id) {
        witness = claimed(nonce, 0, eager);
        claims.post(witness.claims);
        id = claims.idOf(witness);
    }

    function challenged() internal returns (ClaimWitness memory witness, ClaimId id) {
        (witness, id) = live(0, false);
        vm.prank(CHALLENGER);
        game.challenge(witness);
    }

    function opened() internal returns (ClaimWitness memory witness, ClaimId id) {
        (witness, id) = challenged();
        openTrace(witness);
    }

    function openTrace(ClaimWitness memory witness) internal {
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(witness.index, BundleRoot.wrap(TRACE));
        vm.prank(EXECUTOR);
        game.open(witness.claims, openings);
    }

    function refs(uint256 count) internal pure returns (LeafRef[] memory list) {
        list = new LeafRef[](count);
        for (uint32 i = 0; i < count; ++i) {
            list[i] = LeafRef(i % 100, 0, i);
        }
    }

    function demandLeaves(address demander, ClaimWitness memory witness, uint256 count) internal {
        vm.prank(demander);
        game.demand(witness, refs(count), new StepProof[](count));
    }

    function positions(uint256 first, uint256 count) internal pure returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = first + i;
        }
    }

    /// @notice Supplies positions `first .. first + count` of a page of `size` leaves.
    function supplyLeaves(ClaimWitness memory witness, uint256 page, uint256 size, uint256 first, uint256 count)
        internal
    {
        Opening[] memory openings = new Opening[](count);
        for (uint256 i = 0; i < count; ++i) {
            openings[i].leaves = "leaf";
        }
        game.supply(witness, page, refs(size), positions(first, count), new StepProof[](count), openings);
    }

    function proofOf(Verdict verdict) internal pure returns (FaultProof memory proof) {
        proof.hint = int32(uint32(uint8(verdict)));
        proof.step = 3;
        proof.element = 9;
    }

    function proveFault(ClaimWitness memory witness, Verdict verdict) internal {
        vm.prank(SENDER);
        game.prove(witness, proofOf(verdict));
    }

    function concludeAt(ClaimWitness memory witness, uint256 moment) internal {
        vm.warp(moment);
        vm.prank(SENDER);
        game.conclude(witness);
    }

    function statusOf(ClaimId id) internal view returns (DisputeStatus) {
        return game.disputeOf(id).status;
    }

    function assertStatus(ClaimId id, DisputeStatus expected) internal view {
        assertEq(uint256(statusOf(id)), uint256(expected));
    }

    /// @notice Nothing is left in escrow once the only dispute is over.
    function assertSettled() internal view {
        assertEq(vault.escrowOf(address(game)), 0);
    }

    function instant(uint256 moment) internal pure returns (Instant) {
        return Instant.wrap(uint40(moment));
    }
}
