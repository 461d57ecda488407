// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {IDisputeGame} from "../../contracts/interfaces/IDisputeGame.sol";
import {Generation, GenerationState, GenerationStatus, GenerationTerms} from "../../contracts/interfaces/IGenerations.sol";
import {InputSpec, Model} from "../../contracts/interfaces/IModels.sol";
import {Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof} from "../../contracts/interfaces/IStepJudge.sol";
import {Training, TrainingStatus, Unmasking} from "../../contracts/interfaces/ITrainings.sol";
import {TEXT_SUBJECT_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32, I64} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Listener} from "./mocks/Consumers.sol";
import {Models} from "./mocks/Models.sol";
import {Pool, Pools} from "./mocks/Pool.sol";
import {PropertyWorld} from "./mocks/PropertyWorld.sol";
import {SlowTree} from "./mocks/SlowTree.sol";

/// @notice Whole lives of requests for trained networks and for texts, every contract real, to the last wei. The claim's bond
/// is 8 ether, a challenge's 1; the cast has 100 ether each.
contract PropertyStoriesTest is PropertyWorld {
    using Pools for Pool;

    uint32 private constant ITEMS = 8;
    uint256 private constant SCORED_AT = START + PERIOD;
    uint256 private constant CLAIM_END = SCORED_AT + PERIOD;

    /// @dev Up to the claim: item 3's score is `value`, and its input is the pool's unless `swapped`.
    function _scored(uint32 value, bool swapped) private returns (Training memory training, Scoring memory scoring) {
        Pool memory pool = poolOf(12, 4, true);
        training = requestTraining(pool);
        openPool(training, pool);
        commitWeights(training);
        revealPool(training);
        uint32[] memory indices = _sealed(training, pool);
        BundleRoot[] memory items = new BundleRoot[](ITEMS);
        for (uint256 i = 0; i < ITEMS; ++i) {
            uint256 index = i == 3 && swapped ? 99 : indices[i];
            items[i] = itemRoot(contentOf(index, 0), contentOf(index, 1));
        }
        bytes memory scores = bytes.concat(scoresOf(3, SCORE), scoresOf(1, value), scoresOf(4, SCORE));
        scoring = scoreItems(training, items, scores);
    }

    function _sealed(Training memory training, Pool memory pool) private view returns (uint32[] memory) {
        return pool.sealedOf(trainingsContract.stateOf(trainingIdOf(training)).seed);
    }

    function _settle(Training memory training, TrainingStatus expected) private {
        vm.warp(CLAIM_END);
        vm.prank(SENDER);
        trainingsContract.settle(training);
        assertEq(uint256(trainingsContract.stateOf(trainingIdOf(training)).status), uint256(expected));
        assertEq(vault.escrowOf(trainings), 0);
        assertEq(vault.escrowOf(address(scoreClaims)), 0);
        assertEq(vault.escrowOf(address(scoreGame)), 0);
        assertConserved();
    }

    function test_story_honestTraining_isChallenged_acquitted_andPaid() external {
        (Training memory training, Scoring memory scoring) = _scored(SCORE, false);
        ClaimWitness memory witness = witnessOf(scoring, 3);
        challengeItem(witness, CHALLENGER);
        openScore(witness, SCORE);
        FaultProof memory proof = scoreProof(SCORE, _sealed(training, poolOf(12, 4, false))[3]);
        vm.expectRevert(IDisputeGame.NoFaultFound.selector);
        scoreGame.prove(witness, proof);
        concludeItem(witness, SCORED_AT + 120);
        vm.warp(SCORED_AT + 280);
        scoreClaims.finalise(witness.claims);
        _settle(training, TrainingStatus.Trained);

        // A sixteenth of the bonus; half of the challenger's bond.
        uint256 paidWei = TRAINING_FEE + BONUS / 16;
        assertEq(vault.balanceOf(EXECUTOR), HELD + paidWei + COMMIT_FEE + 0.5 ether);
        assertEq(vault.balanceOf(REQUESTER), TRAINING_FEE + BONUS - paidWei);
        (ModelId model, Certainty certainty) = trainingsContract.trained(trainingIdOf(training));
        assertEq(uint256(certainty), uint256(Certainty.Final));
        Model memory expected = toyArchitecture();
        (expected.windows, expected.weightsRoot) = (windows(), goodWeights());
        assertEq(abi.encode(registry.model(model)), abi.encode(expected));
    }

    function test_story_trainedModel_answersInferences() external {
        (Training memory training, Scoring memory scoring) = _scored(SCORE, false);
        ClaimBatch memory claims_ = witnessOf(scoring, 0).claims;
        vm.warp(SCORED_AT + 200);
        scoreClaims.finalise(claims_);
        _settle(training, TrainingStatus.Trained);
        (ModelId model,) = trainingsContract.trained(trainingIdOf(training));
        ClaimWitness memory witness = asked(registry.model(model), BundleRoot.wrap(keccak256("inputs")), address(0));
        claimBy(EXECUTOR, witness, abi.encodePacked(SCORE), false);
    }

    function test_story_falseScore_isProven_andTheRequestMissed() external {
        (Training memory training, Scoring memory scoring) = _scored(FALSE_SCORE, false);
        ClaimWitness memory witness = witnessOf(scoring, 3);
        challengeItem(witness, CHALLENGER);
        openScore(witness, FALSE_SCORE);
        vm.warp(SCORED_AT + 80);
        FaultProof memory proof = scoreProof(FALSE_SCORE, _sealed(training, poolOf(12, 4, false))[3]);
        vm.prank(SENDER);
        scoreGame.prove(witness, proof);
        (, Certainty certainty) = trainingsContract.trained(trainingIdOf(training));
        assertEq(uint256(certainty), uint256(Certainty.None));
        _settle(training, TrainingStatus.Missed);
        assertEq(vault.balanceOf(REQUESTER), TRAINING_FEE + BONUS);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
        assertEq(vault.balanceOf(CHALLENGER), HELD + 2 ether);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        assertEq(vault.burned(), 4 ether + COMMIT_FEE);
    }

    function test_story_swappedItem_isUnmasked_withoutADispute() external {
        (Training memory training, Scoring memory scoring) = _scored(SCORE, true);
        Pool memory pool = poolOf(12, 4, true);
        uint32 index = _sealed(training, pool)[3];
        Unmasking memory shown;
        (shown.item, shown.inputsRoot, shown.tensor) = (3, scoring.items[3], 1);
        shown.itemPath = SlowTree.path(itemLeaves(scoring), 3);
        shown.pooled = pool.item(index);
        bytes memory x = contentOf(99, 0);
        (bytes memory maskedX, bytes memory masked) = (pool.mask(index, 0, x), pool.mask(index, 1, contentOf(index, 1)));
        shown.masked.leaves = masked;
        shown.masked.bundlePath = siblingsOf(itemTensors(maskedX, masked), 1, 1);
        shown.claimed.leaves = contentOf(99, 1);
        shown.claimed.bundlePath = siblingsOf(itemTensors(x, contentOf(99, 1)), 1, 1);
        ClaimBatch memory claims_ = witnessOf(scoring, 3).claims;
        vm.prank(SENDER);
        trainingsContract.unmask(training, 0, claims_, shown);
        _settle(training, TrainingStatus.Missed);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
        assertEq(vault.burned(), 6 ether + COMMIT_FEE);
    }

    // Texts.

    /// @dev Ten tokens, six of them the prompt; the callback is a listener's.
    function _asked(address consumer) private returns (Generation memory generation, Scoring memory scoring) {
        InputSpec[] memory inputs = new InputSpec[](1);
        inputs[0] = InputSpec(Models.header(I64, 1, 10), 0, 99);
        Model memory model = Models.taking(inputs);
        model.outputHeader = Models.header(F32, 1, 4);
        GenerationTerms memory terms;
        (terms.scorer, terms.prompt, terms.newTokens) = (_register(model), new bytes(48), 4);
        (terms.feeWei, terms.minBondWei, terms.deadline) = (FEE, BOND, Instant.wrap(uint40(START + 1_000)));
        (terms.callback, terms.callbackGas) = (consumer, 400_000);
        generation = Generation(REQUESTER, 0, Instant.wrap(uint40(START)), terms);
        vm.prank(REQUESTER);
        generationsContract.request{value: FEE}(terms);
        scoring = Scoring(0, EXECUTOR, terms.scorer, model.weightsRoot, new BundleRoot[](1), new bytes(16), BOND);
    }

    function _generate(Generation memory generation, Scoring memory scoring, uint32 attempts, uint96 bondWei) private {
        RequestId id = generationsContract.generationIdOf(generation);
        bytes memory tokens = new bytes(32);
        scoring.subject = keccak256(abi.encode(TEXT_SUBJECT_TAG, id, attempts, EXECUTOR, keccak256(tokens)));
        scoring.items[0] = registry.commitInputs(scoring.scorer, new bytes(80));
        scoring.bondWei = bondWei;
        vm.prank(EXECUTOR);
        generationsContract.take(generation);
        vm.prank(EXECUTOR);
        generationsContract.claim(generation, tokens, scoring.scores, bondWei);
    }

    function test_story_text_fallsBySilence_isMadeAgain_andTold() external {
        Listener listener = new Listener();
        (Generation memory generation, Scoring memory scoring) = _asked(address(listener));
        _generate(generation, scoring, 0, BOND);
        trainings = generations;
        ClaimWitness memory witness = witnessOf(scoring, 0);
        challengeItem(witness, CHALLENGER);
        concludeItem(witness, START + 100);
        generationsContract.reopen(generation);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);

        _generate(generation, scoring, 1, 2 * BOND);
        ClaimBatch memory claims_ = witnessOf(scoring, 0).claims;
        vm.warp(START + 300);
        vm.prank(SENDER);
        generationsContract.settle(generation, claims_, new bytes(32));
        GenerationState memory state = generationsContract.stateOf(generationsContract.generationIdOf(generation));
        assertEq(uint256(state.status), uint256(GenerationStatus.Final));
        assertEq(listener.output(), new bytes(32));
        assertEq(listener.sequence(), 2);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND + FEE);
        assertEq(vault.escrowOf(generations), 0);
        assertConserved();
    }
}
