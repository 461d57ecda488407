// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {CLAIM_BATCH_TAG, CLAIM_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ClaimId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";

/// @notice Making claims.
contract ClaimChainTest is ClaimStage {
    function _refused(address executor, Order memory order, Attempt memory attempt, bytes memory reason) private {
        (, bytes memory data) = _entriesOf(attempt);
        _refusedWith(executor, order, attempt, data, reason);
    }

    function _refusedWith(
        address executor,
        Order memory order,
        Attempt memory attempt,
        bytes memory data,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        _send(executor, order, attempt, data);
    }

    function test_claim_unknownRequestBatch_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        order.batch.feeWei += 1;
        _refused(
            honest,
            order,
            _all(order),
            abi.encodeWithSelector(IClaimChain.UnknownRequestBatch.selector, inbox.batchIdOf(order.batch))
        );
    }

    function test_claim_byThiefUnderAnothersLease_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        _refused(thief, order, _all(order), abi.encodeWithSelector(IClaimChain.NotTheLessee.selector, thief, honest));
    }

    function test_claim_withoutLease_reverts() external {
        Order memory order = _order(3);
        _refused(
            honest, order, _all(order), abi.encodeWithSelector(IClaimChain.NotTheLessee.selector, honest, address(0))
        );
    }

    function test_claim_asLeaseExpires_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        vm.warp(START + TERM);
        _refused(
            honest,
            order,
            _all(order),
            abi.encodeWithSelector(IClaimChain.LeaseExpired.selector, Instant.wrap(START + TERM))
        );
    }

    function test_claim_afterLeaseExpired_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        vm.warp(START + TERM + 1);
        _refused(
            honest,
            order,
            _all(order),
            abi.encodeWithSelector(IClaimChain.LeaseExpired.selector, Instant.wrap(START + TERM))
        );
    }

    function test_claim_lastSecondOfLease_isTaken() external {
        Order memory order = _order(3);
        _lease(honest, order);
        vm.warp(START + TERM - 1);
        _assertCertainty(_claim(honest, order, _all(order)), 2, Certainty.Provisional, WINDOW);
    }

    function test_claim_atDeadline_reverts() external {
        for (uint40 late = 0; late < 2; ++late) {
            vm.warp(DEADLINE - 10);
            Order memory order = _order(3);
            _lease(honest, order);
            vm.warp(DEADLINE + late);
            _refused(
                honest,
                order,
                _all(order),
                abi.encodeWithSelector(IClaimChain.DeadlinePassed.selector, Instant.wrap(DEADLINE))
            );
        }
    }

    function test_claim_lastSecondBeforeDeadline_isTaken() external {
        vm.warp(DEADLINE - 10);
        Order memory order = _order(3);
        _lease(honest, order);
        vm.warp(DEADLINE - 1);
        _assertCertainty(_claim(honest, order, _all(order)), 0, Certainty.Provisional, WINDOW);
    }

    function test_claim_dataTooShortOrTooLong_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        for (uint256 length = 119; length <= 121; length += 2) {
            bytes memory reason = abi.encodeWithSelector(IClaimChain.WrongDataLength.selector, length, 120);
            _refusedWith(honest, order, _all(order), new bytes(length), reason);
        }
    }

    function test_claim_beyondBatch_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        Attempt memory attempt = Attempt(1, 3, _below(3), false, BOND, 1);
        _refused(honest, order, attempt, abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 1, 3, 3));
        (attempt.first, attempt.count) = (type(uint32).max, 1);
        attempt.presence = _below(1);
        _refused(
            honest, order, attempt, abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, type(uint32).max, 1, 3)
        );
    }

    function test_claim_ofNoRange_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        _refused(
            honest,
            order,
            Attempt(0, 0, _below(0), false, BOND, 1),
            abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 0, 0, 3)
        );
    }

    function test_claim_presenceBeyondCount_reverts() external {
        Order memory order = _order(300);
        _lease(honest, order);
        Attempt memory attempt = Attempt(4, 2, _below(3), false, BOND, 1);
        _refusedWith(honest, order, attempt, "", abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 4, 3, 2));
        attempt.presence = [uint256(1), 1 << 255];
        _refusedWith(
            honest, order, attempt, "", abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 4, 512, 2)
        );
    }

    function test_claim_bondBelowRequestsMinimum_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.bondWei = BOND - 1;
        _refused(honest, order, attempt, abi.encodeWithSelector(IClaimChain.BondTooLow.selector, BOND - 1, BOND));
    }

    function test_claim_bondBelowPricedGas_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        vm.fee(100 gwei);
        assertEq(chain.minimumBond(order.batch, 0), 0.1 ether);
        _refused(honest, order, _all(order), abi.encodeWithSelector(IClaimChain.BondTooLow.selector, BOND, 0.1 ether));
    }

    function test_claim_withoutMoney_reverts() external {
        Order memory order = _order(3);
        vm.deal(thief, DEPOSIT * 3);
        vm.prank(thief);
        chain.lease{value: DEPOSIT * 3}(order.batch, 0);
        _refused(
            thief,
            order,
            _all(order),
            abi.encodeWithSelector(IVault.InsufficientBalance.selector, thief, DEPOSIT * 3, BOND * 3)
        );
    }

    function test_claim_twice_reverts() external {
        Order memory order = _order(3);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.presence = _below(2);
        _claim(honest, order, attempt);
        _refused(honest, order, attempt, abi.encodeWithSelector(IClaimChain.NothingToClaim.selector));
    }

    function test_claim_afterWholeBatchWasClaimed_reverts() external {
        Order memory order = _order(3);
        _leaseAndClaim(honest, order);
        _refused(honest, order, _all(order), abi.encodeWithSelector(IClaimChain.NothingToClaim.selector));
    }

    function test_claim_locksBondAndReturnsDeposit() external {
        Order memory order = _order(3);
        _lease(honest, order);
        assertEq(vault.balanceOf(honest), 200 ether - 3 * DEPOSIT);
        Attempt memory attempt = _all(order);
        attempt.presence[0] = 5;
        Made memory made = _claim(honest, order, attempt);
        assertEq(vault.balanceOf(honest), 200 ether - DEPOSIT - 2 * BOND);
        assertEq(vault.escrowOf(address(chain)), DEPOSIT + 2 * HELD);
        assertEq(chain.claimedBits(_id(order), 0), 5);
        _assertCertainty(made, 0, Certainty.Provisional, WINDOW);
        _assertCertainty(made, 1, Certainty.None, 0);
        _assertCertainty(made, 2, Certainty.Provisional, WINDOW);
        _assertCertainty(made, 3, Certainty.None, 0);
    }

    function test_claim_valueSentAlong_paysTheBond() external {
        Order memory order = _order(1);
        vm.deal(thief, 1 ether);
        vm.prank(thief);
        chain.lease{value: DEPOSIT}(order.batch, 0);
        (, bytes memory data) = _entriesOf(_all(order));
        vm.prank(thief);
        chain.claim{value: BOND}(order.batch, 0, 1, _below(1), data, false, BOND);
        assertEq(vault.balanceOf(thief), DEPOSIT);
    }

    function test_claim_skipsWhatIsClaimed_andHashesItEmpty() external {
        Order memory order = _order(9);
        _lease(honest, order);
        Made memory early = _claim(honest, order, Attempt(2, 3, _below(3), false, BOND, 1));
        Made memory late = _claim(honest, order, _all(order));
        assertEq(late.leaves[2], bytes32(0));
        assertTrue(late.leaves[1] != 0, "claimed entry has a leaf");
        assertEq(chain.claimedBits(_id(order), 0), 511);
        assertEq(vault.escrowOf(address(chain)), 9 * HELD);
        _assertCertainty(early, 0, Certainty.Provisional, WINDOW);
        _assertCertainty(late, 2, Certainty.None, 0);
    }

    function test_claim_skipsRequestsLoggedEmpty() external {
        Order memory order = _order(3);
        inbox.logEmpty(_id(order), [uint256(2), 0]);
        _lease(honest, order);
        assertEq(vault.escrowOf(address(chain)), 2 * DEPOSIT);
        _assertCertainty(_claim(honest, order, _all(order)), 1, Certainty.None, 0);
        assertEq(vault.escrowOf(address(chain)), 2 * HELD);
    }

    function test_claim_eager_carriesTraceRoots() external {
        Order memory order = _order(5);
        _lease(honest, order);
        Attempt memory attempt = _all(order);
        attempt.eager = true;
        Made memory made = _claim(honest, order, attempt);
        assertEq(made.entries[0].length, 72);
    }

    function test_claim_largeOutput_isOneWord() external {
        uint32[4] memory sizes = [uint32(1), 64, 65, 4_000_000];
        uint256[4] memory lengths = [uint256(1), 64, 32, 32];
        for (uint256 i = 0; i < 4; ++i) {
            models.setOutputBytes(sizes[i]);
            assertEq(_leaseAndClaim(honest, _order(2)).entries[0].length, lengths[i]);
        }
    }

    function test_claim_of512_atOnce() external {
        Made memory made = _leaseAndClaim(honest, _order(512));
        _assertCertainty(made, 511, Certainty.Provisional, WINDOW);
        assertEq(chain.claimedBits(made.claims.requests, 0), type(uint256).max);
        assertEq(chain.claimedBits(made.claims.requests, 1), type(uint256).max);
    }

    /// forge-config: default.fuzz.runs = 64
    function test_claim_anyMask_hasReferenceRoot(
        uint256[2] memory before,
        uint256[2] memory presence,
        uint256 size,
        uint256 from,
        uint256 length,
        bool eager
    ) external {
        size = bound(size, 1, 512);
        from = bound(from, 0, size - 1);
        length = bound(length, 1, size - from);
        Order memory order = _order(size);
        uint256[2] memory whole = _below(size);
        before = [before[0] & whole[0], before[1] & whole[1]];
        inbox.logEmpty(_id(order), before);
        uint256[2] memory range = _below(length);
        Attempt memory attempt =
            Attempt(uint32(from), uint32(length), [presence[0] & range[0], presence[1] & range[1]], eager, BOND, size);
        uint256 live = 0;
        for (uint256 i = 0; i < length; ++i) {
            if (_has(attempt.presence, i) && !_has(before, from + i)) ++live;
        }
        vm.assume(live != 0);
        _lease(honest, order);
        uint256 deposits = vault.escrowOf(address(chain));
        Made memory made = _claim(honest, order, attempt);
        assertEq(vault.escrowOf(address(chain)), deposits + live * HELD - live * DEPOSIT);
        for (uint256 i = 0; i < length; ++i) {
            bool isLive = made.leaves[i] != 0;
            _assertCertainty(made, uint32(i), isLive ? Certainty.Provisional : Certainty.None, isLive ? WINDOW : 0);
        }
    }

    function test_ids_bindTagChainAndContract() external {
        Made memory made = _leaseAndClaim(honest, _order(1));
        bytes32 expected = keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, address(chain), made.claims));
        assertEq(ClaimBatchId.unwrap(made.id), expected);
        assertEq(ClaimId.unwrap(_claimId(made, 7)), keccak256(abi.encode(CLAIM_TAG, made.id, uint32(7))));
        vm.chainId(77);
        assertTrue(ClaimBatchId.unwrap(chain.claimBatchIdOf(made.claims)) != expected, "another chain, another id");
    }

    function test_announceEndpoint_tooLong_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.EndpointTooLong.selector, 257, 256));
        chain.announceEndpoint(string(new bytes(257)));
    }

    function test_announceEndpoint_isLogged() external {
        vm.expectEmit(true, false, false, true, address(chain));
        emit IClaimChain.EndpointAnnounced(honest, "http://127.0.0.1:1");
        vm.prank(honest);
        chain.announceEndpoint("http://127.0.0.1:1");
    }
}
