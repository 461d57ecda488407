// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../../contracts/interfaces/IContestable.sol";
import {
    Commit, ITrainings, OpenedItem, Training, TrainingId, TrainingState, TrainingStatus, TrainingTerms
} from "../../../contracts/interfaces/ITrainings.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {ClaimBatchId, ModelId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {currentInstant} from "../../../contracts/types/Time.sol";

/// @notice What a requester sees of Trainings: its calls answered in the same order and with the same money, without pool,
/// scores or clocks. How a training ends is the test's to say.
contract TrainingsMock {
    IVault private _vault;
    mapping(address => uint64) public nonceOf;
    mapping(TrainingId => TrainingState) private _states;
    mapping(TrainingId => Training) private _trainings;
    mapping(TrainingId => mapping(uint32 => Commit)) private _commits;
    mapping(TrainingId => Certainty) private _certainties;

    function join(IVault vault) external {
        _vault = vault;
    }

    function request(TrainingTerms calldata terms) external payable returns (TrainingId id) {
        uint256 dueWei = uint256(terms.feeWei) + terms.bonusWei;
        if (msg.value != dueWei) revert ITrainings.WrongPayment(msg.value, dueWei);
        Training memory training =
            Training(msg.sender, nonceOf[msg.sender]++, currentInstant(), uint64(block.number), terms);
        id = trainingIdOf(training);
        _trainings[id] = training;
        _states[id].status = TrainingStatus.Requested;
        _vault.escrow{value: dueWei}();
    }

    function open(Training calldata training, OpenedItem[] calldata items) external {
        TrainingState storage state = _known(training);
        if (items.length != training.terms.openCount) {
            revert ITrainings.WrongCount(items.length, training.terms.openCount);
        }
        (state.status, state.openedAt) = (TrainingStatus.Committing, currentInstant());
    }

    function reveal(Training calldata training, bytes32 poolKey) external {
        TrainingState storage state = _known(training);
        (state.status, state.poolKey) = (TrainingStatus.Revealed, poolKey);
    }

    /// @notice Ends a training as `settle` does: pays and burns, and the rest is the requester's.
    function end(TrainingId id, TrainingStatus status, address paidTo, uint256 paidWei, uint256 burnedWei) external {
        Training storage training = _trainings[id];
        _states[id].status = status;
        uint256 restWei = uint256(training.terms.feeWei) + training.terms.bonusWei - paidWei - burnedWei;
        if (paidWei != 0) _vault.pay(paidTo, paidWei);
        if (burnedWei != 0) _vault.burn(burnedWei);
        if (restWei != 0) _vault.pay(training.requester, restWei);
    }

    /// @notice Says what a training has made, and whose commitment it was.
    function make(TrainingId id, uint32 winner, address executor, ModelId model, Certainty certainty) external {
        (_states[id].winner, _states[id].model) = (winner, model);
        _commits[id][winner].executor = executor;
        _certainties[id] = certainty;
    }

    /// @notice Says what commitment `number` was of, and which claim of scores was made of it.
    function commitAs(TrainingId id, uint32 number, address executor, ClaimBatchId claim, BundleRoot weightsRoot) external {
        Commit storage made = _commits[id][number];
        (made.executor, made.claim, made.weightsRoot) = (executor, claim, weightsRoot);
    }

    function trained(TrainingId id) external view returns (ModelId, Certainty) {
        return (_states[id].model, _certainties[id]);
    }

    function stateOf(TrainingId id) external view returns (TrainingState memory) {
        return _states[id];
    }

    function commitOf(TrainingId id, uint32 number) external view returns (Commit memory) {
        return _commits[id][number];
    }

    function trainingIdOf(Training memory training) public view returns (TrainingId) {
        return TrainingId.wrap(keccak256(abi.encode(address(this), training)));
    }

    function _known(Training calldata training) private view returns (TrainingState storage state) {
        TrainingId id = trainingIdOf(training);
        state = _states[id];
        if (state.status == TrainingStatus.None) revert ITrainings.UnknownTraining(id);
    }
}
