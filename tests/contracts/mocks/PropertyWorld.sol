// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Generations} from "../../../contracts/Generations.sol";
import {Trainings} from "../../../contracts/Trainings.sol";
import {ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../../contracts/interfaces/IModels.sol";
import {Aggregate, Comparison, Property} from "../../../contracts/interfaces/IPropertyJudge.sol";
import {Scoring} from "../../../contracts/interfaces/IScoreClaims.sol";
import {Training, TrainingId, TrainingTerms} from "../../../contracts/interfaces/ITrainings.sol";
import {WEIGHTS_SUBJECT_TAG, WEIGHTS_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {ModelId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Pool, Pools} from "./Pool.sol";
import {ScoreStage} from "./ScoreStage.sol";
import {ToyScorer} from "./ToyScorer.sol";

/// @notice The system of properties, all of it real: requests for trained networks and for texts, claims of scores, their game
/// and the judges. The network and its scorer are `ToyScorer`'s. Every period of a training request is 400 s; the scorer's
/// windows are those of `World`.
abstract contract PropertyWorld is ScoreStage, ToyScorer {
    using Pools for Pool;

    uint96 internal constant TRAINING_FEE = 4 ether;
    uint96 internal constant BONUS = 2 ether;
    uint96 internal constant COMMIT_FEE = 0.1 ether;
    uint40 internal constant PERIOD = 400;
    bytes32 internal constant KEY = keccak256("pool key");
    bytes32 internal constant SALT = keccak256("salt");

    Trainings internal trainingsContract;
    Generations internal generationsContract;
    ModelId internal architecture;
    ModelId internal itemScorer;

    function setUp() public virtual override {
        super.setUp();
        trainingsContract = new Trainings(vault, registry, scoreClaims, propertyJudge, 1, 1);
        generationsContract =
            new Generations(vault, registry, scoreClaims, propertyJudge, 1, Duration.wrap(50), 0.01 ether);
        assertEq(address(trainingsContract), trainings);
        assertEq(address(generationsContract), generations);
        architecture = _register(toyArchitecture());
        itemScorer = _register(toyScorer());
        vm.deal(REQUESTER, 100 ether);
        vm.deal(EXECUTOR, 1 ether);
    }

    function _register(Model memory model) internal returns (ModelId) {
        model.windows = windows();
        return registry.register{value: REGISTRANT_BOND}(model);
    }

    /// @notice A pool of which `contents` says whether it holds the toy's items, or nothing that matters.
    function poolOf(uint32 count, uint32 strata, bool contents) internal pure returns (Pool memory pool) {
        pool = Pools.make(KEY, count, strata);
        for (uint256 i = 0; contents && i < count; ++i) {
            pool.masked[i] = itemRoot(pool.mask(i, 0, contentOf(i, 0)), pool.mask(i, 1, contentOf(i, 1)));
        }
    }

    /// @notice The mean is to be at least 8; at 16 the bonus is whole, at 8.5 a sixteenth of it.
    function trainingTerms(Pool memory pool) internal view returns (TrainingTerms memory terms) {
        (terms.architecture, terms.scorer) = (architecture, itemScorer);
        terms.dataRoot = BundleRoot.wrap(keccak256("data"));
        (terms.poolRoot, terms.poolCount, terms.openCount) = (pool.root(), uint32(pool.keys.length), pool.strata);
        (terms.keyHash, terms.fullScore) = (pool.keyHash(), 0x41800000);
        terms.property = Property(Aggregate.Mean, Comparison.AtLeast, 0x41000000, address(0), 0);
        (terms.feeWei, terms.bonusWei, terms.commitFeeWei) = (TRAINING_FEE, BONUS, COMMIT_FEE);
        (terms.minBondWei, terms.unscoredShare) = (BOND, 2_500);
        terms.open = terms.commit = terms.reveal = terms.claim = Duration.wrap(uint32(PERIOD));
    }

    // Steps of a training request's life.

    function requestTraining(Pool memory pool) internal returns (Training memory training) {
        TrainingTerms memory terms = trainingTerms(pool);
        training = Training(
            REQUESTER,
            trainingsContract.nonceOf(REQUESTER),
            Instant.wrap(uint40(block.timestamp)),
            uint64(block.number),
            terms
        );
        vm.prank(REQUESTER);
        trainingsContract.request{value: uint256(TRAINING_FEE) + BONUS}(terms);
    }

    function openPool(Training memory training, Pool memory pool) internal {
        vm.roll(block.number + 2);
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(trainingIdOf(training)), training.requestedBlock);
        vm.prank(REQUESTER);
        trainingsContract.open(training, pool.opened(seed));
    }

    function commitWeights(Training memory training) internal {
        bytes32 commitment =
            keccak256(abi.encode(WEIGHTS_TAG, trainingIdOf(training), EXECUTOR, goodWeights(), SALT));
        vm.prank(EXECUTOR);
        trainingsContract.commit{value: COMMIT_FEE}(training, commitment);
    }

    function revealPool(Training memory training) internal {
        vm.warp(block.timestamp + PERIOD);
        vm.prank(REQUESTER);
        trainingsContract.reveal(training, KEY);
    }

    /// @notice Claims these scores of these items; returns what ScoreClaims was told.
    function scoreItems(Training memory training, BundleRoot[] memory items, bytes memory scores)
        internal
        returns (Scoring memory scoring)
    {
        BundleRoot weights = goodWeights();
        bytes32 subject =
            keccak256(abi.encode(WEIGHTS_SUBJECT_TAG, trainingIdOf(training), uint32(0), EXECUTOR, weights));
        scoring = Scoring(subject, EXECUTOR, itemScorer, weights, items, scores, BOND);
        vm.prank(EXECUTOR);
        trainingsContract.score(training, 0, weights, SALT, items, scores, BOND);
    }

    /// @notice The same score for each item.
    function scoresOf(uint256 count, uint32 value) internal pure returns (bytes memory scores) {
        for (uint256 i = 0; i < count; ++i) {
            scores = abi.encodePacked(scores, value);
        }
    }

    function openScore(ClaimWitness memory witness, uint32 value) internal {
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(witness.index, scoreTrace(value));
        vm.prank(EXECUTOR);
        scoreGame.open(witness.claims, openings);
    }

    function trainingIdOf(Training memory training) internal view returns (TrainingId) {
        return trainingsContract.trainingIdOf(training);
    }
}
