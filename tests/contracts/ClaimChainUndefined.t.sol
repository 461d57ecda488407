// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {CLAIM_LEAF_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./mocks/ClaimStage.sol";
import {Listener} from "./mocks/Consumers.sol";

/// @notice Claims that name what overflows, in place of an output: made, final, told.
contract ClaimChainUndefinedTest is ClaimStage {
    uint32 private constant GAS = 300_000;

    function test_claimUndefined_outsideTheBatch_reverts() external {
        Order memory order = _order(2);
        _lease(honest, order);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.RangeOutOfBatch.selector, 2, 1, 2));
        vm.prank(honest);
        chain.claimUndefined(order.batch, 2, _entry(), BOND);
    }

    function test_claimUndefined_ofAnotherLength_reverts() external {
        Order memory order = _order(1);
        _lease(honest, order);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.WrongDataLength.selector, 8, 40));
        vm.prank(honest);
        chain.claimUndefined(order.batch, 0, abi.encodePacked(uint32(3), uint32(5)), BOND);
    }

    function test_claimUndefined_withoutLease_reverts() external {
        Order memory order = _order(1);
        _lease(honest, order);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotTheLessee.selector, thief, honest));
        vm.prank(thief);
        chain.claimUndefined(order.batch, 0, _entry(), BOND);
    }

    function test_claimUndefined_forTooLittle_reverts() external {
        Order memory order = _order(1);
        _lease(honest, order);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.BondTooLow.selector, BOND - 1, BOND));
        vm.prank(honest);
        chain.claimUndefined(order.batch, 0, _entry(), BOND - 1);
    }

    function test_claimUndefined_besideClaimsOfOutputs_isOfThatRequestOnly() external {
        Order memory order = _order(3);
        _lease(honest, order);
        Attempt memory others = _all(order);
        others.presence[0] = 5;
        Made memory made = _claim(honest, order, others);
        Made memory undefined = _claimUndefined(order, 1);
        _assertCertainty(undefined, 0, Certainty.Provisional, WINDOW);
        assertEq(chain.claimedBits(undefined.claims.requests, 0), 7);
        _afterWindow();
        chain.finalise(order.batch, made.claims);
        chain.finalise(order.batch, undefined.claims);
        _assertCertainty(made, 0, Certainty.Final, 0);
        _assertCertainty(undefined, 0, Certainty.Undefined, 0);
        assertEq(vault.balanceOf(honest), 200 ether + 3 * FEE);
        assertEq(vault.escrowOf(address(chain)), 0);
    }

    function test_settle_undefined_tellsNoOutput() external {
        Listener listener = new Listener();
        Order memory order = _order(1, address(listener), GAS);
        _lease(honest, order);
        Made memory made = _claimUndefined(order, 0);
        _afterWindow();
        listener.setRefusing(true);
        _settleOne(made);
        listener.setRefusing(false);
        chain.retry(_witness(made, 0));
        assertEq(listener.calls(), 1);
        assertEq(uint256(listener.certainty()), uint256(Certainty.Undefined));
        assertEq(listener.output().length, 0);
        assertEq(vault.balanceOf(keeper), TIP);
    }

    function test_finaliseContested_undefined_isUndefined() external {
        Listener listener = new Listener();
        Order memory order = _order(1, address(listener), GAS);
        _lease(honest, order);
        Made memory made = _claimUndefined(order, 0);
        chain.contest(_witness(made, 0));
        chain.acquit(_witness(made, 0), Instant.wrap(START));
        _afterWindow();
        chain.finaliseContested(_witness(made, 0));
        _assertCertainty(made, 0, Certainty.Undefined, 0);
        _settleOne(made);
        assertEq(uint256(listener.certainty()), uint256(Certainty.Undefined));
        bytes memory over = _wrongCertainty(Certainty.Undefined, Certainty.Challenged);
        vm.expectRevert(over);
        chain.acquit(_witness(made, 0), Instant.wrap(START));
    }

    function test_contest_ofAnUndefinedThatIsFinal_reverts() external {
        Order memory order = _order(1);
        _lease(honest, order);
        Made memory made = _claimUndefined(order, 0);
        _afterWindow();
        chain.finalise(order.batch, made.claims);
        vm.expectRevert(_wrongCertainty(Certainty.Undefined, Certainty.Provisional));
        chain.contest(_witness(made, 0));
    }

    function _settleOne(Made memory made) private {
        ClaimWitness[] memory page = new ClaimWitness[](1);
        page[0] = _witness(made, 0);
        vm.prank(keeper);
        chain.settle(page);
    }

    function _claimUndefined(Order memory order, uint32 index) private returns (Made memory made) {
        made.order = order;
        made.entries = new bytes[](1);
        made.entries[0] = _entry();
        made.leaves = new bytes32[](1);
        made.leaves[0] = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, _entry()));
        Instant present = Instant.wrap(uint40(block.timestamp));
        made.claims = ClaimBatch(_id(order), honest, index, 1, made.leaves[0], BOND, present, true, true);
        vm.prank(honest);
        made.id = chain.claimUndefined(order.batch, index, _entry(), BOND);
    }

    /// @dev Element 5 of step 3, and a trace.
    function _entry() private pure returns (bytes memory) {
        return abi.encodePacked(uint32(3), uint32(5), keccak256("trace"));
    }
}
