// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {ClaimId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";
import {Burner, Flooder, Listener, Reenterer, Vanisher} from "./mocks/Consumers.sol";

/// @notice Callbacks of final and of refuted claims, to friendly and to hostile consumers.
contract ClaimChainCallbacksTest is ClaimStage {
    uint32 internal constant GAS = 400_000;

    function _final(uint256 count, address consumer, uint32 callbackGas) private returns (Made memory made) {
        made = _leaseAndClaim(honest, _order(count, consumer, callbackGas));
        _afterWindow();
        chain.finalise(made.order.batch, made.claims);
    }

    function _page(Made memory made, uint256 count) private pure returns (ClaimWitness[] memory page) {
        page = new ClaimWitness[](count);
        for (uint32 i = 0; i < count; ++i) {
            page[i] = _witness(made, i);
        }
    }

    function _settle(Made memory made, uint256 count) private {
        ClaimWitness[] memory page = _page(made, count);
        vm.prank(keeper);
        chain.settle(page);
    }

    function _refusedSettle(Made memory made, bytes memory reason) private {
        ClaimWitness[] memory page = _page(made, 1);
        vm.expectRevert(reason);
        chain.settle(page);
    }

    function _expectFailure(Made memory made, Certainty certainty, uint64 sequence) private {
        vm.expectEmit(true, true, false, true, address(chain));
        emit IClaimChain.CallbackFailed(RequestId.wrap(made.order.ids[0]), _claimId(made, 0), certainty, sequence);
    }

    // Settle.

    function test_settle_inTheWindow_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2, address(new Listener()), GAS));
        vm.warp(START + WINDOW - 1);
        _refusedSettle(made, abi.encodeWithSelector(IClaimChain.WindowOpen.selector, Instant.wrap(START + WINDOW)));
    }

    function test_settle_contested_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2, address(new Listener()), GAS));
        chain.contest(_witness(made, 0));
        _afterWindow();
        _refusedSettle(made, _wrongCertainty(Certainty.Challenged, Certainty.Final));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _refusedSettle(made, _wrongCertainty(Certainty.Provisional, Certainty.Final));
    }

    function test_settle_withoutCallback_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(1));
        _afterWindow();
        chain.finalise(made.order.batch, made.claims);
        _refusedSettle(made, abi.encodeWithSelector(IClaimChain.NoCallback.selector, made.order.ids[0]));
    }

    function test_settle_twice_reverts() external {
        Made memory made = _final(2, address(new Listener()), GAS);
        _settle(made, 1);
        _refusedSettle(made, abi.encodeWithSelector(IClaimChain.AlreadySettled.selector, _claimId(made, 0)));
    }

    function test_settle_sameClaimTwiceInAPage_isPaidOnce() external {
        Listener listener = new Listener();
        Made memory made = _final(2, address(listener), GAS);
        ClaimWitness[] memory page = _page(made, 2);
        page[1] = page[0];
        vm.prank(keeper);
        chain.settle(page);
        assertEq(listener.calls(), 1);
        assertEq(vault.balanceOf(keeper), TIP);
    }

    function test_settle_pageWithOneSettledByAnother_settlesTheRest() external {
        Listener listener = new Listener();
        Made memory made = _final(3, address(listener), GAS);
        ClaimWitness[] memory other = new ClaimWitness[](1);
        other[0] = _witness(made, 1);
        vm.prank(thief);
        chain.settle(other);
        vm.prank(keeper);
        chain.settle(_page(made, 3));
        assertEq(listener.calls(), 3);
        assertEq(vault.balanceOf(keeper), 2 * TIP);
        assertEq(vault.balanceOf(thief), TIP);
    }

    function test_settle_tellsTheConsumer_andPaysTheTip() external {
        Listener listener = new Listener();
        Made memory made = _final(3, address(listener), GAS);
        vm.expectEmit(true, true, false, true, address(chain));
        emit IClaimChain.CallbackSent(RequestId.wrap(made.order.ids[0]), _claimId(made, 0), Certainty.Final, 1);
        _settle(made, 1);
        assertEq(listener.calls(), 1);
        assertEq(RequestId.unwrap(listener.request()), made.order.ids[0]);
        assertEq(ClaimId.unwrap(listener.claim()), ClaimId.unwrap(_claimId(made, 0)));
        assertEq(uint256(listener.certainty()), uint256(Certainty.Final));
        assertEq(listener.sequence(), 1);
        assertEq(listener.output(), made.entries[0]);
        assertEq(vault.balanceOf(keeper), TIP);
        assertEq(vault.escrowOf(address(chain)), 2 * TIP);
    }

    function test_settle_pageOf40_paysAllTips() external {
        Listener listener = new Listener();
        Made memory made = _final(40, address(listener), GAS);
        _settle(made, 40);
        assertEq(listener.calls(), 40);
        assertEq(vault.balanceOf(keeper), 40 * TIP);
        assertEq(vault.escrowOf(address(chain)), 0);
    }

    function test_settle_finalisesOnTheWay() external {
        Listener listener = new Listener();
        Made memory made = _leaseAndClaim(honest, _order(3, address(listener), GAS));
        _afterWindow();
        _settle(made, 2);
        assertEq(listener.calls(), 2);
        assertEq(vault.balanceOf(honest), 200 ether + 3 * FEE);
        _assertCertainty(made, 2, Certainty.Final, 0);
    }

    function test_settle_eager_withoutTraceRoot() external {
        Listener listener = new Listener();
        Order memory order = _order(1, address(listener), GAS);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.eager = true;
        Made memory made = _claim(honest, order, attempt);
        _afterWindow();
        _settle(made, 1);
        bytes memory output = listener.output();
        assertEq(output.length, 40);
        assertEq(output[39] == made.entries[0][39] ? 1 : 0, 1);
    }

    function test_settle_afterAcquittal() external {
        Listener listener = new Listener();
        Made memory made = _leaseAndClaim(honest, _order(2, address(listener), GAS));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _afterWindow();
        chain.finaliseContested(_witness(made, 0));
        _settle(made, 2);
        assertEq(listener.calls(), 2);
        assertEq(vault.escrowOf(address(chain)), 0);
    }

    function test_settle_addressWithoutCode_isSent() external {
        Made memory made = _final(1, address(0xdead), GAS);
        _settle(made, 1);
        assertEq(vault.balanceOf(keeper), TIP);
    }

    // Gas.

    function test_settle_anyGasLimit_givesExactGasOrNothing() external {
        Listener listener = new Listener();
        Made memory made = _final(1, address(listener), GAS);
        bytes memory payload = abi.encodeCall(IClaimChain.settle, (_page(made, 1)));
        uint256 refused = 0;
        uint256 told = 0;
        for (uint256 limit = 380_000; limit < 620_000; limit += 1_777) {
            uint256 snapshot = vm.snapshotState();
            (bool success, bytes memory reason) = address(chain).call{gas: limit}(payload);
            if (success) {
                assertEq(listener.calls(), 1);
                // What the listener spends before it looks at its gas.
                assertLe(GAS - listener.gasSeen(), 600);
                ++told;
            } else {
                assertEq(listener.calls(), 0);
                if (bytes4(reason) == IClaimChain.InsufficientGas.selector) ++refused;
            }
            vm.revertToState(snapshot);
        }
        assertTrue(refused > 5 && told > 20, "both outcomes were seen");
    }

    function test_settle_tooLittleGas_changesNothing() external {
        Listener listener = new Listener();
        Made memory made = _final(1, address(listener), GAS);
        bytes memory payload = abi.encodeCall(IClaimChain.settle, (_page(made, 1)));
        (bool success, bytes memory reason) = address(chain).call{gas: GAS + 60_000}(payload);
        assertTrue(!success, "refused");
        assertEq(bytes32(bytes4(reason)), bytes32(IClaimChain.InsufficientGas.selector));
        assembly {
            mstore(add(reason, 4), sub(mload(reason), 4))
            reason := add(reason, 4)
        }
        (, uint256 required) = abi.decode(reason, (uint256, uint256));
        assertEq(required, GAS + GAS / 63 + 1 + 60_000);
        _settle(made, 1);
        assertEq(listener.calls(), 1);
    }

    // Failures and hostile consumers.

    function test_settle_refusingConsumer_paysTip_andKeepsTheCallback() external {
        Listener listener = new Listener();
        listener.setRefusing(true);
        Made memory made = _final(1, address(listener), GAS);
        _expectFailure(made, Certainty.Final, 1);
        _settle(made, 1);
        assertEq(vault.balanceOf(keeper), TIP);
        _refusedSettle(made, abi.encodeWithSelector(IClaimChain.AlreadySettled.selector, _claimId(made, 0)));

        _expectFailure(made, Certainty.Final, 1);
        chain.retry(_witness(made, 0));
        listener.setRefusing(false);
        chain.retry(_witness(made, 0));
        assertEq(listener.calls(), 1);
        assertEq(listener.output(), made.entries[0]);
        assertEq(listener.sequence(), 1);
        assertEq(vault.balanceOf(keeper), TIP);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NothingToRetry.selector, _claimId(made, 0)));
        chain.retry(_witness(made, 0));
    }

    function test_retry_whatNeverFailed_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(1, address(new Listener()), GAS));
        bytes memory nothing = abi.encodeWithSelector(IClaimChain.NothingToRetry.selector, _claimId(made, 0));
        vm.expectRevert(nothing);
        chain.retry(_witness(made, 0));
        _afterWindow();
        _settle(made, 1);
        vm.expectRevert(nothing);
        chain.retry(_witness(made, 0));
    }

    function test_settle_hostileConsumers_costTheirGasAndNoMore() external {
        address[4] memory hostile =
            [address(new Burner()), address(new Flooder(false)), address(new Flooder(true)), address(new Vanisher())];
        bool[4] memory fails = [true, false, true, false];
        for (uint256 i = 0; i < 4; ++i) {
            Made memory made = _final(1, hostile[i], 3_000_000);
            if (fails[i]) _expectFailure(made, Certainty.Final, 1);
            uint256 gasBefore = gasleft();
            _settle(made, 1);
            assertLe(gasBefore - gasleft(), 3_000_000 + 250_000);
            assertEq(vault.balanceOf(keeper), (i + 1) * TIP);
            _assertCertainty(made, 0, Certainty.Final, 0);
        }
    }

    function test_settle_reentered_byEveryEntryPoint() external {
        Reenterer reenterer = new Reenterer(address(chain));
        Made memory made = _final(2, address(reenterer), 1_000_000);
        ClaimWitness memory witness = _witness(made, 0);
        ClaimId id = _claimId(made, 0);
        bytes memory notGame = abi.encodeWithSelector(IClaimChain.NotTheDisputeGame.selector, reenterer);
        bytes memory notInbox = abi.encodeWithSelector(IClaimChain.NotTheInbox.selector, reenterer);
        bytes[13] memory expected;
        uint256 n = 0;
        reenterer.prepare(abi.encodeCall(chain.settle, (_page(made, 1))));
        expected[n++] = abi.encodeWithSelector(IClaimChain.AlreadySettled.selector, id);
        reenterer.prepare(abi.encodeCall(chain.retry, (witness)));
        expected[n++] = abi.encodeWithSelector(IClaimChain.NothingToRetry.selector, id);
        reenterer.prepare(abi.encodeCall(chain.announce, (witness)));
        expected[n++] = _wrongCertainty(Certainty.None, Certainty.Refuted);
        reenterer.prepare(abi.encodeCall(chain.finalise, (made.order.batch, made.claims)));
        expected[n++] = _wrongCertainty(Certainty.None, Certainty.Provisional);
        reenterer.prepare(abi.encodeCall(chain.finaliseContested, (witness)));
        expected[n++] = _wrongCertainty(Certainty.None, Certainty.Provisional);
        reenterer.prepare(abi.encodeCall(chain.lease, (made.order.batch, 0)));
        expected[n++] = abi.encodeWithSelector(IClaimChain.NothingToClaim.selector);
        reenterer.prepare(abi.encodeCall(chain.claim, (made.order.batch, 0, 2, _below(2), new bytes(80), false, BOND)));
        expected[n++] = abi.encodeWithSelector(IClaimChain.NothingToClaim.selector);
        reenterer.prepare(abi.encodeCall(chain.contest, (witness)));
        expected[n++] = notGame;
        reenterer.prepare(abi.encodeCall(chain.acquit, (witness, Instant.wrap(0))));
        expected[n++] = notGame;
        reenterer.prepare(abi.encodeCall(chain.refute, (witness)));
        expected[n++] = notGame;
        reenterer.prepare(abi.encodeCall(chain.reject, (witness, 0)));
        expected[n++] = notGame;
        reenterer.prepare(abi.encodeCall(chain.logEmpty, (_id(made.order), _below(1))));
        expected[n++] = notInbox;
        reenterer.prepare(abi.encodeCall(chain.retire, (made.order.batch, 0, RequestId.wrap(0))));
        expected[n++] = notInbox;
        _settle(made, 1);
        assertEq(reenterer.outcomeCount(), n);
        for (uint256 i = 0; i < n; ++i) {
            assertEq(reenterer.outcomes(i), expected[i]);
        }
        assertEq(vault.balanceOf(keeper), TIP);
        assertEq(vault.escrowOf(address(chain)), TIP);
    }

    function test_settle_reenteredForAnotherClaim_paysEachTipOnce() external {
        Reenterer reenterer = new Reenterer(address(chain));
        Made memory made = _final(2, address(reenterer), 1_000_000);
        ClaimWitness[] memory other = new ClaimWitness[](1);
        other[0] = _witness(made, 1);
        // Inside the outer callback there is not enough gas for another with the same limit.
        reenterer.prepare(abi.encodeCall(chain.settle, (other)));
        _settle(made, 2);
        assertEq(bytes32(bytes4(reenterer.outcomes(0))), bytes32(IClaimChain.InsufficientGas.selector));
        assertEq(vault.balanceOf(keeper), 2 * TIP);
        assertEq(vault.balanceOf(address(reenterer)), 0);
    }

    // Announcements.

    function test_announce_notRefuted_reverts() external {
        Made memory made = _leaseAndClaim(liar, _order(1, address(new Listener()), GAS));
        vm.expectRevert(_wrongCertainty(Certainty.None, Certainty.Refuted));
        chain.announce(_witness(made, 0));
        chain.contest(_witness(made, 0));
        vm.expectRevert(_wrongCertainty(Certainty.Challenged, Certainty.Refuted));
        chain.announce(_witness(made, 0));
    }

    function test_announce_withoutCallback_reverts() external {
        Made memory made = _leaseAndClaim(liar, _order(1));
        _refute(made, 0);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NoCallback.selector, made.order.ids[0]));
        chain.announce(_witness(made, 0));
    }

    function test_announce_once_withoutTip() external {
        Listener listener = new Listener();
        Made memory made = _leaseAndClaim(liar, _order(1, address(listener), GAS));
        _refute(made, 0);
        vm.prank(keeper);
        chain.announce(_witness(made, 0));
        assertEq(uint256(listener.certainty()), uint256(Certainty.Refuted));
        assertEq(listener.output().length, 0);
        assertEq(vault.balanceOf(keeper), 0);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.AlreadySettled.selector, _claimId(made, 0)));
        chain.announce(_witness(made, 0));
    }

    function test_announce_failed_isRetried() external {
        Listener listener = new Listener();
        listener.setRefusing(true);
        Made memory made = _leaseAndClaim(liar, _order(1, address(listener), GAS));
        _refute(made, 0);
        _expectFailure(made, Certainty.Refuted, 1);
        chain.announce(_witness(made, 0));
        listener.setRefusing(false);
        chain.retry(_witness(made, 0));
        assertEq(uint256(listener.certainty()), uint256(Certainty.Refuted));
    }

    function test_sequence_followsTheClaimsNotTheCalls() external {
        Listener listener = new Listener();
        Order memory order = _order(1, address(listener), GAS);
        Made memory first = _leaseAndClaim(liar, order);
        _refute(first, 0);
        vm.prank(honest);
        chain.lease(order.batch, 1);
        Made memory second = _claim(honest, order, _single(0, 2 * BOND));
        chain.contest(_witness(second, 0));
        chain.reject(_witness(second, 0), 0);
        vm.prank(liar);
        chain.lease(order.batch, 1);
        Made memory third = _claim(liar, order, _single(0, 3 * BOND));
        _afterWindow();
        _settle(third, 1);
        assertEq(listener.sequence(), 3);
        chain.announce(_witness(first, 0));
        assertEq(listener.sequence(), 1);
    }
}
