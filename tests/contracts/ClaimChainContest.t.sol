// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness, Contested, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {ClaimId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";

/// @notice What the dispute game and the Inbox may do to claims and requests; this test is the dispute game.
contract ClaimChainContestTest is ClaimStage {
    function _refusedContest(ClaimWitness memory witness, bytes memory reason) private {
        vm.expectRevert(reason);
        chain.contest(witness);
    }

    function _reject(Made memory made, uint256 costWei) private returns (uint256 movedWei) {
        chain.contest(_witness(made, 0));
        return chain.reject(_witness(made, 0), costWei);
    }

    function _retired(Order memory order, uint32 index, bytes memory reason) private {
        vm.expectRevert(reason);
        inbox.refund(order.batch, index, order.requests[index]);
    }

    function test_disputeGamesCalls_byThief_revert() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        ClaimWitness memory witness = _witness(made, 0);
        bytes memory reason = abi.encodeWithSelector(IClaimChain.NotTheDisputeGame.selector, thief);
        vm.startPrank(thief);
        vm.expectRevert(reason);
        chain.contest(witness);
        vm.expectRevert(reason);
        chain.acquit(witness, Instant.wrap(0));
        vm.expectRevert(reason);
        chain.refute(witness);
        vm.expectRevert(reason);
        chain.reject(witness, 0);
    }

    function test_inboxsCalls_byThief_revert() external {
        Order memory order = _order(2);
        RequestBatchId requests = _id(order);
        bytes memory reason = abi.encodeWithSelector(IClaimChain.NotTheInbox.selector, thief);
        vm.startPrank(thief);
        vm.expectRevert(reason);
        chain.logEmpty(requests, [uint256(1), 0]);
        vm.expectRevert(reason);
        chain.retire(order.batch, 0, RequestId.wrap(0));
    }

    function test_contest_forgedWitness_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(5));
        ClaimWitness memory witness = _witness(made, 2);
        witness.entry = new bytes(40);
        _refusedContest(witness, abi.encodeWithSelector(IClaimChain.NotInClaims.selector, 2));

        witness = _witness(made, 2);
        witness.entryPath[1] = 0;
        _refusedContest(witness, abi.encodeWithSelector(IClaimChain.NotInClaims.selector, 2));

        witness = _witness(made, 2);
        witness.request = made.order.requests[3];
        _refusedContest(witness, abi.encodeWithSelector(IInbox.NotInBatch.selector, made.order.ids[3], 2));

        witness = _witness(made, 2);
        witness.claims.bondWei += 1;
        _refusedContest(witness, _wrongCertainty(Certainty.None, Certainty.Provisional));
        witness.claims.bondWei -= 1;

        witness = _witness(made, 2);
        witness.requests.tipWei += 1;
        RequestBatchId forged = inbox.batchIdOf(witness.requests);
        _refusedContest(witness, abi.encodeWithSelector(IClaimChain.UnknownRequestBatch.selector, forged));
    }

    function test_contest_emptyEntry_reverts() external {
        Order memory order = _order(4);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.presence[0] = 13;
        Made memory made = _claim(honest, order, attempt);
        _refusedContest(_witness(made, 1), abi.encodeWithSelector(IClaimChain.NotInClaims.selector, 1));
    }

    function test_contest_atWindowsEnd_reverts() external {
        Made memory made = _leaseAndClaim(liar, _order(2));
        bytes memory over = abi.encodeWithSelector(IClaimChain.WindowOver.selector, Instant.wrap(START + WINDOW));
        vm.warp(START + WINDOW);
        _refusedContest(_witness(made, 0), over);
        vm.warp(START + WINDOW + 1);
        _refusedContest(_witness(made, 0), over);
    }

    function test_contest_final_reverts() external {
        Order memory order = _order(2);
        _lease(liar, order);
        Attempt memory attempt = _all(order);
        attempt.eager = true;
        Made memory made = _claim(liar, order, attempt);
        _afterWindow();
        chain.finalise(order.batch, made.claims);
        _refusedContest(_witness(made, 0), _wrongCertainty(Certainty.Final, Certainty.Provisional));
    }

    function test_contest_twice_reverts() external {
        Made memory made = _leaseAndClaim(liar, _order(2));
        chain.contest(_witness(made, 0));
        bytes memory again = abi.encodeWithSelector(IClaimChain.AlreadyContested.selector, _claimId(made, 0));
        _refusedContest(_witness(made, 0), again);
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _refusedContest(_witness(made, 0), again);
    }

    function test_contest_inItsLastSecond_takesTheClaimOut() external {
        Made memory made = _leaseAndClaim(liar, _order(2));
        vm.warp(START + WINDOW - 1);
        vm.expectEmit(true, true, false, true, address(chain));
        emit IClaimChain.Challenged(_claimId(made, 1), made.id, 1);
        (ClaimId id, RequestId request) = chain.contest(_witness(made, 1));
        assertEq(ClaimId.unwrap(id), ClaimId.unwrap(_claimId(made, 1)));
        assertEq(RequestId.unwrap(request), made.order.ids[1]);
        Contested memory record = chain.contested(id);
        assertEq(uint256(record.certainty), uint256(Certainty.Challenged));
        assertEq(record.bondWei, BOND);
        _assertCertainty(made, 1, Certainty.Challenged, 0);
        _assertCertainty(made, 0, Certainty.Provisional, 1);
    }

    function test_contest_eager_untilFinal() external {
        Order memory order = _order(2);
        _lease(liar, order);
        Attempt memory attempt = _all(order);
        attempt.eager = true;
        Made memory made = _claim(liar, order, attempt);
        vm.warp(START + WINDOW + 500);
        _refute(made, 1);
        _assertCertainty(made, 1, Certainty.Refuted, 0);
    }

    function test_verdicts_onClaimsThatAreNotContested_revert() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        bytes memory none = _wrongCertainty(Certainty.None, Certainty.Challenged);
        vm.expectRevert(none);
        chain.acquit(_witness(made, 0), Instant.wrap(0));
        vm.expectRevert(none);
        chain.refute(_witness(made, 0));
        vm.expectRevert(none);
        chain.reject(_witness(made, 0), 0);
    }

    function test_refute_afterFinality_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _afterWindow();
        chain.finaliseContested(_witness(made, 0));
        vm.expectRevert(_wrongCertainty(Certainty.Final, Certainty.Challenged));
        chain.refute(_witness(made, 0));
    }

    function test_refute_movesTheBondAndReopens() external {
        Made memory made = _leaseAndClaim(liar, _order(300));
        chain.contest(_witness(made, 270));
        RequestId request = RequestId.wrap(made.order.ids[270]);
        vm.expectEmit(true, true, false, true, address(chain));
        emit IClaimChain.Reopened(request, _id(made.order), 270, 1, Instant.wrap(DEADLINE));
        vm.expectEmit(true, true, false, true, address(chain));
        emit IClaimChain.Refuted(_claimId(made, 270), request);
        assertEq(chain.refute(_witness(made, 270)), BOND);
        assertEq(vault.escrowOf(address(this)), BOND);
        assertEq(vault.escrowOf(address(chain)), 299 * HELD);
        assertEq(vault.escrowOf(address(inbox)), FEE + TIP);
        assertEq(chain.claimedBits(_id(made.order), 1), ((1 << 44) - 1) & ~uint256(1 << 14));
        (uint32 refutations, uint32 rejections) = chain.attemptsOf(_id(made.order), 270);
        assertEq(refutations, 1);
        assertEq(rejections, 0);
        _assertCertainty(made, 270, Certainty.Refuted, 0);
    }

    function test_refute_afterAcquittal_whileNotFinal() external {
        Made memory made = _leaseAndClaim(liar, _order(2));
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        assertEq(chain.refute(_witness(made, 0)), BOND);
        _assertCertainty(made, 0, Certainty.Refuted, 0);
    }

    function test_refute_late_extendsTheDeadline() external {
        vm.warp(DEADLINE - 30);
        Made memory made = _leaseAndClaim(liar, _order(1));
        vm.warp(DEADLINE + 20);
        _refute(made, 0);
        uint40 extended = DEADLINE + 20 + WINDOW + TERM;
        vm.warp(extended - 1);
        _retired(made.order, 0, abi.encodeWithSelector(IClaimChain.NotYetRefundable.selector, Instant.wrap(extended)));
        vm.prank(honest);
        chain.lease(made.order.batch, 1);
        vm.warp(extended);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.DeadlinePassed.selector, Instant.wrap(extended)));
        _send(honest, made.order, _single(0, 2 * BOND), new bytes(40));
    }

    function test_sameClaimAgainInTheSecondItFell_reverts() external {
        Order memory order = _order(1);
        _lease(liar, order);
        Made memory made = _claim(liar, order, _single(0, 2 * BOND));
        _refute(made, 0);
        vm.prank(liar);
        chain.lease(order.batch, 1);
        (, bytes memory data) = _entriesOf(_single(0, 2 * BOND));
        vm.expectRevert(_wrongCertainty(Certainty.Refuted, Certainty.None));
        _send(liar, order, _single(0, 2 * BOND), data);
    }

    function test_reject_takesTheCostAndReturnsTheRest() external {
        Made memory made = _leaseAndClaim(liar, _order(1));
        assertEq(_reject(made, 0.02 ether), 0.02 ether);
        assertEq(vault.escrowOf(address(this)), 0.02 ether);
        assertEq(vault.balanceOf(liar), 200 ether - 0.02 ether);
        _assertCertainty(made, 0, Certainty.Rejected, 0);
        (uint32 refutations, uint32 rejections) = chain.attemptsOf(_id(made.order), 0);
        assertEq(refutations, 0);
        assertEq(rejections, 1);
    }

    function test_reject_costAboveTheBond_takesTheBond() external {
        Made memory made = _leaseAndClaim(liar, _order(1));
        assertEq(_reject(made, 5 ether), BOND);
        assertEq(vault.balanceOf(liar), 200 ether - BOND);
    }

    function test_reject_excludesTheExecutorOnly() external {
        Made memory made = _leaseAndClaim(liar, _order(1));
        _reject(made, 0);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.ExcludedExecutor.selector, liar, made.order.ids[0]));
        vm.prank(liar);
        chain.lease(made.order.batch, 1);
        vm.prank(honest);
        chain.lease(made.order.batch, 1);
        _assertCertainty(_claim(honest, made.order, _single(0, BOND)), 0, Certainty.Provisional, WINDOW);
    }

    function test_reject_threeTimes_endsTheRequest() external {
        Order memory order = _order(1);
        _lease(liar, order);
        address[3] memory executors = [liar, honest, thief];
        vault.deposit{value: 1 ether}(thief);
        for (uint256 i = 0; i < 3; ++i) {
            if (i != 0) {
                vm.prank(executors[i]);
                chain.lease(order.batch, 1);
            }
            _reject(_claim(executors[i], order, _single(0, BOND)), 0);
        }
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.DeadlinePassed.selector, Instant.wrap(START)));
        vm.prank(keeper);
        chain.lease(order.batch, 1);
        inbox.refund(order.batch, 0, order.requests[0]);
        assertEq(vault.balanceOf(asker), FEE + TIP);
        assertEq(chain.claimedBits(_id(order), 0), 1);
    }

    function test_retire_beforeDeadline_reverts() external {
        Order memory order = _order(2);
        vm.warp(DEADLINE - 1);
        _retired(order, 1, abi.encodeWithSelector(IClaimChain.NotYetRefundable.selector, Instant.wrap(DEADLINE)));
    }

    function test_retire_whileClaimIsLiveOrFinal_reverts() external {
        Made memory made = _leaseAndClaim(honest, _order(2));
        bytes memory live = abi.encodeWithSelector(IClaimChain.ClaimIsLive.selector, _id(made.order), 1);
        vm.warp(DEADLINE + 1);
        _retired(made.order, 1, live);
        chain.finalise(made.order.batch, made.claims);
        _retired(made.order, 1, live);
    }

    function test_retire_ofLeasedRequests_burnsTheirDeposits() external {
        Order memory order = _order(3);
        _lease(liar, order);
        _claim(liar, order, _single(0, BOND));
        vm.warp(DEADLINE);
        inbox.refund(order.batch, 1, order.requests[1]);
        assertEq(vault.burned(), DEPOSIT);
        inbox.refund(order.batch, 2, order.requests[2]);
        assertEq(vault.burned(), 2 * DEPOSIT);
        assertEq(vault.escrowOf(address(chain)), BOND + FEE + TIP);
    }

    function test_retire_ofALeasedReopenedRequest_burnsItsDeposit() external {
        Order memory order = _order(2);
        _lease(liar, order);
        _refute(_claim(liar, order, _single(0, BOND)), 0);
        vm.warp(DEADLINE - 1);
        vm.prank(liar);
        chain.lease(order.batch, 1);
        vm.warp(DEADLINE);
        inbox.refund(order.batch, 0, order.requests[0]);
        assertEq(vault.burned(), DEPOSIT);
        // What is left belongs to request 1, which the common lease covers.
        assertEq(vault.escrowOf(address(chain)), DEPOSIT);
    }

    function test_retire_atDeadline_blocksRefundAndClaim() external {
        Order memory order = _order(2);
        vm.warp(DEADLINE);
        inbox.refund(order.batch, 1, order.requests[1]);
        assertEq(chain.claimedBits(_id(order), 0), 2);
        _retired(order, 1, abi.encodeWithSelector(IClaimChain.ClaimIsLive.selector, _id(order), 1));
    }
}
