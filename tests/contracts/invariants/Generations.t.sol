// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {GenerationPlayer} from "../mocks/GenerationPlayer.sol";
import {Invariants} from "./Invariants.sol";

/// @notice Requests for texts, their claims of scores and the game, all of it real, under random play. That whatever is legal
/// succeeds, and nothing else, is asserted by the player as it goes.
contract GenerationsInvariants is Invariants {
    GenerationPlayer private player;

    function setUp() public {
        player = new GenerationPlayer();
        player.setUp();
        play(address(player));
        allow(player.pass.selector, 4);
        allow(player.ask.selector, 1);
        allow(player.take.selector, 2);
        allow(player.claim.selector, 2);
        allow(player.challenge.selector, 1);
        allow(player.open.selector, 2);
        allow(player.prove.selector, 2);
        allow(player.conclude.selector, 1);
        allow(player.reopen.selector, 1);
        allow(player.settle.selector, 1);
        allow(player.refund.selector, 1);
    }

    /// @notice Every wei is somewhere, and the escrow is what requests hold; no claim of an executor who tells the truth and
    /// answers in time ever falls; at most one claim of a request is final, and it is paid once.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 200
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_everyWeiInItsPlace_noHonestClaimFalls_andATextIsPaidOnce() public view {
        (uint256 heldWei, uint256 expectedWei) = player.escrow();
        assertEq(heldWei, expectedWei);
        player.requireConserved();
        assertTrue(player.honestyHolds(), "an honest claim fell");
        assertTrue(player.paidOnce(), "one final claim, one payment");
    }

    function afterInvariant() public override {
        emit log_named_uint("refuted by proof", player.refutations());
        emit log_named_uint("rejected by proof", player.rejections());
        emit log_named_uint("final", player.finals());
        emit log_named_uint("refunded", player.refunds());
        super.afterInvariant();
    }
}
