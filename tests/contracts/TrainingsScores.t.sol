// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {IPropertyJudge} from "../../contracts/interfaces/IPropertyJudge.sol";
import {IScoreClaims, Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {Commit, ITrainings, Training, TrainingStatus, TrainingTerms} from "../../contracts/interfaces/ITrainings.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {WEIGHTS_SUBJECT_TAG, WEIGHTS_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {PredicateMock} from "./mocks/PropertyMocks.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice Scores of committed weights are claimed: by whom, of what, in time, for a bond, and only if they are good enough.
contract TrainingsScoresTest is TrainingStage {
    /// @dev When the key was revealed.
    uint256 private constant REVEALED_AT = START + COMMIT;

    /// @notice What one `score` call says.
    struct Attempt {
        address who;
        uint32 number;
        BundleRoot weights;
        bytes32 salt;
        uint32 items;
        bytes scores;
        uint96 bondWei;
    }

    function _good() private pure returns (Attempt memory) {
        return Attempt(alice, 0, weightsOf(alice, 0), SALT, ITEMS, scoresOf(ITEMS, 6), BOND);
    }

    function _send(Training memory training, Attempt memory attempt) private returns (ClaimBatchId) {
        vm.prank(attempt.who);
        return trainings.score(
            training,
            attempt.number,
            attempt.weights,
            attempt.salt,
            itemsOf(attempt.items),
            attempt.scores,
            attempt.bondWei
        );
    }

    function _refused(Training memory training, Attempt memory attempt, bytes memory reason) private {
        vm.expectRevert(reason);
        _send(training, attempt);
    }

    function _committed(Training memory training, Attempt memory attempt) private view returns (bytes32) {
        return keccak256(abi.encode(WEIGHTS_TAG, idOf(training), attempt.who, attempt.weights, attempt.salt));
    }

    // Refusals.

    function test_score_beforeTheRevelation_reverts() external {
        Training memory training = opened();
        commit(training, alice, 0);
        _refused(training, _good(), wrongStatus(TrainingStatus.Committing, TrainingStatus.Revealed));
    }

    function test_score_atAndAfterItsDeadline_reverts() external {
        Training memory training = revealed();
        uint256 end = REVEALED_AT + CLAIM;
        for (uint256 moment = end; moment <= end + 1; ++moment) {
            vm.warp(moment);
            _refused(training, _good(), tooLate(moment, end));
        }
        vm.warp(end - 1);
        _send(training, _good());
    }

    function test_score_byAnotherThanTheCommitter_reverts() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        attempt.who = bob;
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.NotTheExecutor.selector, bob, alice));
        attempt.number = 2;
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.NotTheExecutor.selector, bob, address(0)));
    }

    function test_score_otherWeightsOrAnotherSalt_revert() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        attempt.weights = weightsOf(alice, 1);
        bytes32 received = _committed(training, attempt);
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.NotCommitted.selector, 0, received));
        attempt = _good();
        attempt.salt = keccak256("another salt");
        received = _committed(training, attempt);
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.NotCommitted.selector, 0, received));
    }

    function test_score_copiedCommitment_isWorthNothing() external {
        Training memory training = opened();
        commit(training, alice, 0);
        bytes32 copied = trainings.commitOf(idOf(training), 0).commitment;
        vm.prank(bob);
        trainings.commit{value: COMMIT_FEE}(training, copied);
        reveal(training);
        Attempt memory attempt = _good();
        (attempt.who, attempt.number) = (bob, 1);
        bytes32 received = _committed(training, attempt);
        assertTrue(received != copied, "the copier's commitment would be another one");
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.NotCommitted.selector, 1, received));
    }

    function test_score_anotherNumberOfItems_reverts() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        (attempt.items, attempt.scores) = (ITEMS - 1, scoresOf(ITEMS - 1, 6));
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.WrongCount.selector, ITEMS - 1, ITEMS));
        (attempt.items, attempt.scores) = (ITEMS + 1, scoresOf(ITEMS + 1, 6));
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.WrongCount.selector, ITEMS + 1, ITEMS));
    }

    function test_score_bondBelowTheRequestsLeast_reverts() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        attempt.bondWei = BOND - 1;
        _refused(training, attempt, abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, BOND - 1, BOND));
    }

    function test_score_bondBelowTheScorersLeast_reverts() external {
        Training memory training = revealed();
        scoreClaims.setMinimum(BOND + 1);
        _refused(training, _good(), abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, BOND, BOND + 1));
    }

    function test_score_missedProperty_reverts() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        attempt.scores = scoresOf(ITEMS, 3);
        _refused(training, attempt, abi.encodeWithSelector(ITrainings.PropertyMissed.selector, 3 * UNITS, ITEMS));
        attempt.scores = scoresOf(ITEMS, 4);
        _send(training, attempt);
    }

    function test_score_scoreThatIsNoNumber_reverts() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        attempt.scores[4] = 0x7f;
        attempt.scores[5] = 0xc0;
        _refused(
            training, attempt, abi.encodeWithSelector(IPropertyJudge.ScoreOutOfRange.selector, 1, 0x7fc00000)
        );
    }

    function test_score_twice_reverts() external {
        Training memory training = revealed();
        _send(training, _good());
        _refused(training, _good(), abi.encodeWithSelector(ITrainings.AlreadyScored.selector, 0));
    }

    function test_score_afterItsClaimFell_reverts() external {
        Training memory training = revealed();
        decide(_send(training, _good()), Certainty.Refuted);
        _refused(training, _good(), abi.encodeWithSelector(ITrainings.AlreadyScored.selector, 0));
    }

    function test_score_withoutMoneyForTheBond_reverts() external {
        Training memory training = revealed();
        vm.prank(alice);
        vault.withdraw(alice, 100 ether);
        _refused(training, _good(), abi.encodeWithSelector(IVault.InsufficientBalance.selector, alice, 0, BOND));
    }

    // Predicates.

    function _withPredicate(PredicateMock predicate) private returns (Training memory training) {
        TrainingTerms memory terms = termsOf(poolOf());
        (terms.property.predicate, terms.property.predicateGas) = (address(predicate), 50_000);
        training = requestedWith(terms);
        openPool(training, poolOf());
        commit(training, alice, 0);
        reveal(training);
    }

    function test_score_predicateThatDoesNotSayYes_misses() external {
        PredicateMock predicate = new PredicateMock();
        Training memory training = _withPredicate(predicate);
        bytes memory missed = abi.encodeWithSelector(ITrainings.PropertyMissed.selector, 6 * UNITS, ITEMS);
        predicate.setManner(PredicateMock.Manner.No);
        _refused(training, _good(), missed);
        predicate.setManner(PredicateMock.Manner.Revert);
        _refused(training, _good(), missed);
        predicate.setManner(PredicateMock.Manner.Burn);
        _refused(training, _good(), missed);
        predicate.setManner(PredicateMock.Manner.Yes);
        _send(training, _good());
    }

    function test_score_predicateThatChangesItsMind_undoesNothing() external {
        PredicateMock predicate = new PredicateMock();
        Training memory training = _withPredicate(predicate);
        ClaimBatchId claim = _send(training, _good());
        predicate.setManner(PredicateMock.Manner.Revert);
        decide(claim, Certainty.Final);
        settleAfterClaims(training);
        assertStatus(training, TrainingStatus.Trained);
    }

    function test_score_predicateHearsTheSubject_andTheScores() external {
        PredicateMock predicate = new PredicateMock();
        Training memory training = _withPredicate(predicate);
        bytes memory heard = abi.encodeCall(predicate.holds, (_subject(training, 0, alice), scoresOf(ITEMS, 6)));
        vm.expectCall(address(predicate), heard);
        _send(training, _good());
    }

    // Claims.

    function _subject(Training memory training, uint32 number, address who) private view returns (bytes32) {
        return keccak256(abi.encode(WEIGHTS_SUBJECT_TAG, idOf(training), number, who, weightsOf(who, 0)));
    }

    function test_score_claimsAllItems_aboutThisCommitment() external {
        Training memory training = revealed();
        Attempt memory attempt = _good();
        (attempt.who, attempt.number, attempt.weights) = (bob, 1, weightsOf(bob, 0));
        attempt.bondWei = BOND + 7;
        ClaimBatchId claim = _send(training, attempt);

        (, Scoring memory made) = scoreClaims.last();
        assertEq(made.subject, _subject(training, 1, bob));
        assertEq(made.executor, bob);
        assertEq(ModelId.unwrap(made.scorer), ModelId.unwrap(scorer));
        assertEq(BundleRoot.unwrap(made.weightsRoot), BundleRoot.unwrap(weightsOf(bob, 0)));
        assertEq(abi.encode(made.items), abi.encode(itemsOf(ITEMS)));
        assertEq(made.scores, scoresOf(ITEMS, 6));
        assertEq(made.bondWei, BOND + 7);
        Commit memory kept = trainings.commitOf(idOf(training), 1);
        assertEq(ClaimBatchId.unwrap(kept.claim), ClaimBatchId.unwrap(claim));
        assertEq(uint256(kept.total), uint256(6 * UNITS));
        assertEq(vault.balanceOf(bob), 100 ether - BOND - 7);
    }

    function test_score_saysWhatItComesTo() external {
        Training memory training = revealed();
        uint256 before = vm.snapshotState();
        ClaimBatchId claim = _send(training, _good());
        vm.revertToState(before);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.ScoresMade(idOf(training), 0, alice, claim, weightsOf(alice, 0), 6 * UNITS);
        _send(training, _good());
    }

    function test_score_valueSentAlong_isDepositedFirst() external {
        Training memory training = revealed();
        vm.prank(alice);
        vault.withdraw(alice, 100 ether);
        Attempt memory attempt = _good();
        vm.prank(alice);
        trainings.score{value: BOND + 3}(
            training, 0, attempt.weights, SALT, itemsOf(ITEMS), attempt.scores, attempt.bondWei
        );
        assertEq(vault.balanceOf(alice), 3);
    }

    // What is known of the model meanwhile.

    function test_trained_isProvisional_whileScoresStand() external {
        Training memory training = revealed();
        _assertTrained(training, Certainty.None);
        ClaimBatchId claim = _send(training, _good());
        _assertTrained(training, Certainty.Provisional);
        decide(claim, Certainty.Final);
        _assertTrained(training, Certainty.Provisional);
        decide(claim, Certainty.Refuted);
        _assertTrained(training, Certainty.None);
    }

    function _assertTrained(Training memory training, Certainty expected) private view {
        (ModelId model, Certainty certainty) = trainings.trained(idOf(training));
        assertEq(ModelId.unwrap(model), 0);
        assertEq(uint256(certainty), uint256(expected));
    }
}
