// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {IStepJudge} from "../../contracts/interfaces/IStepJudge.sol";
import {ITrainings, StrayElement, Training, TrainingStatus} from "../../contracts/interfaces/ITrainings.sol";
import {ShaTree} from "../../contracts/libraries/ShaTree.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {ItemStage} from "./mocks/ItemStage.sol";
import {Models} from "./mocks/Models.sol";
import {Pool, Pools} from "./mocks/Pool.sol";

/// @notice Sealed items whose elements are out of their inputs' ranges: 0 to 1 for the 300 pixels, 0 to 9 for the label. One
/// element shows it, and ends the request as if the key had not come.
contract TrainingsRangesTest is ItemStage {
    using Pools for Pool;

    uint32 private constant NAN = 0x7fc00000;

    /// @dev Where every item of a pool holds what.
    struct Stray {
        uint32 tensor;
        uint32 element;
        uint64 raw;
    }

    Training private _training;

    function _plain(uint256 index, Stray memory stray) private pure returns (Content memory content) {
        content = contentOf(index);
        uint256 width = stray.tensor == 0 ? 4 : 8;
        bytes memory data = stray.tensor == 0 ? content.pixels : content.label;
        for (uint256 i = 0; i < width; ++i) {
            data[stray.element * width + i] = bytes1(uint8(stray.raw >> (8 * (width - 1 - i))));
        }
    }

    function _poolOf(Stray memory stray) private view returns (Pool memory pool) {
        pool = fullPool();
        for (uint256 i = 0; i < pool.masked.length; ++i) {
            pool.masked[i] = bundle(rootsOf(maskedOf(pool, i, _plain(i, stray))));
        }
    }

    /// @notice Bob commits first, then Alice; then the key is revealed.
    function _revealed(Stray memory stray) private {
        Pool memory pool = _poolOf(stray);
        _training = requestedWith(termsOf(pool));
        openPool(_training, pool);
        commit(_training, bob, 0);
        commit(_training, alice, 0);
        reveal(_training);
    }

    /// @dev Element `element` of tensor `tensor` of sealed item `item`, as the pool has it.
    function _shown(Stray memory stray, uint32 item, uint32 tensor, uint32 element)
        private
        view
        returns (StrayElement memory shown)
    {
        Pool memory pool = _poolOf(stray);
        uint32 index = pool.sealedOf(seedOf(_training))[item];
        uint32 leaf = element * (tensor == 0 ? 4 : 8) / 1_024;
        (shown.item, shown.tensor, shown.element) = (item, tensor, element);
        shown.pooled = pool.item(index);
        shown.masked = openingOf(maskedOf(pool, index, _plain(index, stray)), tensor, leaf);
    }

    function _at(Stray memory stray, uint32 item) private view returns (StrayElement memory) {
        return _shown(stray, item, stray.tensor, stray.element);
    }

    function _refused(StrayElement memory shown, bytes memory reason) private {
        vm.expectRevert(reason);
        trainings.spoilByRange(_training, shown);
    }

    function _assertStray(Stray memory stray) private {
        uint256 before = vm.snapshotState();
        _revealed(stray);
        trainings.spoilByRange(_training, _at(stray, 2));
        assertStatus(_training, TrainingStatus.Unscored);
        vm.revertToState(before);
    }

    function _assertSound(Stray memory stray) private {
        uint256 before = vm.snapshotState();
        _revealed(stray);
        StrayElement memory shown = _at(stray, 2);
        _refused(shown, abi.encodeWithSelector(ITrainings.PoolIsSound.selector, shown.pooled.index));
        vm.revertToState(before);
    }

    function _nan() private pure returns (Stray memory) {
        return Stray(0, 299, NAN);
    }

    // Refusals.

    function test_spoilByRange_elementsInRange_revert() external {
        _assertSound(Stray(0, 0, 0));
        _assertSound(Stray(0, 0, 0x80000000)); // -0
        _assertSound(Stray(0, 256, Models.ONE));
        _assertSound(Stray(1, 0, 0));
        _assertSound(Stray(1, 0, 9));
    }

    function test_spoilByRange_anotherElementOfAStrayItem_reverts() external {
        _revealed(_nan());
        StrayElement memory shown = _shown(_nan(), 2, 0, 298);
        _refused(shown, abi.encodeWithSelector(ITrainings.PoolIsSound.selector, shown.pooled.index));
    }

    function test_spoilByRange_beforeTheRevelation_reverts() external {
        Pool memory pool = _poolOf(_nan());
        _training = requestedWith(termsOf(pool));
        openPool(_training, pool);
        StrayElement memory shown = _at(_nan(), 2);
        _refused(shown, wrongStatus(TrainingStatus.Committing, TrainingStatus.Revealed));
    }

    /// @dev What was opened was seen by all, and is not scored.
    function test_spoilByRange_openedItem_reverts() external {
        _revealed(_nan());
        Pool memory pool = _poolOf(_nan());
        uint32 index = uint32(pool.drawn(seedOf(_training))[1]);
        for (uint32 item = 0; item < ITEMS; ++item) {
            StrayElement memory shown = _at(_nan(), item);
            shown.pooled = pool.item(index);
            _refused(shown, abi.encodeWithSelector(ITrainings.NotAnItem.selector, item));
        }
        StrayElement memory beyond = _at(_nan(), 0);
        beyond.item = ITEMS;
        _refused(beyond, abi.encodeWithSelector(ITrainings.NotAnItem.selector, ITEMS));
    }

    function test_spoilByRange_itemThatIsNotInThePool_reverts() external {
        _revealed(_nan());
        StrayElement memory shown = _at(_nan(), 2);
        shown.pooled.maskedRoot = BundleRoot.wrap(keccak256("another masked item"));
        _refused(shown, abi.encodeWithSelector(ITrainings.NotInPool.selector, shown.pooled.index));
    }

    function test_spoilByRange_leafThatIsNotTheItems_reverts() external {
        _revealed(_nan());
        StrayElement memory shown = _at(_nan(), 2);
        shown.masked.leaves[0] ^= 0x01;
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
    }

    function test_spoilByRange_beyondTheItem_reverts() external {
        _revealed(_nan());
        StrayElement memory shown = _at(_nan(), 2);
        shown.element = 300;
        _refused(shown, abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 300, 300));
        shown.tensor = 2;
        _refused(shown, abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 2, 2));
    }

    // Stray elements.

    function test_spoilByRange_whateverIsOutOfRange_ends() external {
        _assertStray(Stray(0, 0, 0x80000001)); // the negative number nearest to zero
        _assertStray(Stray(0, 255, Models.ONE + 1));
        _assertStray(Stray(0, 256, 0x7f800000)); // infinity
        _assertStray(Stray(0, 299, NAN));
        _assertStray(Stray(0, 299, 0xffc00000));
        _assertStray(Stray(1, 0, 10));
        _assertStray(Stray(1, 0, type(uint64).max)); // -1
    }

    function test_spoilByRange_isUnscored_forTheMoneyToo() external {
        _revealed(_nan());
        StrayElement memory shown = _at(_nan(), 5);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.PoolSpoiled(idOf(_training), shown.pooled.index);
        vm.prank(keeper);
        trainings.spoilByRange(_training, shown);
        assertStatus(_training, TrainingStatus.Unscored);
        assertMoney(
            PRIZE - SHARE_WEI, 100 ether + COMMIT_FEE, 100 ether + SHARE_WEI / 2 + COMMIT_FEE, SHARE_WEI / 2
        );
        _refused(shown, wrongStatus(TrainingStatus.Unscored, TrainingStatus.Revealed));
    }

    function test_spoilByRange_afterScoresAndTheirTime_isStillHeard() external {
        _revealed(_nan());
        decide(score(_training, 1, alice, 8), Certainty.Final);
        vm.warp(block.timestamp + CLAIM + 1);
        trainings.spoilByRange(_training, _at(_nan(), 2));
        assertStatus(_training, TrainingStatus.Unscored);
    }

    /// @dev The chain and a plain reading of the range agree on every label.
    /// forge-config: default.fuzz.runs = 48
    function testFuzz_spoilByRange_anyLabel(uint64 raw, uint32 item) external {
        raw = raw % 3 == 0 ? raw % 24 : raw;
        item = uint32(bound(item, 0, ITEMS - 1));
        Stray memory stray = Stray(1, 0, raw);
        _revealed(stray);
        StrayElement memory shown = _at(stray, item);
        bool isSound = raw <= 9;
        if (isSound) vm.expectRevert(abi.encodeWithSelector(ITrainings.PoolIsSound.selector, shown.pooled.index));
        trainings.spoilByRange(_training, shown);
        assertStatus(_training, isSound ? TrainingStatus.Revealed : TrainingStatus.Unscored);
    }
}
