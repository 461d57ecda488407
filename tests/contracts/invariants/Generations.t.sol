// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {GenerationPlayer} from "../mocks/GenerationPlayer.sol";

/// @notice Requests for texts, their claims of scores and the game, all of it real, under random play. That whatever is legal
/// succeeds, and nothing else, is asserted by the player as it goes.
contract GenerationsInvariants is Harness {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    GenerationPlayer private player;

    function setUp() public {
        player = new GenerationPlayer();
        player.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(player);
    }

    /// @dev What is worth more is named more often.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[18] memory moves = [
            player.pass.selector,
            player.pass.selector,
            player.pass.selector,
            player.pass.selector,
            player.ask.selector,
            player.take.selector,
            player.take.selector,
            player.claim.selector,
            player.claim.selector,
            player.challenge.selector,
            player.open.selector,
            player.open.selector,
            player.prove.selector,
            player.prove.selector,
            player.conclude.selector,
            player.reopen.selector,
            player.settle.selector,
            player.refund.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(player), new bytes4[](moves.length));
        for (uint256 i = 0; i < moves.length; ++i) {
            targets[0].selectors[i] = moves[i];
        }
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

    /// @notice An invariant over calls that mostly revert would say little.
    function afterInvariant() public {
        emit log_named_uint("refuted by proof", player.refutations());
        emit log_named_uint("rejected by proof", player.rejections());
        emit log_named_uint("final", player.finals());
        emit log_named_uint("refunded", player.refunds());
        (uint256 successes, uint256 attempts) = (player.successes(), player.successes() + player.refusals());
        if (attempts < 20) return;
        emit log_named_uint("calls", attempts);
        emit log_named_uint("calls that succeeded, %", 100 * successes / attempts);
        assertTrue(2 * successes > attempts, "more than half of the calls succeed");
    }
}
