// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {TrainingPlayer} from "../mocks/TrainingPlayer.sol";

/// @notice Requests for trained networks, played at random. That each ends when it may and pays out all it holds is asserted by
/// the player as it goes.
contract TrainingsInvariants is Harness {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    TrainingPlayer private player;

    function setUp() public {
        player = new TrainingPlayer();
        player.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(player);
    }

    /// @dev What is worth more is named more often.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[12] memory moves = [
            player.pass.selector,
            player.pass.selector,
            player.pass.selector,
            player.ask.selector,
            player.open.selector,
            player.commitWeights.selector,
            player.commitWeights.selector,
            player.revealKey.selector,
            player.scoreItems.selector,
            player.scoreItems.selector,
            player.judgeClaim.selector,
            player.settle.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(player), new bytes4[](moves.length));
        for (uint256 i = 0; i < moves.length; ++i) {
            targets[0].selectors[i] = moves[i];
        }
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

    /// @notice An invariant over calls that mostly revert would say little.
    function afterInvariant() public {
        if (player.attempts() < 20) return;
        emit log_named_uint("calls that succeeded, %", 100 * player.successes() / player.attempts());
        assertTrue(2 * player.successes() > player.attempts(), "more than half of the calls succeed");
    }
}
