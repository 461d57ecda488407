// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {Generation, GenerationTerms} from "../../../contracts/interfaces/IGenerations.sol";
import {InputSpec, Model} from "../../../contracts/interfaces/IModels.sol";
import {Scoring} from "../../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof} from "../../../contracts/interfaces/IStepJudge.sol";
import {Training, TrainingStatus} from "../../../contracts/interfaces/ITrainings.sol";
import {TEXT_SUBJECT_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot, F32, I64} from "../../../contracts/types/Roots.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {OneWord} from "./Batch.t.sol";
import {Models} from "../mocks/Models.sol";
import {Pool, Pools} from "../mocks/Pool.sol";
import {PropertyWorld} from "../mocks/PropertyWorld.sol";

/// @notice Gas of every step in the life of a request for a trained network, with 300 sealed items and 60 opened ones, of a
/// dispute about one of them, and of a request for 64 tokens drawn by a seed. Each call is a transaction of its own
/// (`isolate`): with intrinsic gas, calldata and its floor, on cold storage.
/// @dev The proof is about a sum of eight products: what it costs to prove a longer one is `Dispute.t.sol`'s.
contract PropertyBench is PropertyWorld {
    using Pools for Pool;

    event log_named_uint(string name, uint256 value);

    uint32 private constant POOL = 360;
    uint32 private constant OPENED = 60;
    uint32 private constant SEALED = POOL - OPENED;
    uint32 private constant TEXT = 128;
    uint32 private constant NEW_TOKENS = 64;
    uint256 private constant SCORED_AT = START + PERIOD;

    /// @notice An earlier liar was slashed, so the price of the first burn ever is not in the figures; and the requester
    /// was paid before.
    function setUp() public override {
        super.setUp();
        Training memory training = requestTraining(poolOf(12, 4, false));
        vm.warp(START + PERIOD);
        trainingsContract.settle(training);
        vm.warp(START);
    }

    /// forge-config: default.isolate = true
    function test_gas_training() public {
        (Training memory training, Scoring memory scoring) = _scored(SCORE);
        ClaimBatch memory made = witnessOf(scoring, 0).claims;
        vm.warp(SCORED_AT + PERIOD);
        scoreClaims.finalise(made);
        _log("gas_training_finalise");
        trainingsContract.settle(training);
        _log("gas_training_settle");
        assertEq(
            uint256(trainingsContract.stateOf(trainingIdOf(training)).status), uint256(TrainingStatus.Trained)
        );
    }

    /// forge-config: default.isolate = true
    function test_gas_item_dispute() public {
        (Training memory training, Scoring memory scoring) = _scored(FALSE_SCORE);
        uint32 item = SEALED / 2 + 1;
        uint256 index = poolOf(POOL, OPENED, false).sealedOf(
            trainingsContract.stateOf(trainingIdOf(training)).seed
        )[item];
        FaultProof memory proof = scoreProof(FALSE_SCORE, index);
        ClaimWitness memory witness = witnessOf(scoring, item);
        challengeItem(witness, CHALLENGER);
        uint256 totalGas = _log("gas_item_challenge");
        openScore(witness, FALSE_SCORE);
        totalGas += _log("gas_item_open");
        vm.warp(SCORED_AT + 80);
        vm.prank(SENDER);
        scoreGame.prove(witness, proof);
        totalGas += _log("gas_item_prove");
        emit log_named_uint("gas_item_total", totalGas);
        assertStanding(witness, Certainty.Refuted, 0);
        assertLe(totalGas, 1_000_000);
    }

    /// forge-config: default.isolate = true
    function test_gas_generation() public {
        (Generation memory generation, Scoring memory scoring) = _asked();
        _log("gas_generation_request");
        vm.roll(block.number + 2);
        generationsContract.draw(generation);
        _log("gas_generation_draw");
        vm.prank(EXECUTOR);
        generationsContract.take(generation);
        _log("gas_generation_take");
        bytes memory tokens = _tokens(NEW_TOKENS);
        bytes memory scores = scoresOf(NEW_TOKENS, 0x3e4ccccd);
        vm.prank(EXECUTOR);
        generationsContract.claim(generation, tokens, scores, BOND);
        _log("gas_generation_claim");

        ClaimBatch memory made = _textClaim(generation, scoring, scores);
        vm.warp(START + 200);
        vm.prank(SENDER);
        generationsContract.settle(generation, made, tokens);
        _log("gas_generation_settle");
        assertEq(OneWord(generation.terms.callback).answer(), bytes32(tokens));
    }

    /// @dev Logs every step up to the claim. All items have this score.
    function _scored(uint32 value) private returns (Training memory training, Scoring memory scoring) {
        Pool memory pool = poolOf(POOL, OPENED, false);
        training = requestTraining(pool);
        _log("gas_training_request");
        openPool(training, pool);
        _log("gas_training_open");
        commitWeights(training);
        _log("gas_training_commit");
        revealPool(training);
        _log("gas_training_reveal");
        BundleRoot[] memory items = new BundleRoot[](SEALED);
        uint32[] memory indices = pool.sealedOf(trainingsContract.stateOf(trainingIdOf(training)).seed);
        for (uint256 i = 0; i < SEALED; ++i) {
            items[i] = itemRoot(contentOf(indices[i], 0), contentOf(indices[i], 1));
        }
        scoring = scoreItems(training, items, scoresOf(SEALED, value));
        emit log_named_uint("gas_training_score_per_item", _log("gas_training_score") / SEALED);
    }

    function _asked() private returns (Generation memory generation, Scoring memory scoring) {
        InputSpec[] memory inputs = new InputSpec[](2);
        inputs[0] = InputSpec(Models.header(I64, 1, TEXT), 0, 50_000);
        inputs[1] = InputSpec(Models.header(F32, 1, NEW_TOKENS), 0, int64(uint64(Models.ONE)));
        Model memory model = Models.taking(inputs);
        model.outputHeader = Models.header(F32, 1, NEW_TOKENS);
        GenerationTerms memory terms;
        (terms.scorer, terms.prompt) = (_register(model), _tokens(TEXT - NEW_TOKENS));
        (terms.newTokens, terms.sampled, terms.feeWei, terms.minBondWei) = (NEW_TOKENS, true, FEE, BOND);
        terms.deadline = Instant.wrap(uint40(START + 1_000));
        (terms.callback, terms.callbackGas) = (address(new OneWord()), 60_000);
        uint64 nonce = generationsContract.nonceOf(REQUESTER);
        generation = Generation(REQUESTER, nonce, Instant.wrap(uint40(block.timestamp)), terms);
        scoring.scorer = terms.scorer;
        scoring.weightsRoot = model.weightsRoot;
        vm.prank(REQUESTER);
        generationsContract.request{value: FEE}(terms);
    }

    function _textClaim(Generation memory generation, Scoring memory scoring, bytes memory scores)
        private
        returns (ClaimBatch memory)
    {
        bytes memory tokens = _tokens(NEW_TOKENS);
        RequestId id = generationsContract.generationIdOf(generation);
        bytes memory uniforms = generationsContract.uniformsOf(generationsContract.stateOf(id).seed, NEW_TOKENS);
        scoring.subject = keccak256(abi.encode(TEXT_SUBJECT_TAG, id, uint32(0), EXECUTOR, keccak256(tokens)));
        (scoring.executor, scoring.bondWei) = (EXECUTOR, BOND);
        scoring.items = new BundleRoot[](1);
        scoring.items[0] =
            registry.commitInputs(scoring.scorer, bytes.concat(generation.terms.prompt, tokens, uniforms));
        scoring.scores = abi.encode(smallTensor(Models.header(F32, 1, NEW_TOKENS), scores));
        trainings = generations;
        return witnessOf(scoring, 0).claims;
    }

    /// @dev As scattered as tokens of a vocabulary of 50,000.
    function _tokens(uint64 count) private pure returns (bytes memory data) {
        for (uint64 i = 0; i < count; ++i) {
            data = abi.encodePacked(data, uint64(uint256(keccak256(abi.encode(i))) % 50_000));
        }
    }

    /// @dev Logs and returns what the last transaction cost.
    function _log(string memory name) private returns (uint256 gasUsed) {
        gasUsed = spentGas();
        emit log_named_uint(name, gasUsed);
    }
}
