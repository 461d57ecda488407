// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ScorePlayer} from "../mocks/ScorePlayer.sol";
import {Invariants} from "./Invariants.sol";

/// @notice Claims of scores and their game, all of it real, under random play.
contract ScoreClaimsInvariants is Invariants {
    ScorePlayer private player;

    function setUp() public {
        player = new ScorePlayer();
        player.setUp();
        play(address(player));
        allow(player.pass.selector, 3);
        allow(player.claim.selector, 1);
        allow(player.challenge.selector, 3);
        allow(player.open.selector, 3);
        allow(player.demand.selector, 1);
        allow(player.supply.selector, 2);
        allow(player.prove.selector, 2);
        allow(player.conclude.selector, 1);
        allow(player.finish.selector, 1);
        allow(player.unmask.selector, 1);
    }

    /// @notice Escrows hold what claims and disputes say; a bond leaves its claim once and whole; every wei is somewhere; no
    /// honest claim falls but by silence or by its source.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 150
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_everyWeiInItsPlace_andNoHonestClaimFalls() public view {
        (uint256 claimsWei, uint256 gameWei) = player.heldWei();
        (uint256 inClaims, uint256 inGame) = player.escrowWei();
        assertEq(inClaims, claimsWei);
        assertEq(inGame, gameWei);
        assertEq(player.endedWei() + inClaims, player.lockedWei());
        player.requireConserved();
        assertTrue(player.standingsAgree(), "disputes are counted, bonds are held");
        assertTrue(player.honestyHolds(), "an honest claim fell");
    }

    function afterInvariant() public override {
        emit log_named_uint("refuted by proof", player.refutations());
        emit log_named_uint("rejected by proof", player.rejections());
        emit log_named_uint("final", player.finals());
        super.afterInvariant();
    }
}
