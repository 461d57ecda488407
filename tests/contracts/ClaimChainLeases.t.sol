// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {RequestBatchId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";

/// @notice Leases of whole batches and of single reopened requests.
contract ClaimChainLeasesTest is ClaimStage {
    function _refused(address executor, Order memory order, uint32 scope, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(executor);
        chain.lease(order.batch, scope);
    }

    function _assertLease(Order memory order, uint32 scope, address expected, uint40 until, uint256 deposit)
        private
        view
    {
        (address lessee, Instant ends, uint256 depositWei) = chain.leaseOf(_id(order), scope);
        assertEq(lessee, expected);
        assertEq(Instant.unwrap(ends), until);
        assertEq(depositWei, deposit);
    }

    function test_lease_unknownRequestBatch_reverts() external {
        Order memory order = _order(3);
        order.batch.lane = 0;
        RequestBatchId unknown = inbox.batchIdOf(order.batch);
        _refused(honest, order, 0, abi.encodeWithSelector(IClaimChain.UnknownRequestBatch.selector, unknown));
    }

    function test_lease_heldByAnother_revertsUntilItExpires() external {
        Order memory order = _order(3);
        _lease(liar, order);
        bytes memory held = abi.encodeWithSelector(IClaimChain.LeaseHeld.selector, liar, Instant.wrap(START + TERM));
        _refused(honest, order, 0, held);
        _refused(liar, order, 0, held);
        vm.warp(START + TERM - 1);
        _refused(honest, order, 0, held);
    }

    function test_lease_atOrAfterDeadline_reverts() external {
        Order memory order = _order(3);
        bytes memory passed = abi.encodeWithSelector(IClaimChain.DeadlinePassed.selector, Instant.wrap(DEADLINE));
        vm.warp(DEADLINE);
        _refused(honest, order, 0, passed);
        vm.warp(DEADLINE + 1);
        _refused(honest, order, 0, passed);
    }

    function test_lease_lastSecondBeforeDeadline_isTaken() external {
        Order memory order = _order(3);
        vm.warp(DEADLINE - 1);
        _lease(honest, order);
        _assertLease(order, 0, honest, DEADLINE - 1 + TERM, 3 * DEPOSIT);
    }

    function test_lease_withoutMoney_reverts() external {
        Order memory order = _order(3);
        _refused(thief, order, 0, abi.encodeWithSelector(IVault.InsufficientBalance.selector, thief, 0, 3 * DEPOSIT));
    }

    function test_lease_ofRequestBeyondBatch_reverts() external {
        Order memory order = _order(3);
        _refused(honest, order, 4, abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 3, 1, 3));
    }

    function test_lease_singly_ofFreshRequest_reverts() external {
        Order memory order = _order(3);
        _refused(honest, order, 2, abi.encodeWithSelector(IClaimChain.NotReopened.selector, 1));
    }

    function test_lease_whenAllIsClaimed_reverts() external {
        Order memory order = _order(3);
        _leaseAndClaim(honest, order);
        _refused(honest, order, 0, abi.encodeWithSelector(IClaimChain.NothingToClaim.selector));
    }

    function test_lease_locksDepositForEachUnclaimedRequest() external {
        Order memory order = _order(300);
        inbox.logEmpty(_id(order), [uint256(7), 1]);
        vm.expectEmit(true, true, true, true, address(chain));
        emit IClaimChain.Leased(_id(order), 0, honest, Instant.wrap(START + TERM), 296 * DEPOSIT);
        _lease(honest, order);
        _assertLease(order, 0, honest, START + TERM, 296 * DEPOSIT);
        assertEq(vault.escrowOf(address(chain)), 296 * DEPOSIT);
        assertEq(vault.balanceOf(honest), 200 ether - 296 * DEPOSIT);
    }

    function test_lease_valueSentAlong_isDepositedFirst() external {
        Order memory order = _order(1);
        vm.deal(thief, 1 ether);
        vm.prank(thief);
        chain.lease{value: DEPOSIT + 5}(order.batch, 0);
        assertEq(vault.balanceOf(thief), 5);
    }

    function test_lease_overAnExpiredOne_burnsWhatWasLeft() external {
        Order memory order = _order(5);
        _lease(liar, order);
        _claim(liar, order, _single(0, BOND));
        vm.warp(START + TERM);
        _lease(honest, order);
        assertEq(vault.burned(), 4 * DEPOSIT);
        assertEq(vault.balanceOf(liar), 200 ether - 4 * DEPOSIT - BOND);
        _assertLease(order, 0, honest, START + 2 * TERM, 4 * DEPOSIT);
    }

    function test_lease_ends_withItsLastClaim() external {
        Order memory order = _order(2);
        _lease(honest, order);
        _claim(honest, order, _single(0, BOND));
        _assertLease(order, 0, honest, START + TERM, DEPOSIT);
        _claim(honest, order, _single(1, BOND));
        _assertLease(order, 0, address(0), 0, 0);
        assertEq(vault.balanceOf(honest), 200 ether - 2 * BOND);
    }

    function test_reopened_isNotInTheCommonLease() external {
        Order memory order = _order(3);
        _lease(liar, order);
        _refute(_claim(liar, order, _single(1, BOND)), 0);
        vm.warp(START + TERM);
        _lease(honest, order);
        _assertLease(order, 0, honest, START + 2 * TERM, 2 * DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.ReopenedIsClaimedSingly.selector, 1));
        _send(honest, order, _all(order), new bytes(120));
    }

    function test_reopened_claimedUnderTheCommonLease_reverts() external {
        Order memory order = _order(3);
        _lease(liar, order);
        _refute(_claim(liar, order, _single(1, BOND)), 0);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotTheLessee.selector, liar, address(0)));
        _send(liar, order, _single(1, 2 * BOND), new bytes(40));
    }

    function test_reopened_leasedSingly_costsTwiceTheBond() external {
        Order memory order = _order(3);
        _lease(liar, order);
        _refute(_claim(liar, order, _single(1, BOND)), 0);
        vm.prank(honest);
        chain.lease(order.batch, 2);
        _assertLease(order, 2, honest, START + TERM, DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.BondTooLow.selector, 2 * BOND - 1, 2 * BOND));
        _send(honest, order, _single(1, 2 * BOND - 1), new bytes(40));
        Made memory made = _claim(honest, order, _single(1, 2 * BOND));
        _assertCertainty(made, 0, Certainty.Provisional, WINDOW);
        _refused(honest, order, 2, abi.encodeWithSelector(IClaimChain.NothingToClaim.selector));
    }

    function test_reopened_sevenTimes_bondStopsAt64Times() external {
        Order memory order = _order(1);
        _lease(liar, order);
        uint96 bondWei = BOND;
        for (uint256 fallen = 1; fallen <= 7; ++fallen) {
            _refute(_claim(liar, order, _single(0, bondWei)), 0);
            if (fallen <= 6) bondWei *= 2;
            assertEq(chain.minimumBond(order.batch, uint32(fallen)), bondWei);
            vm.prank(liar);
            chain.lease(order.batch, 1);
            vm.expectRevert(abi.encodeWithSelector(IClaimChain.BondTooLow.selector, bondWei - 1, bondWei));
            _send(liar, order, _single(0, bondWei - 1), new bytes(40));
            vm.warp(block.timestamp + 1);
        }
        assertEq(bondWei, 64 * BOND);
    }

    function test_reopened_rangeAroundIt_isClaimedInBulk() external {
        Order memory order = _order(3);
        _lease(liar, order);
        _refute(_claim(liar, order, _single(1, BOND)), 0);
        vm.warp(START + TERM);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.presence[0] = 5;
        Made memory made = _claim(honest, order, attempt);
        _assertCertainty(made, 0, Certainty.Provisional, WINDOW);
        _assertCertainty(made, 1, Certainty.None, 0);
        _assertLease(order, 0, address(0), 0, 0);
    }
}
