// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {ScorePlayer} from "../mocks/ScorePlayer.sol";

/// @notice Claims of scores and their game, all of it real, under random play.
contract ScoreClaimsInvariants is Harness {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    ScorePlayer private player;

    function setUp() public {
        player = new ScorePlayer();
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
            player.claim.selector,
            player.challenge.selector,
            player.challenge.selector,
            player.challenge.selector,
            player.open.selector,
            player.open.selector,
            player.open.selector,
            player.demand.selector,
            player.supply.selector,
            player.supply.selector,
            player.prove.selector,
            player.prove.selector,
            player.conclude.selector,
            player.finish.selector,
            player.unmask.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(player), new bytes4[](moves.length));
        for (uint256 i = 0; i < moves.length; ++i) {
            targets[0].selectors[i] = moves[i];
        }
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
