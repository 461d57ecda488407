// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWorld} from "../mocks/ClaimWorld.sol";
import {Invariants} from "./Invariants.sol";

contract ClaimChainInvariants is Invariants {
    ClaimWorld private world;

    function setUp() public {
        world = new ClaimWorld();
        vm.deal(address(world), 1_000 ether);
        world.setUp();
        play(address(world));
        allow(world.pass.selector, 2);
        allow(world.lease.selector, 2);
        allow(world.claim.selector, 3);
        allow(world.finalise.selector, 2);
        allow(world.finaliseContested.selector, 1);
        allow(world.settle.selector, 1);
        allow(world.retry.selector, 1);
        allow(world.contest.selector, 1);
        allow(world.judge.selector, 2);
        allow(world.refund.selector, 1);
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
}
