// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    Commit, ITrainings, Training, TrainingState, TrainingStatus, TrainingTerms
} from "../../contracts/interfaces/ITrainings.sol";
import {POOL_KEY_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice Commitments, and the key that comes after them.
contract TrainingsCommitTest is TrainingStage {
    bytes32 private constant SEALED = keccak256("commitment");

    function _refused(Training memory training, bytes32 commitment, uint256 wei_, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(alice);
        trainings.commit{value: wei_}(training, commitment);
    }

    function _refusesKey(Training memory training, bytes32 key, bytes memory reason) private {
        vm.expectRevert(reason);
        trainings.reveal(training, key);
    }

    // Commitments.

    function test_commit_beforeTheOpening_reverts() external {
        _refused(requested(), SEALED, COMMIT_FEE, wrongStatus(TrainingStatus.Requested, TrainingStatus.Committing));
    }

    function test_commit_unknownTraining_reverts() external {
        Training memory training = opened();
        training.requester = alice;
        _refused(
            training, SEALED, COMMIT_FEE, abi.encodeWithSelector(ITrainings.UnknownTraining.selector, idOf(training))
        );
    }

    function test_commit_wrongPayment_reverts() external {
        Training memory training = opened();
        _refused(
            training,
            SEALED,
            COMMIT_FEE - 1,
            abi.encodeWithSelector(ITrainings.WrongPayment.selector, COMMIT_FEE - 1, COMMIT_FEE)
        );
    }

    function test_commit_zero_reverts() external {
        _refused(opened(), 0, COMMIT_FEE, abi.encodeWithSelector(ITrainings.ZeroCommitment.selector));
    }

    function test_commit_atAndAfterItsDeadline_reverts() external {
        Training memory training = opened();
        for (uint256 moment = START + COMMIT; moment <= START + COMMIT + 1; ++moment) {
            vm.warp(moment);
            _refused(training, SEALED, COMMIT_FEE, tooLate(moment, START + COMMIT));
        }
        vm.warp(START + COMMIT - 1);
        commit(training, alice, 0);
        assertEq(stateOf(training).commits, 1);
    }

    function test_commit_afterTheRevelation_reverts() external {
        _refused(revealed(), SEALED, COMMIT_FEE, wrongStatus(TrainingStatus.Revealed, TrainingStatus.Committing));
    }

    function test_commit_moreThan32_reverts() external {
        Training memory training = opened();
        for (uint256 i = 0; i < 32; ++i) {
            commit(training, bob, i);
        }
        _refused(training, SEALED, COMMIT_FEE, abi.encodeWithSelector(ITrainings.TooManyCommits.selector, 32));
    }

    function test_commit_isNumberedAndKept_withItsFee() external {
        Training memory training = opened();
        commit(training, bob, 0);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.WeightsCommitted(idOf(training), 1, alice, SEALED);
        vm.prank(alice);
        assertEq(trainings.commit{value: COMMIT_FEE}(training, SEALED), 1);
        Commit memory kept = trainings.commitOf(idOf(training), 1);
        assertEq(kept.executor, alice);
        assertEq(kept.commitment, SEALED);
        assertEq(vault.escrowOf(address(trainings)), PRIZE + 2 * COMMIT_FEE);
    }

    /// @dev Whoever takes all places to keep others out has put up this much for each of them.
    function test_commit_forTheLeastFee_isTaken() external {
        TrainingTerms memory terms = termsOf(poolOf());
        terms.commitFeeWei = MIN_COMMIT_FEE;
        Training memory training = requestedWith(terms);
        openPool(training, poolOf());
        for (uint256 i = 0; i < 32; ++i) {
            assertEq(commit(training, alice, i), i);
        }
        assertEq(vault.escrowOf(address(trainings)), PRIZE + 32 * uint256(MIN_COMMIT_FEE));
    }

    // The key.

    function test_reveal_beforeTheCommitmentsAreClosed_reverts() external {
        Training memory training = opened();
        commit(training, alice, 0);
        vm.warp(START + COMMIT - 1);
        _refusesKey(training, KEY, tooEarly(START + COMMIT - 1, START + COMMIT));
        vm.warp(START + COMMIT);
        trainings.reveal(training, KEY);
    }

    function test_reveal_atAndAfterItsDeadline_reverts() external {
        Training memory training = opened();
        commit(training, alice, 0);
        uint256 end = START + COMMIT + REVEAL;
        for (uint256 moment = end; moment <= end + 1; ++moment) {
            vm.warp(moment);
            _refusesKey(training, KEY, tooLate(moment, end));
        }
        vm.warp(end - 1);
        trainings.reveal(training, KEY);
        assertStatus(training, TrainingStatus.Revealed);
    }

    function test_reveal_whenNobodyCommitted_reverts() external {
        Training memory training = opened();
        vm.warp(START + COMMIT);
        _refusesKey(training, KEY, tooLate(START + COMMIT, START + COMMIT));
    }

    function test_reveal_anotherKey_reverts() external {
        Training memory training = opened();
        commit(training, alice, 0);
        vm.warp(START + COMMIT);
        bytes32 wrong = keccak256("another key");
        bytes memory reason = abi.encodeWithSelector(
            ITrainings.WrongPoolKey.selector,
            keccak256(abi.encode(POOL_KEY_TAG, wrong)),
            keccak256(abi.encode(POOL_KEY_TAG, KEY))
        );
        _refusesKey(training, wrong, reason);
    }

    function test_reveal_beforeTheOpening_reverts() external {
        _refusesKey(requested(), KEY, wrongStatus(TrainingStatus.Requested, TrainingStatus.Committing));
    }

    function test_reveal_twice_reverts() external {
        _refusesKey(revealed(), KEY, wrongStatus(TrainingStatus.Revealed, TrainingStatus.Committing));
    }

    function test_reveal_byAnyone_keepsTheKey() external {
        Training memory training = opened();
        commit(training, alice, 0);
        vm.warp(START + COMMIT + 7);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.PoolRevealed(idOf(training), KEY);
        vm.prank(keeper);
        trainings.reveal(training, KEY);
        TrainingState memory state = stateOf(training);
        assertEq(state.poolKey, KEY);
        assertEq(Instant.unwrap(state.revealedAt), START + COMMIT + 7);
    }
}
