// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../../contracts/interfaces/IContestable.sol";
import {Commit, Training, TrainingId, TrainingState, TrainingStatus} from "../../../contracts/interfaces/ITrainings.sol";
import {TrainingClock, TrainingPhase} from "../../../contracts/libraries/TrainingClock.sol";
import {ClaimBatchId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {Pool, Pools} from "./Pool.sol";
import {TrainingStage} from "./TrainingStage.sol";

/// @notice Plays lives of training requests at random: Alice and Bob commit and score, claims stand or fall by chance. Moves are
/// mostly legal, and now and then too early, too late or repeated.
contract TrainingPlayer is TrainingStage {
    using Pools for Pool;

    uint256 private constant MOST_PLAYS = 4;

    Training[] private _plays;
    uint256 public attempts;
    uint256 public successes;

    // Moves.

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 90));
        vm.roll(block.number + 1 + seconds_ % 3);
    }

    function ask() external {
        if (_plays.length == MOST_PLAYS) return;
        vm.deal(asker, PRIZE);
        _plays.push(requested());
        ++attempts;
        ++successes;
    }

    function open(uint256 which) external {
        (bool legal, Training memory training) = _find(which, TrainingPhase.Opening);
        if (_plays.length == 0 || (!legal && which % 16 != 7)) return;
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(idOf(training)), training.requestedBlock);
        _try(asker, 0, abi.encodeCall(trainings.open, (training, poolOf().opened(seed))));
    }

    function commitWeights(uint256 which, uint256 version) external {
        (bool legal, Training memory training) = _find(which, TrainingPhase.Committing);
        if (_plays.length == 0 || (!legal && which % 16 != 7)) return;
        address who = version % 2 == 0 ? alice : bob;
        bytes32 commitment = commitmentOf(training, who, weightsOf(who, 0));
        _try(who, COMMIT_FEE, abi.encodeCall(trainings.commit, (training, commitment)));
    }

    function revealKey(uint256 which) external {
        (bool legal, Training memory training) = _find(which, TrainingPhase.Revealing);
        if (_plays.length == 0 || (!legal && which % 16 != 7)) return;
        _try(keeper, 0, abi.encodeCall(trainings.reveal, (training, KEY)));
    }

    function scoreItems(uint256 which, uint256 right) external {
        (bool legal, Training memory training) = _find(which, TrainingPhase.Scoring);
        if (_plays.length == 0 || (!legal && which % 16 != 7)) return;
        uint32 commits = stateOf(training).commits;
        uint32 number = commits == 0 ? 0 : uint32(which / 16 % commits);
        Commit memory record = trainings.commitOf(idOf(training), number);
        if (ClaimBatchId.unwrap(record.claim) != 0 && which % 16 != 7) return;
        BundleRoot weights = weightsOf(record.executor, 0);
        bytes memory scores = scoresOf(ITEMS, 3 + right % 6);
        bytes memory call_ =
            abi.encodeCall(trainings.score, (training, number, weights, SALT, itemsOf(ITEMS), scores, BOND));
        _try(record.executor, BOND, call_);
    }

    /// @dev Of claims that are open, so that settlements have something to weigh.
    function judgeClaim(uint256 which, uint256 verdict) external {
        if (_plays.length == 0) return;
        Training memory training = _plays[which % _plays.length];
        for (uint32 i = 0; i < stateOf(training).commits; ++i) {
            ClaimBatchId claim = trainings.commitOf(idOf(training), i).claim;
            if (scoreClaims.standingOf(claim).certainty != Certainty.Provisional) continue;
            Certainty[4] memory ends = [Certainty.Final, Certainty.Final, Certainty.Rejected, Certainty.Refuted];
            return decide(claim, ends[verdict % 4]);
        }
    }

    /// @dev Whatever the phase is: a request that can end does, and no other.
    function settle(uint256 which) external {
        if (_plays.length == 0) return;
        Training memory training = _plays[which % _plays.length];
        TrainingPhase phase = this.phaseOf(training);
        bool legal = phase == TrainingPhase.Unopened || phase == TrainingPhase.Uncommitted
            || phase == TrainingPhase.Unrevealed || (phase == TrainingPhase.Scored && _isDecided(training));
        if (!legal && which % 16 != 7) return;
        uint256 prizeWei = _heldFor(training);
        uint256 before = _ownedWei();
        bool success = _try(keeper, 0, abi.encodeCall(trainings.settle, (training)));
        assertTrue(success == legal, "what can end ends, and nothing else");
        assertEq(_ownedWei() - before, success ? prizeWei : 0);
    }

    // What must hold.

    /// @notice What the requests that have not ended hold, wei.
    function heldWei() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _plays.length; ++i) {
            sum += _heldFor(_plays[i]);
        }
    }

    function escrowWei() external view returns (uint256) {
        return vault.escrowOf(address(trainings));
    }

    /// @notice Everything that the Vault knows of, and what it holds.
    function books() external view returns (uint256 knownWei, uint256 vaultWei) {
        knownWei = _ownedWei() + vault.escrowOf(address(trainings)) + vault.escrowOf(address(scoreClaims));
        return (knownWei, address(vault).balance);
    }

    /// @dev External, because the clock reads requests as they come.
    function phaseOf(Training calldata training) external view returns (TrainingPhase) {
        return TrainingClock.phaseAt(training, stateOf(training), _now());
    }

    function _heldFor(Training memory training) private view returns (uint256) {
        TrainingState memory state = stateOf(training);
        return state.status > TrainingStatus.Revealed ? 0 : PRIZE + uint256(state.commits) * COMMIT_FEE;
    }

    function _ownedWei() private view returns (uint256) {
        return vault.balanceOf(asker) + vault.balanceOf(alice) + vault.balanceOf(bob) + vault.burned();
    }

    function _isDecided(Training memory training) private view returns (bool) {
        for (uint32 i = 0; i < stateOf(training).commits; ++i) {
            ClaimBatchId claim = trainings.commitOf(idOf(training), i).claim;
            if (scoreClaims.standingOf(claim).certainty == Certainty.Provisional) return false;
        }
        return true;
    }

    /// @dev A request in this phase, if there is one; else any.
    function _find(uint256 which, TrainingPhase phase) private view returns (bool, Training memory training) {
        for (uint256 i = 0; i < _plays.length; ++i) {
            training = _plays[(which % _plays.length + i) % _plays.length];
            if (this.phaseOf(training) == phase) return (true, training);
        }
        return (false, training);
    }

    function _now() private view returns (Instant) {
        return Instant.wrap(uint40(block.timestamp));
    }

    function _try(address from, uint256 wei_, bytes memory data) private returns (bool success) {
        ++attempts;
        vm.deal(from, wei_);
        vm.prank(from);
        (success,) = address(trainings).call{value: wei_}(data);
        if (success) ++successes;
    }
}
