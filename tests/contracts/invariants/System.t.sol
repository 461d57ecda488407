// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {SystemPlayer} from "../mocks/SystemPlayer.sol";

/// @notice The whole system, all of it real, under random play.
contract SystemInvariants is Harness {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    SystemPlayer private player;

    function setUp() public {
        player = new SystemPlayer();
        player.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(player);
    }

    /// @dev What is worth more is named more often.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[20] memory moves = [
            player.pass.selector,
            player.pass.selector,
            player.pass.selector,
            player.ask.selector,
            player.ask.selector,
            player.claimAgain.selector,
            player.challenge.selector,
            player.challenge.selector,
            player.open.selector,
            player.open.selector,
            player.demand.selector,
            player.supply.selector,
            player.prove.selector,
            player.prove.selector,
            player.proveEager.selector,
            player.conclude.selector,
            player.finish.selector,
            player.settle.selector,
            player.announce.selector,
            player.refund.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(player), new bytes4[](moves.length));
        for (uint256 i = 0; i < moves.length; ++i) {
            targets[0].selectors[i] = moves[i];
        }
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

    /// @notice An invariant over calls that mostly revert would say little.
    function afterInvariant() public {
        emit log_named_uint("refuted by proof", player.refutations());
        emit log_named_uint("rejected by proof", player.rejections());
        emit log_named_uint("final", player.finals());
        if (player.attempts() < 20) return;
        emit log_named_uint("moves that succeeded, %", 100 * player.successes() / player.attempts());
        assertTrue(2 * player.successes() > player.attempts(), "more than half of the moves succeed");
    }
}
