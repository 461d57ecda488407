// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {ClaimWorld} from "../mocks/ClaimWorld.sol";

contract ClaimChainInvariants is Harness {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    ClaimWorld private world;

    function setUp() public {
        world = new ClaimWorld();
        vm.deal(address(world), 1_000 ether);
        world.setUp();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    /// @dev What is worth more is named more often.
    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[16] memory moves = [
            world.pass.selector,
            world.pass.selector,
            world.lease.selector,
            world.lease.selector,
            world.claim.selector,
            world.claim.selector,
            world.claim.selector,
            world.finalise.selector,
            world.finalise.selector,
            world.finaliseContested.selector,
            world.settle.selector,
            world.retry.selector,
            world.contest.selector,
            world.judge.selector,
            world.judge.selector,
            world.refund.selector
        ];
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(world), new bytes4[](moves.length));
        for (uint256 i = 0; i < moves.length; ++i) {
            targets[0].selectors[i] = moves[i];
        }
    }

    /// @notice At most one claim of a request is live or final, else it may be refunded; finality stays; every wei is
    /// where the claims and leases say.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_oneEndPerRequest_andEveryWeiInItsPlace() public {
        (uint256 chainWei, uint256 inboxWei) = world.audit();
        (uint256 inChain, uint256 inInbox, uint256 inGame, uint256 burned, uint256 owned) = world.books();
        assertEq(inChain, chainWei);
        assertEq(inInbox, inboxWei);
        assertEq(inGame, world.gameWei());
        assertEq(burned, world.burnedWei());
        assertEq(inChain + inInbox + inGame + burned + owned, world.vaultWei());
    }

    /// @notice An invariant over calls that mostly revert would say little.
    function afterInvariant() public {
        if (world.attempts() < 20) return;
        emit log_named_uint("calls that succeeded, %", 100 * world.successes() / world.attempts());
        assertTrue(2 * world.successes() > world.attempts(), "more than half of the calls succeed");
    }
}
