// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../../contracts/interfaces/IClaimChain.sol";
import {DemandPage, Dispute, DisputeStatus} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Verdict} from "../../../contracts/interfaces/IStepJudge.sol";
import {Course, DisputeClock, Phase} from "../../../contracts/libraries/DisputeClock.sol";
import {ClaimId} from "../../../contracts/types/Ids.sol";
import {DisputeCast} from "../mocks/DisputeCast.sol";
import {Invariants} from "./Invariants.sol";

/// @notice Plays disputes at random: every call finds one in a state in which its move may be legal, and makes it.
contract DisputePlayer is DisputeCast {
    ClaimWitness[] private _witnesses;
    uint256 public moves;
    uint256 public attempts;
    uint256 public successes;

    modifier counted(uint256 seconds_) {
        vm.warp(block.timestamp + seconds_ % 16);
        ++moves;
        _;
    }

    function challengeOne(uint256 seconds_, bool eager) external counted(seconds_) {
        ClaimWitness memory witness = claimed(moves, 0, eager);
        witness.claims.claimedAt = instant(block.timestamp);
        fund(EXECUTOR);
        claims.post(witness.claims);
        vm.prank(CHALLENGER);
        _note(address(game), abi.encodeCall(game.challenge, (witness)));
        _witnesses.push(witness);
    }

    function openOne(uint256 seconds_, uint256 which) external counted(seconds_) {
        (bool found, ClaimWitness memory witness) = _pick(which, Phase.Opening, Phase.Opening);
        if (found) _note(address(this), abi.encodeCall(this.openIt, (witness)));
    }

    function demandSome(uint256 seconds_, uint256 which, uint256 count) external counted(seconds_) {
        (bool found, ClaimWitness memory witness) = _pick(which, Phase.Collecting, Phase.Collecting);
        if (found) _note(address(this), abi.encodeCall(this.demandIt, (witness, bound(count, 1, 9))));
    }

    function supplySome(uint256 seconds_, uint256 which) external counted(seconds_) {
        (bool found, ClaimWitness memory witness) = _pick(which, Phase.Collecting, Phase.Supplying);
        if (!found) return;
        ClaimId id = claims.idOf(witness);
        for (uint256 number = 0; number < game.pagesOf(id); ++number) {
            DemandPage memory page = game.pageOf(id, number);
            if (page.supplied != 0) continue;
            _note(address(this), abi.encodeCall(this.supplyIt, (witness, number, page.count)));
        }
    }

    function proveOne(uint256 seconds_, uint256 which, bool sound) external counted(seconds_) {
        (bool found, ClaimWitness memory witness) = _pick(which, sound ? Phase.Supplying : Phase.Over, Phase.Over);
        Verdict verdict = sound ? Verdict.BeyondSound : Verdict.BeyondCalibrated;
        if (found) _note(address(this), abi.encodeCall(this.proveIt, (witness, verdict)));
    }

    function concludeOne(uint256 seconds_, uint256 which) external counted(seconds_) {
        (bool found, ClaimWitness memory witness) = which % 3 == 0
            ? _pick(which, Phase.Unopened, Phase.Unopened)
            : _pick(which, which % 3 == 1 ? Phase.Starved : Phase.Over, which % 3 == 1 ? Phase.Starved : Phase.Over);
        if (found) _note(address(this), abi.encodeCall(this.concludeIt, (witness)));
    }

    // Moves as calls of their own, so that one that is refused undoes nothing else.

    function openIt(ClaimWitness calldata witness) external {
        openTrace(witness);
    }

    function demandIt(ClaimWitness calldata witness, uint256 count) external {
        demandLeaves(DEMANDER, witness, count);
    }

    function supplyIt(ClaimWitness calldata witness, uint256 number, uint256 count) external {
        supplyLeaves(witness, number, count, 0, count);
    }

    function proveIt(ClaimWitness calldata witness, Verdict verdict) external {
        proveFault(witness, verdict);
    }

    function concludeIt(ClaimWitness calldata witness) external {
        vm.prank(SENDER);
        game.conclude(witness);
    }

    // What must hold.

    /// @notice Bonds and deposits of the disputes that are not over, wei.
    function heldWei() external view returns (uint256 sum) {
        for (uint256 i = 0; i < _witnesses.length; ++i) {
            ClaimId id = claims.idOf(_witnesses[i]);
            Dispute memory dispute = game.disputeOf(id);
            if (dispute.status != DisputeStatus.Challenged && dispute.status != DisputeStatus.Opened) continue;
            sum += dispute.bondWei;
            for (uint256 number = 0; number < game.pagesOf(id); ++number) {
                sum += game.pageOf(id, number).depositWei;
            }
        }
    }

    function escrowWei() external view returns (uint256) {
        return vault.escrowOf(address(game));
    }

    function isConserved() external view returns (bool) {
        uint256 accounts = vault.balanceOf(EXECUTOR) + vault.balanceOf(CHALLENGER) + vault.balanceOf(DEMANDER)
            + vault.balanceOf(SENDER);
        return accounts + vault.escrowOf(address(game)) + vault.escrowOf(address(claims)) + vault.burned()
            == address(vault).balance;
    }

    function leavesAddUp() external view returns (bool) {
        for (uint256 i = 0; i < _witnesses.length; ++i) {
            ClaimId id = claims.idOf(_witnesses[i]);
            Dispute memory dispute = game.disputeOf(id);
            uint256 leaves = 0;
            for (uint256 number = 0; number < game.pagesOf(id); ++number) {
                leaves += game.pageOf(id, number).count;
            }
            if (leaves != dispute.demanded || dispute.supplied > leaves || leaves > 256) return false;
        }
        return true;
    }

    /// @dev A dispute between two phases; one try in sixteen takes any, so that refusals are exercised too.
    function _pick(uint256 which, Phase first, Phase last) private view returns (bool, ClaimWitness memory witness) {
        uint256 size = _witnesses.length;
        for (uint256 i = 0; i < size; ++i) {
            witness = _witnesses[(which % size + i) % size];
            Dispute memory dispute = game.disputeOf(claims.idOf(witness));
            Phase phase = _phaseOf(dispute);
            bool fitting = dispute.status <= DisputeStatus.Acquitted && first <= phase && phase <= last;
            if (fitting || which % 16 == 3) return (true, witness);
        }
        return (false, witness);
    }

    function _phaseOf(Dispute memory dispute) private view returns (Phase) {
        Course memory course =
            Course(dispute.challengedAt, dispute.openedAt, dispute.demanded > 0, dispute.supplied < dispute.demanded);
        return DisputeClock.phaseAt(course, windows(), instant(block.timestamp));
    }

    function _note(address callee, bytes memory data) private {
        (bool success,) = callee.call(data);
        ++attempts;
        if (success) ++successes;
    }
}

contract DisputeGameInvariants is Invariants {
    DisputePlayer private player;

    function setUp() public {
        player = new DisputePlayer();
        player.setUp();
        play(address(player));
        allow(player.challengeOne.selector, 1);
        allow(player.openOne.selector, 1);
        allow(player.demandSome.selector, 1);
        allow(player.supplySome.selector, 1);
        allow(player.proveOne.selector, 1);
        allow(player.concludeOne.selector, 1);
    }

    function invariant_escrowIsWhatOpenDisputesHold() public view {
        assertEq(player.escrowWei(), player.heldWei());
    }

    function invariant_valueIsConserved() public view {
        assertTrue(player.isConserved(), "accounts, escrows and burned wei are all wei");
    }

    function invariant_leavesAddUp() public view {
        assertTrue(player.leavesAddUp(), "pages hold what was demanded");
    }
}
