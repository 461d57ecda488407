// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TrainingPlayer} from "../mocks/TrainingPlayer.sol";
import {Invariants} from "./Invariants.sol";

/// @notice Requests for trained networks, played at random. That each ends when it may and pays out all it holds is asserted by
/// the player as it goes.
contract TrainingsInvariants is Invariants {
    TrainingPlayer private player;

    function setUp() public {
        player = new TrainingPlayer();
        player.setUp();
        play(address(player));
        allow(player.pass.selector, 3);
        allow(player.ask.selector, 1);
        allow(player.open.selector, 1);
        allow(player.commitWeights.selector, 2);
        allow(player.revealKey.selector, 1);
        allow(player.scoreItems.selector, 2);
        allow(player.judgeClaim.selector, 1);
        allow(player.settle.selector, 1);
    }

    /// @notice The escrow is what the requests that have not ended put up, and every wei is in its place.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 120
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_escrowIsWhatOpenRequestsHold() public view {
        assertEq(player.escrowWei(), player.heldWei());
        (uint256 knownWei, uint256 vaultWei) = player.books();
        assertEq(knownWei, vaultWei);
    }
}
