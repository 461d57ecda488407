// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {Dispute, DisputeStatus, LeafRef, StepProof} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Scoring, Standing} from "../../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {Course, DisputeClock, Phase} from "../../../contracts/libraries/DisputeClock.sol";
import {ClaimId} from "../../../contracts/types/Ids.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {ScoreStage} from "./ScoreStage.sol";

/// @notice One claim of scores.
/// @param lies what each item's run and trace are: 0 honest, 1 beyond the sound bound, 2 only beyond the calibrated one
/// @param neglected whether silence may have ended it
/// @param unmasked whether its source ended it
/// @param witnesses encoded, because structs with arrays are not kept in storage
struct ScorePlay {
    uint256[] lies;
    bool neglected;
    bool unmasked;
    bytes[] witnesses;
}

/// @notice Plays whole lives of claims of scores at random on the real game and judge; several items of a claim are disputed
/// at a time. Honest items meet every proof that convicts the liars.
contract ScorePlayer is ScoreStage {
    uint256 private constant MOST_PLAYS = 6;
    uint256 private constant ITEMS = 3;

    ScorePlay[] private _plays;
    uint256 public attempts;
    uint256 public successes;
    uint256 public refutations;
    uint256 public rejections;
    uint256 public finals;
    /// @dev What the claims' bonds have become of: paid, moved to the game, burned. Nothing else may leave them.
    uint256 public endedWei;

    // Moves.

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 45));
    }

    /// @dev Most claims have a false item, or two; at most two stand at a time.
    function claim(uint256 first, uint256 second) external {
        if (_plays.length == MOST_PLAYS || _standingPlays() == 2) return;
        uint256[] memory lies = new uint256[](ITEMS);
        (lies[first % ITEMS], lies[second % ITEMS]) = (first / ITEMS % 3, second / ITEMS % 3);
        Run[] memory runs = new Run[](ITEMS);
        for (uint256 i = 0; i < ITEMS; ++i) {
            runs[i] = _runOf(lies[i]);
        }
        Scoring memory scoring = scoringOf(runs);
        scoring.subject = keccak256(abi.encode(_plays.length));
        _fund(EXECUTOR);
        ScorePlay storage play = _plays.push();
        play.lies = lies;
        for (uint32 i = 0; i < ITEMS; ++i) {
            play.witnesses.push(abi.encode(witnessOf(scoring, i)));
        }
        assertTrue(_note(trainings, address(scoreClaims), abi.encodeCall(scoreClaims.make, (scoring))), "made");
    }

    /// @dev Now and then too late, or of what has ended.
    function challenge(uint256 which, uint256 item) external {
        if (_plays.length == 0) return;
        (uint256 p, uint256 i) = (which / 16 % _plays.length, item % ITEMS);
        for (uint256 k = 0; k < _plays.length * ITEMS && !_isChallengeable(p, i); ++k) {
            (p, i) = (k / ITEMS, k % ITEMS);
            if (which % 16 == 7) break;
        }
        bool legal = _isChallengeable(p, i);
        if (!legal && which % 16 != 7) return;
        _fund(CHALLENGER);
        bytes memory call_ = abi.encodeCall(scoreGame.challenge, (_witness(p, i)));
        bool success = _note(CHALLENGER, address(scoreGame), call_);
        assertTrue(success == legal, "challenged in the window, once, while nothing fell");
    }

    /// @dev All that await it, but for a few that are forgotten.
    function open(uint256 which) external {
        for (uint256 k = 0; k < _plays.length * ITEMS; ++k) {
            (bool found, uint256 p, uint256 i) = _inPhase(which, Phase.Opening);
            if (!found || (which >> k) % 16 == 7) return;
            assertTrue(_note(address(this), address(this), abi.encodeCall(this.openIt, (p, i))), "opened in time");
        }
    }

    function demand(uint256 which) external {
        (bool found, uint256 p, uint256 i) = _inPhase(which, Phase.Collecting);
        if (!found || _dispute(p, i).demanded > 4) return;
        (LeafRef[] memory refs, StepProof[] memory steps) = _leaf();
        _fund(DEMANDER);
        _note(DEMANDER, address(scoreGame), abi.encodeCall(scoreGame.demand, (_witness(p, i), refs, steps)));
    }

    function supply(uint256 which) external {
        (bool found, uint256 p, uint256 i) = _inPhase(which, which % 2 == 0 ? Phase.Collecting : Phase.Supplying);
        if (!found) return;
        (LeafRef[] memory refs, StepProof[] memory steps) = _leaf();
        Opening[] memory openings = new Opening[](1);
        openings[0] = leafOf(_runAt(p, i), 0, 2);
        ClaimWitness memory witness = _witness(p, i);
        for (uint256 page = 0; page < scoreGame.pagesOf(itemOf(witness)); ++page) {
            bytes memory call_ =
                abi.encodeCall(scoreGame.supply, (witness, page, refs, new uint256[](1), steps, openings));
            _note(EXECUTOR, address(scoreGame), call_);
        }
    }

    function prove(uint256 which, bool soundly) external {
        Phase phase = which % 3 == 0 ? Phase.Collecting : which % 3 == 1 ? Phase.Proving : Phase.Over;
        (bool found, uint256 p, uint256 i) = _inPhase(which, soundly ? phase : Phase.Over);
        // Mostly of a liar, where there is one.
        if (found && which % 4 != 0) (p, i) = _lying(p, i, soundly ? 1 : 2, phase);
        if (!found) return;
        ClaimWitness memory witness = _witness(p, i);
        FaultProof memory proof = soundly ? stepProof(_runAt(p, i)) : calibratedProof(_runAt(p, i));
        bytes memory call_ = abi.encodeCall(scoreGame.prove, (witness, proof));
        uint256 lie = _plays[p].lies[i];
        Standing memory before = _standing(p);
        if (before.certainty == Certainty.Final || lie == 0 || (soundly && lie == 2)) return _refused(call_);
        bool waits = lie == 2 && before.certainty == Certainty.Provisional && _mustWait(before, witness, p, i);
        if (waits) return _refused(call_);
        assertTrue(_note(SENDER, address(scoreGame), call_), "a fault is a fault");
        if (before.certainty == Certainty.Provisional) lie == 1 ? ++refutations : ++rejections;
        endedWei += before.bondWei;
    }

    function conclude(uint256 which) external {
        Phase phase = which % 3 == 0 ? Phase.Unopened : which % 3 == 1 ? Phase.Starved : Phase.Over;
        (bool found, uint256 p, uint256 i) = _inPhase(which, phase);
        if (!found || _dispute(p, i).status == DisputeStatus.Acquitted) return;
        uint256 bondWei = _standing(p).bondWei;
        bytes memory call_ = abi.encodeCall(scoreGame.conclude, (_witness(p, i)));
        assertTrue(_note(SENDER, address(scoreGame), call_), "every dispute ends");
        if (phase == Phase.Over) return;
        _plays[p].neglected = true;
        endedWei += bondWei;
    }

    function finish(uint256 which) external {
        if (_plays.length == 0) return;
        uint256 p = which % _plays.length;
        Standing memory standing = _standing(p);
        bool legal = standing.certainty == Certainty.Provisional && standing.disputes == 0
            && block.timestamp >= Instant.unwrap(standing.finalAt);
        if (!legal && which % 16 != 7) return;
        bytes memory call_ = abi.encodeCall(scoreClaims.finalise, (_witness(p, 0).claims));
        assertTrue(_note(SENDER, address(scoreClaims), call_) == legal, "final when nothing is open");
        if (legal) (++finals, endedWei += standing.bondWei);
    }

    /// @dev Seldom, else nothing else would ever fall.
    function unmask(uint256 which) external {
        if (_plays.length == 0 || which % 8 != 0) return;
        uint256 p = which / 8 % _plays.length;
        Standing memory standing = _standing(p);
        if (standing.certainty != Certainty.Provisional) return;
        bytes memory call_ = abi.encodeCall(scoreClaims.refuteBySource, (_witness(p, 0).claims, SENDER));
        assertTrue(_note(trainings, address(scoreClaims), call_), "the source is believed");
        _plays[p].unmasked = true;
        endedWei += standing.bondWei;
    }

    /// @dev A call of its own, so that a refusal undoes nothing else.
    function openIt(uint256 p, uint256 i) external {
        openItem(_witness(p, i), _runAt(p, i));
    }

    // What must hold.

    /// @notice What the plays say that the escrows of claims and game hold, wei.
    function heldWei() external view returns (uint256 claimsWei, uint256 gameWei) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            if (_standing(p).certainty == Certainty.Provisional) claimsWei += BOND;
            for (uint256 i = 0; i < ITEMS; ++i) {
                Dispute memory dispute = _dispute(p, i);
                if (!_isOpen(dispute)) continue;
                ClaimId id = itemOf(_witness(p, i));
                gameWei += dispute.bondWei;
                for (uint256 page = 0; page < scoreGame.pagesOf(id); ++page) {
                    gameWei += scoreGame.pageOf(id, page).depositWei;
                }
            }
        }
    }

    function escrowWei() external view returns (uint256, uint256) {
        return (vault.escrowOf(address(scoreClaims)), vault.escrowOf(address(scoreGame)));
    }

    /// @notice Whether each claim counts the disputes that the game has open, and holds its bond while it is provisional.
    function standingsAgree() external view returns (bool) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            uint256 open_ = 0;
            for (uint256 i = 0; i < ITEMS; ++i) {
                if (_isOpen(_dispute(p, i))) ++open_;
            }
            Standing memory standing = _standing(p);
            if (standing.disputes != open_) return false;
            if (standing.bondWei != (standing.certainty == Certainty.Provisional ? BOND : 0)) return false;
        }
        return true;
    }

    function lockedWei() external view returns (uint256) {
        return _plays.length * uint256(BOND);
    }

    function requireConserved() external view {
        assertConserved();
    }

    /// @notice Whether no claim fell all of whose items are honest, but by silence or its source.
    function honestyHolds() external view returns (bool) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            Certainty certainty = _standing(p).certainty;
            if (certainty != Certainty.Refuted && certainty != Certainty.Rejected) continue;
            uint256 lies = 0;
            for (uint256 i = 0; i < ITEMS; ++i) {
                lies += _plays[p].lies[i];
            }
            if (lies == 0 && !_plays[p].neglected && !_plays[p].unmasked) return false;
        }
        return true;
    }

    // Plays.

    /// @dev Whether a rejection of item `i` waits: for the window, or for a dispute of another item.
    function _mustWait(Standing memory standing, ClaimWitness memory witness, uint256 p, uint256 i)
        private
        view
        returns (bool)
    {
        if (block.timestamp < Instant.unwrap(witness.claims.claimedAt) + 200) return true;
        return standing.disputes > (_isOpen(_dispute(p, i)) ? 1 : 0);
    }

    function _standingPlays() private view returns (uint256 count) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            if (_standing(p).certainty == Certainty.Provisional) ++count;
        }
    }

    function _isChallengeable(uint256 p, uint256 i) private view returns (bool) {
        return _standing(p).certainty == Certainty.Provisional && _dispute(p, i).status == DisputeStatus.None
            && block.timestamp < Instant.unwrap(_witness(p, i).claims.claimedAt) + 200;
    }

    /// @dev An item of this lie whose dispute is in this phase and whose claim stands; else item `i` of play `p`.
    function _lying(uint256 p, uint256 i, uint256 lie, Phase phase) private view returns (uint256, uint256) {
        for (uint256 k = 0; k < _plays.length * ITEMS; ++k) {
            (uint256 q, uint256 j) = (k / ITEMS, k % ITEMS);
            if (_plays[q].lies[j] != lie || _standing(q).certainty != Certainty.Provisional) continue;
            Dispute memory dispute = _dispute(q, j);
            if (!_isOpen(dispute) && dispute.status != DisputeStatus.Acquitted) continue;
            if (_phaseOf(dispute) == phase) return (q, j);
        }
        return (p, i);
    }

    function _inPhase(uint256 which, Phase phase) private view returns (bool, uint256 p, uint256 i) {
        uint256 size = _plays.length * ITEMS;
        for (uint256 k = 0; k < size; ++k) {
            uint256 place = (which % size + k) % size;
            (p, i) = (place / ITEMS, place % ITEMS);
            Dispute memory dispute = _dispute(p, i);
            if (!_isOpen(dispute) && dispute.status != DisputeStatus.Acquitted) continue;
            if (_phaseOf(dispute) == phase) return (true, p, i);
        }
        return (false, 0, 0);
    }

    function _phaseOf(Dispute memory dispute) private view returns (Phase) {
        Course memory course =
            Course(dispute.challengedAt, dispute.openedAt, dispute.demanded > 0, dispute.supplied < dispute.demanded);
        return DisputeClock.phaseAt(course, windows(), Instant.wrap(uint40(block.timestamp)));
    }

    function _isOpen(Dispute memory dispute) private pure returns (bool) {
        return dispute.status == DisputeStatus.Challenged || dispute.status == DisputeStatus.Opened;
    }

    /// @dev The weights, which nobody else has.
    function _leaf() private pure returns (LeafRef[] memory refs, StepProof[] memory steps) {
        (refs, steps) = (new LeafRef[](1), new StepProof[](1));
        (refs[0], steps[0]) = (refOf(0, 2), stepProofOf(0));
    }

    function _witness(uint256 p, uint256 i) private view returns (ClaimWitness memory) {
        return abi.decode(_plays[p].witnesses[i], (ClaimWitness));
    }

    function _dispute(uint256 p, uint256 i) private view returns (Dispute memory) {
        return scoreGame.disputeOf(itemOf(_witness(p, i)));
    }

    function _standing(uint256 p) private view returns (Standing memory) {
        return scoreClaims.standingOf(batchIdOf(_witness(p, 0)));
    }

    function _runAt(uint256 p, uint256 i) private view returns (Run memory) {
        return _runOf(_plays[p].lies[i]);
    }

    function _runOf(uint256 lie) private pure returns (Run memory) {
        return lie == 0 ? honestRun() : runWith(lie == 1 ? WRONG : ROUGH);
    }

    function _fund(address account) private {
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: 1_000 ether}(account);
    }

    function _note(address from, address callee, bytes memory data) private returns (bool success) {
        ++attempts;
        vm.prank(from);
        (success,) = callee.call(data);
        if (success) ++successes;
    }

    /// @dev What must never succeed is not counted among the moves.
    function _refused(bytes memory data) private {
        vm.prank(SENDER);
        (bool success,) = address(scoreGame).call(data);
        assertTrue(!success, "no proof convicts the honest, slashes the rough, or rejects too early");
    }
}
