// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PropertyJudge} from "../../../contracts/PropertyJudge.sol";
import {ScoreClaims} from "../../../contracts/ScoreClaims.sol";
import {ScoreGame} from "../../../contracts/ScoreGame.sol";
import {Certainty, ClaimBatch, ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {LeafRef, StepProof, TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {Model} from "../../../contracts/interfaces/IModels.sol";
import {Scoring} from "../../../contracts/interfaces/IScoreClaims.sol";
import {Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {
    CLAIM_BATCH_TAG, CLAIM_LEAF_TAG, CLAIM_TAG, REQUEST_BATCH_TAG, SCORED_TAG
} from "../../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestBatchId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {SlowTree} from "./SlowTree.sol";
import {ToyTrace} from "./ToyTrace.sol";
import {World} from "./World.sol";

/// @notice The game of scores, all of it real but the sources, in whose names tests call. The scorer is the toy network: it was
/// registered with other weights, and what is claimed is what it gives with the toy's. Records are made as the protocol has
/// them, by hand.
abstract contract ScoreStage is World, ToyTrace {
    uint256 internal constant HELD = 100 ether;
    bytes32 internal constant SUBJECT = keccak256("subject");

    PropertyJudge internal propertyJudge;
    ScoreClaims internal scoreClaims;
    ScoreGame internal scoreGame;
    ModelId internal scorer;

    function setUp() public virtual override {
        super.setUp();
        propertyJudge = new PropertyJudge();
        scoreClaims = new ScoreClaims(vault, registry, _created(9), trainings, generations);
        scoreGame = new ScoreGame(vault, scoreClaims, judge);
        assertEq(address(scoreGame), _created(9));
        assertEq(trainings, _created(10));
        scorer = registry.register{value: REGISTRANT_BOND}(template());
    }

    /// @notice The scorer as it was registered.
    function template() internal pure returns (Model memory model) {
        model = scoredModel();
        model.weightsRoot = BundleRoot.wrap(keccak256("weights to start from"));
    }

    /// @notice The scorer with the claimed weights, which nobody registered.
    function scoredModel() internal pure returns (Model memory model) {
        model = toyModel();
        model.windows = windows();
    }

    /// @notice One item for each run; each item's score is its run's output, 16 bytes.
    function scoringOf(Run[] memory runs) internal view returns (Scoring memory scoring) {
        scoring = Scoring({
            subject: SUBJECT,
            executor: EXECUTOR,
            scorer: scorer,
            weightsRoot: scoredModel().weightsRoot,
            items: new BundleRoot[](runs.length),
            scores: "",
            bondWei: BOND
        });
        for (uint256 i = 0; i < runs.length; ++i) {
            scoring.items[i] = toyInputs();
            scoring.scores = bytes.concat(scoring.scores, outputOf(runs[i]));
        }
    }

    /// @notice Makes a claim over `runs`, as Trainings; a witness of each item.
    function scored(Run[] memory runs) internal returns (ClaimWitness[] memory witnesses) {
        Scoring memory scoring = scoringOf(runs);
        make(scoring);
        witnesses = new ClaimWitness[](runs.length);
        for (uint32 i = 0; i < runs.length; ++i) {
            witnesses[i] = witnessOf(scoring, i);
        }
    }

    function make(Scoring memory scoring) internal returns (ClaimBatchId) {
        vm.prank(trainings);
        return scoreClaims.make(scoring);
    }

    /// @notice Of item `index` of a claim that Trainings makes now.
    function witnessOf(Scoring memory scoring, uint32 index) internal view returns (ClaimWitness memory witness) {
        bytes32[] memory leaves = scoreLeaves(scoring);
        bytes32[] memory items = itemLeaves(scoring);
        witness.requests = requestsOf(scoring, items);
        witness.claims = claimsOf(scoring, witness.requests, leaves);
        witness.index = index;
        witness.entry = entryOf(scoring, index);
        witness.entryPath = SlowTree.path(leaves, index);
        (witness.request.requester, witness.request.nonce, witness.request.kind) = (trainings, index, 1);
        (witness.request.model, witness.request.inputsRoot) = (witness.requests.model, scoring.items[index]);
        witness.request.property = scoring.subject;
        witness.requestPath = SlowTree.path(items, index);
    }

    function requestsOf(Scoring memory scoring, bytes32[] memory items) internal view returns (RequestBatch memory) {
        Model memory model = registry.model(scoring.scorer);
        model.weightsRoot = scoring.weightsRoot;
        return RequestBatch({
            lane: 2,
            first: 0,
            count: uint32(items.length),
            root: SlowTree.root(items),
            model: registry.idOf(model),
            feeWei: 0,
            tipWei: 0,
            minBondWei: 0,
            deadline: Instant.wrap(0),
            callback: false
        });
    }

    function claimsOf(Scoring memory scoring, RequestBatch memory requests, bytes32[] memory leaves)
        internal
        view
        returns (ClaimBatch memory)
    {
        bytes32 named = keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, scoreClaims, requests));
        return ClaimBatch({
            requests: RequestBatchId.wrap(named),
            executor: scoring.executor,
            first: 0,
            count: requests.count,
            root: SlowTree.root(leaves),
            bondWei: scoring.bondWei,
            claimedAt: Instant.wrap(uint40(block.timestamp)),
            eager: false,
            undefined: false
        });
    }

    function itemLeaves(Scoring memory scoring) internal view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](scoring.items.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(SCORED_TAG, trainings, scoring.subject, i, scoring.items[i]));
        }
    }

    function scoreLeaves(Scoring memory scoring) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](scoring.items.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, entryOf(scoring, i)));
        }
    }

    function entryOf(Scoring memory scoring, uint256 index) internal pure returns (bytes memory entry) {
        uint256 length = scoring.scores.length / scoring.items.length;
        entry = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            entry[i] = scoring.scores[index * length + i];
        }
    }

    function batchIdOf(ClaimWitness memory witness) internal view returns (ClaimBatchId) {
        return ClaimBatchId.wrap(keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, scoreClaims, witness.claims)));
    }

    function itemOf(ClaimWitness memory witness) internal view returns (ClaimId) {
        return ClaimId.wrap(keccak256(abi.encode(CLAIM_TAG, batchIdOf(witness), witness.index)));
    }

    // Moves.

    function challengeItem(ClaimWitness memory witness, address challenger) internal {
        vm.prank(challenger);
        scoreGame.challenge(witness);
    }

    function openItem(ClaimWitness memory witness, Run memory run) internal {
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(witness.index, traceRootOf(run));
        vm.prank(witness.claims.executor);
        scoreGame.open(witness.claims, openings);
    }

    function concludeItem(ClaimWitness memory witness, uint256 moment) internal {
        vm.warp(moment);
        vm.prank(SENDER);
        scoreGame.conclude(witness);
    }

    function demandWeight(ClaimWitness memory witness, address demander) internal {
        (LeafRef[] memory refs, StepProof[] memory steps,) = weightLeaf();
        vm.prank(demander);
        scoreGame.demand(witness, refs, steps);
    }

    function supplyWeight(ClaimWitness memory witness) internal {
        (LeafRef[] memory refs, StepProof[] memory steps, Opening[] memory openings) = weightLeaf();
        scoreGame.supply(witness, 0, refs, new uint256[](1), steps, openings);
    }

    /// @notice A leaf of a weight, named and shown.
    function weightLeaf()
        internal
        pure
        returns (LeafRef[] memory refs, StepProof[] memory steps, Opening[] memory openings)
    {
        (refs, steps, openings) = (new LeafRef[](1), new StepProof[](1), new Opening[](1));
        (refs[0], steps[0], openings[0]) = (refOf(0, 2), stepProofOf(0), leafOf(honestRun(), 0, 2));
    }

    // What is known.

    function assertStanding(ClaimWitness memory witness, Certainty certainty, uint32 disputes) internal view {
        ClaimBatchId id = batchIdOf(witness);
        assertEq(uint256(scoreClaims.standingOf(id).certainty), uint256(certainty));
        assertEq(scoreClaims.standingOf(id).disputes, disputes);
        assertEq(scoreClaims.standingOf(id).bondWei, certainty == Certainty.Provisional ? witness.claims.bondWei : 0);
        assertConserved();
    }

    function honest(uint256 count) internal pure returns (Run[] memory runs) {
        runs = new Run[](count);
        for (uint256 i = 0; i < count; ++i) {
            runs[i] = honestRun();
        }
    }
}
