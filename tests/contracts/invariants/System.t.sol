// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SystemPlayer} from "../mocks/SystemPlayer.sol";
import {Invariants} from "./Invariants.sol";

/// @notice The whole system, all of it real, under random play.
contract SystemInvariants is Invariants {
    SystemPlayer private player;

    function setUp() public {
        player = new SystemPlayer();
        player.setUp();
        play(address(player));
        allow(player.pass.selector, 3);
        allow(player.ask.selector, 2);
        allow(player.claimAgain.selector, 1);
        allow(player.challenge.selector, 2);
        allow(player.open.selector, 2);
        allow(player.demand.selector, 1);
        allow(player.supply.selector, 1);
        allow(player.prove.selector, 2);
        allow(player.proveEager.selector, 1);
        allow(player.conclude.selector, 1);
        allow(player.finish.selector, 1);
        allow(player.settle.selector, 1);
        allow(player.announce.selector, 1);
        allow(player.refund.selector, 1);
    }

    /// @notice Every escrow holds what the requests, claims and disputes say; every wei is somewhere; no honest claim
    /// falls but by silence.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 150
    function invariant_everyWeiInItsPlace_andNoHonestClaimFalls() public view {
        (uint256 inboxWei, uint256 chainWei, uint256 gameWei) = player.heldWei();
        (uint256 inInbox, uint256 inChain, uint256 inGame) = player.escrowWei();
        assertEq(inInbox, inboxWei);
        assertEq(inChain, chainWei);
        assertEq(inGame, gameWei);
        assertTrue(player.isConserved(), "every wei is somewhere");
        assertTrue(player.honestyHolds(), "an honest claim fell");
    }

    function afterInvariant() public override {
        emit log_named_uint("refuted by proof", player.refutations());
        emit log_named_uint("rejected by proof", player.rejections());
        emit log_named_uint("final", player.finals());
        super.afterInvariant();
    }
}
