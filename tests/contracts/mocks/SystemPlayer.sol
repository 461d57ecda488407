// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../../contracts/interfaces/IClaimChain.sol";
import {Dispute, DisputeStatus, LeafRef, StepProof} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {Course, DisputeClock, Phase} from "../../../contracts/libraries/DisputeClock.sol";
import {ClaimId, RequestBatchId} from "../../../contracts/types/Ids.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {Listener} from "./Consumers.sol";
import {ToyTrace} from "./ToyTrace.sol";
import {World} from "./World.sol";

/// @notice One request and the claim on it that was made last.
/// @param lie what the claim's run and trace are: 0 honest, 1 beyond the sound bound, 2 only beyond the calibrated one
/// @param witness encoded, because structs with arrays are not kept in storage
struct Play {
    uint256 lie;
    bool refunded;
    bool neglected;
    bytes witness;
}

/// @notice Plays whole lives of requests at random on the real system: every move finds a claim for which it may be legal.
/// Honest claims meet every proof that convicts the liars; only silence may bring one down.
contract SystemPlayer is World, ToyTrace {
    uint256 private constant MOST_PLAYS = 8;

    Play[] private _plays;
    address[] private _executors;
    Listener private _listener;
    uint256 public attempts;
    uint256 public successes;
    uint256 public refutations;
    uint256 public rejections;
    uint256 public finals;

    function setUp() public override {
        super.setUp();
        _listener = new Listener();
    }

    // Moves.

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 60));
    }

    function ask(bool called, uint256 lie, bool eager) external {
        if (_plays.length == MOST_PLAYS) return;
        Model memory model = toyModel();
        model.windows = windows();
        ClaimWitness memory witness = asked(model, toyInputs(), called ? address(_listener) : address(0));
        _plays.push();
        _claim(_plays[_plays.length - 1], witness, lie, eager);
    }

    function claimAgain(uint256 which, uint256 lie, bool eager) external {
        (bool found, uint256 i) = _find(which, Certainty.Refuted, Certainty.Rejected);
        if (!found || _plays[i].refunded || _rejectedOf(i) == 3) return;
        _claim(_plays[i], _witness(i), lie, eager);
    }

    function challenge(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Provisional, Certainty.Provisional);
        if (!found || _dispute(i).status != DisputeStatus.None) return;
        ClaimWitness memory witness = _witness(i);
        if (which % 16 != 7 && block.timestamp >= Instant.unwrap(witness.claims.claimedAt) + 200) return;
        _fund(CHALLENGER);
        _note(CHALLENGER, address(game), abi.encodeCall(game.challenge, (witness)));
    }

    function open(uint256 which) external {
        (bool found, uint256 i) = _inPhase(which, Phase.Opening);
        if (found) _note(address(this), address(this), abi.encodeCall(this.openIt, (i)));
    }

    function demand(uint256 which) external {
        (bool found, uint256 i) = _inPhase(which, Phase.Collecting);
        if (!found || _dispute(i).demanded > 20) return;
        (LeafRef[] memory refs, StepProof[] memory steps) = _leaves();
        _fund(DEMANDER);
        _note(DEMANDER, address(game), abi.encodeCall(game.demand, (_witness(i), refs, steps)));
    }

    function supply(uint256 which) external {
        (bool found, uint256 i) = _inPhase(which, which % 2 == 0 ? Phase.Collecting : Phase.Supplying);
        if (!found) return;
        (LeafRef[] memory refs, StepProof[] memory steps) = _leaves();
        (uint256[] memory positions, Opening[] memory openings) = (new uint256[](2), new Opening[](2));
        positions[1] = 1;
        (openings[0], openings[1]) = (leafOf(_runOf(i), 0, 0), leafOf(_runOf(i), 0, 2));
        ClaimWitness memory witness = _witness(i);
        for (uint256 page = 0; page < game.pagesOf(claimIdOf(witness)); ++page) {
            bytes memory call_ = abi.encodeCall(game.supply, (witness, page, refs, positions, steps, openings));
            _note(EXECUTOR, address(game), call_);
        }
    }

    function prove(uint256 which, bool soundly) external {
        Phase phase = which % 3 == 0 ? Phase.Collecting : which % 3 == 1 ? Phase.Proving : Phase.Over;
        (bool found, uint256 i) = _inPhase(which, soundly ? phase : Phase.Over);
        if (!found) return;
        ClaimWitness memory witness = _witness(i);
        FaultProof memory proof = soundly ? stepProof(_runOf(i)) : calibratedProof(_runOf(i));
        bytes memory call_ = abi.encodeCall(game.prove, (witness, proof));
        uint256 lie = _plays[i].lie;
        if (lie == 0 || (soundly && lie == 2)) return _refused(call_);
        if (_note(SENDER, address(game), call_)) lie == 1 ? ++refutations : ++rejections;
    }

    function proveEager(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Provisional, Certainty.Provisional);
        if (!found || _dispute(i).status != DisputeStatus.None || !_witness(i).claims.eager) return;
        bytes memory call_ = abi.encodeCall(game.proveEager, (_witness(i), stepProof(_runOf(i))));
        if (_plays[i].lie != 1) return _refused(call_);
        if (_note(SENDER, address(game), call_)) ++refutations;
    }

    function conclude(uint256 which) external {
        Phase phase = which % 3 == 0 ? Phase.Unopened : which % 3 == 1 ? Phase.Starved : Phase.Over;
        (bool found, uint256 i) = _inPhase(which, phase);
        if (!found || _dispute(i).status == DisputeStatus.Acquitted) return;
        if (phase != Phase.Over) _plays[i].neglected = true;
        _note(SENDER, address(game), abi.encodeCall(game.conclude, (_witness(i))));
    }

    function finish(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Provisional, Certainty.Provisional);
        if (!found) return;
        ClaimWitness memory witness = _witness(i);
        (, uint256 secondsLeft) = claims.certaintyOf(witness.claims, 0);
        if (secondsLeft != 0) return;
        bool done = _dispute(i).status == DisputeStatus.Acquitted
            ? _note(SENDER, address(claims), abi.encodeCall(claims.finaliseContested, (witness)))
            : _note(SENDER, address(claims), abi.encodeCall(claims.finalise, (witness.requests, witness.claims)));
        if (done) ++finals;
    }

    /// @dev Twice in a page, now and then refused by the consumer.
    function settle(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Final, Certainty.Final);
        if (!found || !_witness(i).requests.callback) return;
        ClaimWitness[] memory page = new ClaimWitness[](2);
        page[0] = page[1] = _witness(i);
        _listener.setRefusing(which % 3 == 0);
        _note(SENDER, address(claims), abi.encodeCall(claims.settle, (page)));
    }

    function announce(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Refuted, Certainty.Refuted);
        if (!found || !_witness(i).requests.callback) return;
        _note(SENDER, address(claims), abi.encodeCall(claims.announce, (_witness(i))));
    }

    function refund(uint256 which) external {
        (bool found, uint256 i) = _find(which, Certainty.Rejected, Certainty.Rejected);
        if (!found || _rejectedOf(i) < 3 || _plays[i].refunded) return;
        ClaimWitness memory witness = _witness(i);
        bytes memory call_ = abi.encodeCall(inbox.refund, (witness.requests, 0, witness.request, witness.requestPath));
        if (_note(SENDER, address(inbox), call_)) _plays[i].refunded = true;
    }

    /// @dev A call of its own, so that a refusal undoes nothing else.
    function openIt(uint256 i) external {
        openTrace(_witness(i), traceRootOf(_runOf(i)));
    }

    // What must hold.

    /// @notice What the plays say that the escrows of Inbox, ClaimChain and game hold, wei.
    function heldWei() external view returns (uint256 inboxWei, uint256 chainWei, uint256 gameWei) {
        for (uint256 i = 0; i < _plays.length; ++i) {
            Certainty certainty = _certaintyOf(i);
            bool live = certainty == Certainty.Provisional || certainty == Certainty.Challenged;
            if (live) chainWei += _witness(i).claims.bondWei + FEE;
            else if (certainty != Certainty.Final && !_plays[i].refunded) inboxWei += FEE;
            Dispute memory dispute = _dispute(i);
            if (dispute.status != DisputeStatus.Challenged && dispute.status != DisputeStatus.Opened) continue;
            ClaimId id = claimIdOf(_witness(i));
            gameWei += dispute.bondWei;
            for (uint256 page = 0; page < game.pagesOf(id); ++page) {
                gameWei += game.pageOf(id, page).depositWei;
            }
        }
    }

    function escrowWei() external view returns (uint256, uint256, uint256) {
        return (vault.escrowOf(address(inbox)), vault.escrowOf(address(claims)), vault.escrowOf(address(game)));
    }

    /// @notice Every wei is in an account, an escrow, or burned.
    function isConserved() external view returns (bool) {
        address[6] memory cast = [REQUESTER, EXECUTOR, CHALLENGER, SENDER, DEMANDER, address(this)];
        uint256 sum = vault.burned() + vault.escrowOf(address(inbox)) + vault.escrowOf(address(claims))
            + vault.escrowOf(address(game)) + vault.escrowOf(address(registry));
        for (uint256 i = 0; i < cast.length; ++i) {
            sum += vault.balanceOf(cast[i]);
        }
        for (uint256 i = 0; i < _executors.length; ++i) {
            sum += vault.balanceOf(_executors[i]);
        }
        return sum == address(vault).balance;
    }

    /// @notice Whether no honest claim fell but by silence.
    function honestyHolds() external view returns (bool) {
        for (uint256 i = 0; i < _plays.length; ++i) {
            Certainty certainty = _certaintyOf(i);
            bool fell = certainty == Certainty.Refuted || certainty == Certainty.Rejected;
            if (fell && _plays[i].lie == 0 && !_plays[i].neglected) return false;
        }
        return true;
    }

    // Plays.

    function _claim(Play storage play, ClaimWitness memory witness, uint256 lie, bool eager) private {
        (play.lie, play.neglected) = (lie % 3, false);
        Run memory run = _runOfLie(play.lie);
        bytes memory entry = outputOf(run);
        if (eager) entry = bytes.concat(entry, abi.encode(traceRootOf(run)));
        // Each claim by an executor of its own: whoever was rejected may not claim again.
        address executor = address(uint160(0xE000 + _executors.length));
        _executors.push(executor);
        vm.deal(address(this), 1_000_000 ether);
        vault.deposit{value: 1_000_000 ether}(executor);
        ++attempts;
        claimBy(executor, witness, entry, eager);
        ++successes;
        play.witness = abi.encode(witness);
    }

    function _find(uint256 which, Certainty a, Certainty b) private view returns (bool, uint256 i) {
        uint256 size = _plays.length;
        for (uint256 k = 0; k < size; ++k) {
            i = (which % size + k) % size;
            Certainty certainty = _certaintyOf(i);
            if (certainty == a || certainty == b) return (true, i);
        }
        return (false, 0);
    }

    function _inPhase(uint256 which, Phase phase) private view returns (bool, uint256 i) {
        uint256 size = _plays.length;
        for (uint256 k = 0; k < size; ++k) {
            i = (which % size + k) % size;
            Dispute memory dispute = _dispute(i);
            bool over = dispute.status == DisputeStatus.None || dispute.status > DisputeStatus.Acquitted;
            if (!over && _certaintyOf(i) != Certainty.Final && _phaseOf(dispute) == phase) return (true, i);
        }
        return (false, 0);
    }

    function _phaseOf(Dispute memory dispute) private view returns (Phase) {
        Course memory course =
            Course(dispute.challengedAt, dispute.openedAt, dispute.demanded > 0, dispute.supplied < dispute.demanded);
        return DisputeClock.phaseAt(course, windows(), Instant.wrap(uint40(block.timestamp)));
    }

    /// @dev Result and weights of the first step.
    function _leaves() private pure returns (LeafRef[] memory refs, StepProof[] memory steps) {
        (refs, steps) = (new LeafRef[](2), new StepProof[](2));
        (refs[0], refs[1]) = (refOf(0, 0), refOf(0, 2));
        steps[0] = steps[1] = stepProofOf(0);
    }

    function _witness(uint256 i) private view returns (ClaimWitness memory) {
        return abi.decode(_plays[i].witness, (ClaimWitness));
    }

    function _dispute(uint256 i) private view returns (Dispute memory) {
        return game.disputeOf(claimIdOf(_witness(i)));
    }

    function _certaintyOf(uint256 i) private view returns (Certainty certainty) {
        (certainty,) = claims.certaintyOf(_witness(i).claims, 0);
    }

    function _rejectedOf(uint256 i) private view returns (uint32 times) {
        (, times) = claims.attemptsOf(_witness(i).claims.requests, 0);
    }

    function _runOf(uint256 i) private view returns (Run memory) {
        return _runOfLie(_plays[i].lie);
    }

    function _runOfLie(uint256 lie) private pure returns (Run memory) {
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
        (bool success,) = address(game).call(data);
        assertTrue(!success, "no proof convicts an honest claim, none slashes a rough one");
    }
}
