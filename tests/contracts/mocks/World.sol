// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";
import {ClaimChain} from "../../../contracts/ClaimChain.sol";
import {DisputeGame} from "../../../contracts/DisputeGame.sol";
import {Inbox} from "../../../contracts/Inbox.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {StepJudge} from "../../../contracts/StepJudge.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {ClaimBatch, ClaimWitness, IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {IInbox, Request, RequestBatch, Wish} from "../../../contracts/interfaces/IInbox.sol";
import {Model, Windows} from "../../../contracts/interfaces/IModelRegistry.sol";
import {CLAIM_LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {ClaimId, ModelId, RequestBatchId, RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Harness} from "../Harness.sol";
import {Judges} from "./Judges.sol";

/// @notice A cheat code beyond those of `Vm`: what the last call used.
interface VmGas {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function lastCallGas() external view returns (Gas memory);
}

/// @notice The system of inferences, all of it real, and a cast with wei in the Vault. The contracts of properties have their
/// addresses, and are put there where they are played with (ScoreStage).
abstract contract World is Harness {
    address internal constant REQUESTER = address(0xA1);
    address internal constant EXECUTOR = address(0xE1);
    address internal constant CHALLENGER = address(0xC1);
    address internal constant SENDER = address(0x51);
    address internal constant DEMANDER = address(0xD1);

    uint96 internal constant BOND = 8 ether;
    uint96 internal constant FEE = 1 ether;
    uint96 internal constant REGISTRANT_BOND = 0.2 ether;
    uint256 internal constant START = 1_000_000;

    Vault internal vault;
    ModelRegistry internal registry;
    Inbox internal inbox;
    ClaimChain internal claims;
    StepJudge internal judge;
    DisputeGame internal game;
    /// @dev Sources of claims of scores.
    address internal trainings;
    address internal generations;

    function setUp() public virtual {
        vm.warp(START);
        vm.fee(1 gwei);
        vm.txGasPrice(1 gwei);
        judge = new Judges().JUDGE();
        // Registry, Inbox, claims and game; then, after the judge of properties, those of scores and their sources.
        address[] memory modules = new address[](8);
        for (uint256 i = 0; i < 8; ++i) {
            modules[i] = _created(i < 4 ? 3 + i : 4 + i);
        }
        (trainings, generations) = (modules[6], modules[7]);
        vault = new Vault(modules);
        registry = new ModelRegistry(
            vault, judge.LIMITS_JUDGE(), trainings, _windows(1), _windows(1_000), 1_000, REGISTRANT_BOND
        );
        inbox = new Inbox(vault, registry, IClaimChain(modules[2]), address(this), 1);
        claims = new ClaimChain(vault, inbox, registry, modules[3], Duration.wrap(50), 0.01 ether);
        game = new DisputeGame(vault, claims, registry, judge);
        assertEq(address(registry), modules[0]);
        assertEq(address(game), modules[3]);
        address[4] memory cast = [EXECUTOR, CHALLENGER, SENDER, DEMANDER];
        vm.deal(address(this), 410 ether);
        for (uint256 i = 0; i < 4; ++i) {
            vault.deposit{value: 100 ether}(cast[i]);
        }
    }

    /// @notice In seconds: challenge 200, open 100, collect 40, supply 60, prove 80.
    function windows() internal pure returns (Windows memory) {
        return Windows(Duration.wrap(200), Duration.wrap(100), Duration.wrap(40), Duration.wrap(60), Duration.wrap(80));
    }

    /// @notice Registers `model` if nobody did, asks it by inputs kept off chain, leases and claims `entry`.
    function claimed(Model memory model, BundleRoot inputsRoot, bytes memory entry, bool eager)
        internal
        returns (ClaimWitness memory witness)
    {
        witness = asked(model, inputsRoot, address(0));
        claimBy(EXECUTOR, witness, entry, eager);
    }

    /// @notice Orders a request of lane 0 by `REQUESTER`; `callback` is zero or gets 200,000 gas.
    function asked(Model memory model, BundleRoot inputsRoot, address callback)
        internal
        returns (ClaimWitness memory witness)
    {
        ModelId id = registry.idOf(model);
        if (!registry.exists(id)) registry.register{value: REGISTRANT_BOND}(model);
        Request memory request;
        (request.requester, request.nonce, request.feeWei) = (REQUESTER, inbox.nonceOf(REQUESTER), FEE);
        (request.model, request.inputsRoot, request.callback) = (id, inputsRoot, callback);
        request.callbackGas = callback == address(0) ? 0 : 200_000;
        request.deadline = Instant.wrap(uint40(block.timestamp + 100_000));
        Wish memory wish = Wish(id, "", inputsRoot, FEE, 0, 0, request.deadline, callback, request.callbackGas);
        vm.deal(REQUESTER, FEE);
        vm.prank(REQUESTER);
        inbox.request{value: FEE}(wish);
        return orderOf(request);
    }

    /// @notice The witness, without a claim yet, of the request that lane 0 ended with.
    function orderOf(Request memory request) internal view returns (ClaimWitness memory witness) {
        witness.request = request;
        witness.requests = RequestBatch({
            lane: 0,
            first: inbox.laneLength(0) - 1,
            count: 1,
            root: RequestId.unwrap(inbox.requestIdOf(request)),
            model: request.model,
            feeWei: request.feeWei,
            tipWei: request.tipWei,
            minBondWei: request.minBondWei,
            deadline: request.deadline,
            callback: request.callback != address(0)
        });
        assertTrue(inbox.isOrdered(inbox.batchIdOf(witness.requests)), "the request that was ordered last");
    }

    /// @notice Leases the request, reopened or not, and claims `entry`; the witness becomes that claim's.
    function claimBy(address executor, ClaimWitness memory witness, bytes memory entry, bool eager) internal {
        RequestBatchId requests = inbox.batchIdOf(witness.requests);
        (uint32 refutations, uint32 rejections) = claims.attemptsOf(requests, 0);
        uint96 bondWei = BOND << refutations;
        vm.prank(executor);
        claims.lease(witness.requests, refutations + rejections == 0 ? 0 : 1);
        vm.prank(executor);
        claims.claim(witness.requests, 0, 1, [uint256(1), 0], entry, eager, bondWei);
        witness.entry = entry;
        bytes32 root = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, entry));
        witness.claims =
            ClaimBatch(requests, executor, 0, 1, root, bondWei, Instant.wrap(uint40(block.timestamp)), eager, false);
    }

    function claimIdOf(ClaimWitness memory witness) internal view returns (ClaimId) {
        return claims.claimIdOf(claims.claimBatchIdOf(witness.claims), witness.index);
    }

    function challengeClaim(ClaimWitness memory witness) internal {
        vm.prank(CHALLENGER);
        game.challenge(witness);
    }

    function openTrace(ClaimWitness memory witness, BundleRoot traceRoot) internal {
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(witness.index, traceRoot);
        vm.prank(witness.claims.executor);
        game.open(witness.claims, openings);
    }

    function concludeAt(ClaimWitness memory witness, uint256 moment) internal {
        vm.warp(moment);
        vm.prank(SENDER);
        game.conclude(witness);
    }

    /// @notice Gas of the last call; in isolated tests that of a whole transaction.
    function spentGas() internal view returns (uint256) {
        return VmGas(address(vm)).lastCallGas().gasTotalUsed;
    }

    /// @notice Every wei is in an account, an escrow, or burned.
    function assertConserved() internal view {
        address[5] memory cast = [REQUESTER, EXECUTOR, CHALLENGER, SENDER, DEMANDER];
        uint256 sum = vault.burned() + vault.escrowOf(address(inbox)) + vault.escrowOf(address(claims))
            + vault.escrowOf(address(game)) + vault.escrowOf(address(registry)) + vault.balanceOf(address(this));
        for (uint256 nonce = 8; nonce < 12; ++nonce) {
            sum += vault.escrowOf(_created(nonce));
        }
        for (uint256 i = 0; i < 5; ++i) {
            sum += vault.balanceOf(cast[i]);
        }
        assertEq(sum, address(vault).balance);
    }

    function _windows(uint32 each) private pure returns (Windows memory) {
        Duration length = Duration.wrap(each);
        return Windows(length, length, length, length, length);
    }

    /// @dev Where this contract puts the one that it makes with `nonce`.
    function _created(uint256 nonce) internal view returns (address) {
        return LibRLP.computeAddress(address(this), nonce);
    }
}
