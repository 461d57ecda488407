// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Training, TrainingState, TrainingStatus} from "../interfaces/ITrainings.sol";
import {Instant} from "../types/Time.sol";

/// @notice Where a training request stands in time. Every instant lies in exactly one phase.
/// Opening: the drawn items are awaited. Unopened: they did not come in time.
/// Committing: weights are committed. Uncommitted: none were. Revealing: the pool's key is awaited. Unrevealed: it did not
/// come in time.
/// Scoring: scores may be claimed. Scored: no more of them.
enum TrainingPhase {
    Opening,
    Unopened,
    Committing,
    Uncommitted,
    Revealing,
    Unrevealed,
    Scoring,
    Scored,
    Ended
}

/// @title The one classifier of a training request's time
/// @notice Knows instants and periods, and nothing of money, pools or who calls. `settle` ends the phases in which nothing
/// more can come, moves belong to the others; so move and timeout never overlap.
library TrainingClock {
    function openEnd(Training calldata training) internal pure returns (Instant) {
        return training.requestedAt.afterwards(training.terms.open);
    }

    function commitEnd(Training calldata training, TrainingState memory state) internal pure returns (Instant) {
        return state.openedAt.afterwards(training.terms.commit);
    }

    function revealEnd(Training calldata training, TrainingState memory state) internal pure returns (Instant) {
        return commitEnd(training, state).afterwards(training.terms.reveal);
    }

    function claimEnd(Training calldata training, TrainingState memory state) internal pure returns (Instant) {
        return state.revealedAt.afterwards(training.terms.claim);
    }

    function phaseAt(Training calldata training, TrainingState memory state, Instant moment)
        internal
        pure
        returns (TrainingPhase)
    {
        if (state.status == TrainingStatus.Requested) {
            return moment.isBefore(openEnd(training)) ? TrainingPhase.Opening : TrainingPhase.Unopened;
        }
        if (state.status == TrainingStatus.Committing) {
            if (moment.isBefore(commitEnd(training, state))) return TrainingPhase.Committing;
            if (state.commits == 0) return TrainingPhase.Uncommitted;
            return moment.isBefore(revealEnd(training, state)) ? TrainingPhase.Revealing : TrainingPhase.Unrevealed;
        }
        if (state.status == TrainingStatus.Revealed) {
            return moment.isBefore(claimEnd(training, state)) ? TrainingPhase.Scoring : TrainingPhase.Scored;
        }
        return TrainingPhase.Ended;
    }

    /// @notice From when `settle` can end a request that has not ended, if nothing else happens.
    function endableFrom(Training calldata training, TrainingState memory state) internal pure returns (Instant) {
        if (state.status == TrainingStatus.Requested) return openEnd(training);
        if (state.status == TrainingStatus.Revealed) return claimEnd(training, state);
        return state.commits == 0 ? commitEnd(training, state) : revealEnd(training, state);
    }
}
