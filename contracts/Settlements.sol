// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "./interfaces/IContestable.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {Comparison, IPropertyJudge, Property} from "./interfaces/IPropertyJudge.sol";
import {IScoreClaims} from "./interfaces/IScoreClaims.sol";
import {
    Commit, ITrainings, Training, TrainingId, TrainingState, TrainingStatus, TrainingTerms
} from "./interfaces/ITrainings.sol";
import {IVault} from "./interfaces/IVault.sol";
import {PoolLib} from "./libraries/PoolLib.sol";
import {PropertyIds} from "./libraries/PropertyIds.sol";
import {TrainingClock, TrainingPhase} from "./libraries/TrainingClock.sol";
import {TrainingTermsLib} from "./libraries/TrainingTermsLib.sol";
import {ClaimBatchId, ModelId} from "./types/Ids.sol";
import {currentInstant} from "./types/Time.sol";

/// @title How training requests end, and who is paid
/// @notice The money's half of Trainings. Everything that was put up for a request leaves the escrow when it ends.
/// @dev Nothing of what is called here can refuse: payments are pulled, loops are over at most 32 commitments, and terms
/// that could not be judged were refused when the request was made. So nobody can keep a request from ending.
abstract contract Settlements is ITrainings {
    /// @notice One way to end. What is paid and refunded comes from fee and bonus, and what of them is left is burned.
    /// @param payee of `paidWei`; zero for none
    /// @param lostWei commit fees that are burned
    struct End {
        TrainingStatus status;
        uint32 winner;
        address payee;
        uint256 paidWei;
        uint256 refundedWei;
        uint256 lostWei;
    }

    /// @notice What became of the commitments of a request whose claims are decided.
    /// @param returned bit i: the fee of commitment i goes back
    /// @param lost commitments whose fee does not
    struct Ranking {
        bool stands;
        uint32 winner;
        uint256 returned;
        uint256 lost;
    }

    IVault public immutable vault;
    IModelRegistry public immutable registry;
    IScoreClaims public immutable scoreClaims;
    IPropertyJudge public immutable propertyJudge;

    mapping(TrainingId => TrainingState) internal _states;
    mapping(TrainingId => mapping(uint32 number => Commit)) internal _commits;

    constructor(IVault vault_, IModelRegistry registry_, IScoreClaims scoreClaims_, IPropertyJudge propertyJudge_) {
        (vault, registry, scoreClaims, propertyJudge) = (vault_, registry_, scoreClaims_, propertyJudge_);
    }

    /// @inheritdoc ITrainings
    function settle(Training calldata training) external {
        (TrainingId id, TrainingState memory state) = _recall(training);
        TrainingTerms calldata terms = training.terms;
        TrainingPhase phase = TrainingClock.phaseAt(training, state, currentInstant());

        if (phase == TrainingPhase.Unopened) {
            _end(id, training, End(TrainingStatus.Cancelled, 0, address(0), 0, _prizeOf(terms) - _shareOf(terms), 0));
        } else if (phase == TrainingPhase.Uncommitted) {
            _end(id, training, End(TrainingStatus.Cancelled, 0, address(0), 0, _prizeOf(terms), 0));
        } else if (phase == TrainingPhase.Unrevealed) {
            _endUnscored(id, training, state.commits);
        } else if (phase == TrainingPhase.Scored) {
            _endScored(id, training, state.commits);
        } else if (phase == TrainingPhase.Ended) {
            revert WrongTrainingStatus(state.status, TrainingStatus.Revealed);
        } else {
            revert TooEarly(currentInstant(), TrainingClock.endableFrom(training, state));
        }
    }

    /// @inheritdoc ITrainings
    function trained(TrainingId id) external view returns (ModelId model, Certainty certainty) {
        TrainingState storage state = _states[id];
        if (state.status == TrainingStatus.Trained) return (state.model, Certainty.Final);
        if (state.status != TrainingStatus.Revealed) return (model, Certainty.None);
        for (uint32 number = 0; number < state.commits; ++number) {
            Certainty scores = _certaintyOf(_commits[id][number].claim);
            if (scores == Certainty.Provisional || scores == Certainty.Final) return (model, Certainty.Provisional);
        }
    }

    // Ends.

    /// @dev Half of the share is burned: the requester may be its own first committer, and would else have all of it back.
    function _endUnscored(TrainingId id, Training calldata training, uint32 commits) internal {
        uint256 shareWei = _shareOf(training.terms);
        address first = _commits[id][0].executor;
        uint256 restWei = _prizeOf(training.terms) - shareWei;
        _end(id, training, End(TrainingStatus.Unscored, 0, first, shareWei / 2, restWei, 0));
        _returnFees(id, training.terms, commits, type(uint256).max);
    }

    function _endScored(TrainingId id, Training calldata training, uint32 commits) private {
        TrainingTerms calldata terms = training.terms;
        Ranking memory ranking = _rank(id, terms.property, commits);
        uint256 lostWei = ranking.lost * terms.commitFeeWei;
        if (!ranking.stands) {
            _end(id, training, End(TrainingStatus.Missed, 0, address(0), 0, _prizeOf(terms), lostWei));
        } else {
            Commit storage best = _commits[id][ranking.winner];
            uint256 paidWei = terms.feeWei + _bonusOf(terms, best.total);
            uint256 restWei = _prizeOf(terms) - paidWei;
            // Registers a record of the registry's own; whatever became of the architecture, it is not refused.
            _states[id].model = registry.derive(terms.architecture, best.weightsRoot);
            _end(id, training, End(TrainingStatus.Trained, ranking.winner, best.executor, paidWei, restWei, lostWei));
        }
        _returnFees(id, terms, commits, ranking.returned);
    }

    /// @dev Pays, refunds and burns. The status is set before anything is paid.
    function _end(TrainingId id, Training calldata training, End memory end) private {
        TrainingState storage state = _states[id];
        (state.status, state.winner) = (end.status, end.winner);
        uint256 burnedWei = _prizeOf(training.terms) - end.paidWei - end.refundedWei + end.lostWei;
        emit TrainingEnded(id, end.status, end.winner, state.model, end.paidWei, end.refundedWei, burnedWei);
        _pay(end.payee, end.paidWei);
        _pay(training.requester, end.refundedWei);
        if (burnedWei != 0) vault.burn(burnedWei);
    }

    /// @param returned bit i: commitment i
    function _returnFees(TrainingId id, TrainingTerms calldata terms, uint32 commits, uint256 returned) private {
        for (uint32 number = 0; number < commits; ++number) {
            if ((returned >> number) & 1 == 1) _pay(_commits[id][number].executor, terms.commitFeeWei);
        }
    }

    /// @dev The best total wins, of equal ones the earliest commitment. A claim that is not decided yet is waited for.
    function _rank(TrainingId id, Property calldata property, uint32 commits)
        private
        view
        returns (Ranking memory ranking)
    {
        int256 best = 0;
        for (uint32 number = 0; number < commits; ++number) {
            Commit storage record = _commits[id][number];
            Certainty certainty = _certaintyOf(record.claim);
            if (certainty == Certainty.Provisional) revert StillOpen(number, certainty);
            bool stands = certainty == Certainty.Final;
            if (!stands && certainty != Certainty.Rejected) {
                ++ranking.lost;
                continue;
            }
            ranking.returned |= 1 << number;
            if (!stands || (ranking.stands && !_isBetter(property, record.total, best))) continue;
            (ranking.stands, ranking.winner, best) = (true, number, record.total);
        }
    }

    /// @dev Of `All` every claim has the same total: all scores meet the threshold.
    function _isBetter(Property calldata property, int256 total, int256 than) private pure returns (bool) {
        bool falling = property.comparison == Comparison.AtMost || property.comparison == Comparison.Below;
        return falling ? total < than : total > than;
    }

    function _certaintyOf(ClaimBatchId claim) private view returns (Certainty) {
        return ClaimBatchId.unwrap(claim) == 0 ? Certainty.None : scoreClaims.standingOf(claim).certainty;
    }

    // Money.

    /// @dev What the requester put up.
    function _prizeOf(TrainingTerms calldata terms) internal pure returns (uint256) {
        return uint256(terms.feeWei) + terms.bonusWei;
    }

    function _shareOf(TrainingTerms calldata terms) private pure returns (uint256) {
        return uint256(terms.feeWei) * terms.unscoredShare / TrainingTermsLib.WHOLE;
    }

    function _bonusOf(TrainingTerms calldata terms, int256 total) private view returns (uint256) {
        uint256 items = PoolLib.sealedCount(terms);
        return (terms.bonusWei * propertyJudge.progress(terms.property, terms.fullScore, total, items)) >> 64;
    }

    function _pay(address account, uint256 amountWei) private {
        if (amountWei != 0) vault.pay(account, amountWei);
    }

    // Names.

    function _recall(Training calldata training) internal view returns (TrainingId id, TrainingState memory state) {
        id = PropertyIds.idOf(training);
        state = _states[id];
        if (state.status == TrainingStatus.None) revert UnknownTraining(id);
    }
}
