// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch} from "../../contracts/interfaces/IContestable.sol";
import {Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {IStepJudge} from "../../contracts/interfaces/IStepJudge.sol";
import {ITrainings, PoolItem, Training, TrainingStatus, Unmasking} from "../../contracts/interfaces/ITrainings.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";
import {MerkleLib} from "../../contracts/libraries/MerkleLib.sol";
import {ShaTree} from "../../contracts/libraries/ShaTree.sol";
import {ClaimBatchId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {ItemStage} from "./mocks/ItemStage.sol";
import {Pool, Pools} from "./mocks/Pool.sol";
import {SlowTree} from "./mocks/SlowTree.sol";

/// @notice Claimed items against masked ones: whole blocks of masks and cut ones.
contract TrainingsUnmaskTest is ItemStage {
    using Pools for Pool;

    Training private _training;
    ClaimBatch private _claims;
    Scoring private _scoring;
    Content[ITEMS] private _claimed;

    // Stories.

    /// @notice Bob commits first; then Alice scores, with item `item` flipped at byte `place` of tensor `tensor` if
    /// `bit` is not zero.
    function _score(uint32 item, uint256 tensor, uint256 place, bytes1 bit) private returns (Training memory training) {
        training = requestedWith(termsOf(fullPool()));
        openPool(training, fullPool());
        commit(training, bob, 0);
        commit(training, alice, 0);
        reveal(training);
        uint32[] memory indices = fullPool().sealedOf(seedOf(training));
        BundleRoot[] memory items = new BundleRoot[](ITEMS);
        for (uint256 i = 0; i < ITEMS; ++i) {
            Content memory content = contentOf(indices[i]);
            if (i == item) _flip(tensor == 0 ? content.pixels : content.label, place, bit);
            items[i] = bundle(rootsOf(content));
            _claimed[i] = content;
        }
        vm.prank(alice);
        trainings.score(training, 1, weightsOf(alice, 0), SALT, items, scoresOf(ITEMS, 6), BOND);
        (_claims, _scoring) = scoreClaims.last();
        _training = training;
    }

    function _flip(bytes memory data, uint256 place, bytes1 bit) private pure {
        data[place] ^= bit;
    }

    function _honest() private returns (Training memory) {
        return _score(0, 0, 0, 0);
    }

    function _shown(uint32 item, uint32 tensor, uint32 leaf) private view returns (Unmasking memory shown) {
        Pool memory pool = fullPool();
        uint32 index = pool.sealedOf(seedOf(_training))[item];
        (shown.item, shown.tensor, shown.leaf) = (item, tensor, leaf);
        shown.inputsRoot = _scoring.items[item];
        shown.itemPath = SlowTree.path(scoreClaims.itemIds(address(trainings), _scoring), item);
        shown.pooled = pool.item(index);
        shown.masked = openingOf(maskedOf(pool, index), tensor, leaf);
        shown.claimed = openingOf(_claimed[item], tensor, leaf);
    }

    function _refused(Unmasking memory shown, bytes memory reason) private {
        vm.expectRevert(reason);
        trainings.unmask(_training, 1, _claims, shown);
    }

    // Refusals.

    function test_unmask_soundItem_reverts() external {
        _honest();
        uint32[2][3] memory places = [[uint32(0), 0], [uint32(0), 1], [uint32(1), 0]];
        for (uint32 item = 0; item < ITEMS; item += 7) {
            for (uint256 i = 0; i < places.length; ++i) {
                Unmasking memory shown = _shown(item, places[i][0], places[i][1]);
                _refused(shown, abi.encodeWithSelector(ITrainings.ItemIsSound.selector, item));
            }
        }
    }

    function test_unmask_soundLeafOfAFalseItem_reverts() external {
        _score(3, 0, 0, 0x01);
        _refused(_shown(3, 0, 1), abi.encodeWithSelector(ITrainings.ItemIsSound.selector, 3));
    }

    function test_unmask_beforeTheRevelation_reverts() external {
        Training memory training = opened();
        Unmasking memory shown;
        vm.expectRevert(wrongStatus(TrainingStatus.Committing, TrainingStatus.Revealed));
        trainings.unmask(training, 0, _claims, shown);
    }

    function test_unmask_afterTheEnd_reverts() external {
        Training memory training = _score(3, 0, 0, 0x01);
        decide(scoreClaims.claimBatchIdOf(_claims), Certainty.Final);
        Unmasking memory shown = _shown(3, 0, 0);
        settleAfterClaims(training);
        _refused(shown, wrongStatus(TrainingStatus.Trained, TrainingStatus.Revealed));
    }

    function test_unmask_anotherClaim_reverts() external {
        Training memory training = _score(3, 0, 0, 0x01);
        ClaimBatchId made = scoreClaims.claimBatchIdOf(_claims);
        Unmasking memory shown = _shown(3, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ITrainings.WrongClaim.selector, made, 0));
        trainings.unmask(training, 0, _claims, shown);
        ++_claims.bondWei;
        _refused(
            shown, abi.encodeWithSelector(ITrainings.WrongClaim.selector, scoreClaims.claimBatchIdOf(_claims), made)
        );
    }

    function test_unmask_inputsThatWereNotClaimed_revert() external {
        _score(3, 0, 0, 0x01);
        Unmasking memory shown = _shown(3, 0, 0);
        shown.inputsRoot = BundleRoot.wrap(keccak256("other inputs"));
        _refused(shown, abi.encodeWithSelector(ITrainings.NotAnItem.selector, 3));
        shown = _shown(3, 0, 0);
        shown.item = 2;
        _refused(shown, abi.encodeWithSelector(ITrainings.NotAnItem.selector, 2));
        shown.item = ITEMS;
        _refused(shown, abi.encodeWithSelector(KeccakTree.IndexOutOfTree.selector, ITEMS, ITEMS));
    }

    function test_unmask_anotherPoolItem_reverts() external {
        _score(3, 0, 0, 0x01);
        Unmasking memory shown = _shown(3, 0, 0);
        shown.pooled = _shown(4, 0, 0).pooled;
        _refused(shown, abi.encodeWithSelector(ITrainings.NotAnItem.selector, 3));
    }

    function test_unmask_maskedRootThatIsNotInThePool_reverts() external {
        _honest();
        Unmasking memory shown = _shown(3, 0, 0);
        shown.pooled.maskedRoot = BundleRoot.wrap(keccak256("another masked item"));
        _refused(shown, abi.encodeWithSelector(ITrainings.NotInPool.selector, shown.pooled.index));
    }

    function test_unmask_leavesThatAreNotInTheirBundles_revert() external {
        _honest();
        Unmasking memory shown = _shown(3, 0, 0);
        shown.masked.leaves[7] ^= 0x01;
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        shown = _shown(3, 0, 0);
        shown.claimed.leaves[7] ^= 0x01;
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 1));
    }

    function test_unmask_beyondTheItem_reverts() external {
        _honest();
        Unmasking memory shown = _shown(3, 1, 0);
        shown.tensor = 2;
        _refused(shown, abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 2, 2));
        shown = _shown(3, 0, 0);
        shown.leaf = 2;
        _refused(shown, abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 2, 2));
        shown.leaf = 1;
        _refused(shown, abi.encodeWithSelector(MerkleLib.WrongLeafBytes.selector, 1_024, 176));
    }

    // False items.

    function test_unmask_falseItem_refutesItsClaim() external {
        Training memory training = _score(3, 0, 0, 0x80);
        Unmasking memory shown = _shown(3, 0, 0);
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.ItemsUnmasked(idOf(training), 1, 3);
        vm.prank(keeper);
        trainings.unmask(training, 1, _claims, shown);
        assertEq(scoreClaims.refuter(), keeper);
        settleAfterClaims(training);
        assertStatus(training, TrainingStatus.Missed);
    }

    /// @dev Whatever bit of an item differs, the leaf that holds it convicts.
    /// forge-config: default.fuzz.runs = 48
    function testFuzz_unmask_anyWrongBit_refutes(uint256 item, uint256 place, uint256 bit) external {
        item = bound(item, 0, ITEMS - 1);
        place = bound(place, 0, PIXEL_BYTES + 7);
        bool isLabel = place >= PIXEL_BYTES;
        if (isLabel) place -= PIXEL_BYTES;
        _score(uint32(item), isLabel ? 1 : 0, place, bytes1(uint8(1 << (bit % 8))));
        trainings.unmask(_training, 1, _claims, _shown(uint32(item), isLabel ? 1 : 0, uint32(place / 1024)));
        assertEq(scoreClaims.refuter(), address(this));
    }

    // Spoiled pools.

    /// @dev The key of item 5 is another one than the pool's key makes.
    function _spoiled() private view returns (Pool memory pool) {
        pool = fullPool();
        pool.keys[5] = keccak256("another key");
        pool.hashes[5] = keccak256(abi.encode(pool.keys[5]));
        pool.masked[5] = bundle(rootsOf(maskedOf(pool, 5)));
    }

    function _revealedSpoiled() private returns (Training memory training) {
        training = requestedWith(termsOf(_spoiled()));
        openPool(training, _spoiled());
        commit(training, bob, 0);
        commit(training, alice, 0);
        reveal(training);
    }

    function test_spoil_soundItem_reverts() external {
        Training memory training = _revealedSpoiled();
        Pool memory pool = _spoiled();
        for (uint32 index = 0; index < 12; ++index) {
            if (index == 5) continue;
            vm.expectRevert(abi.encodeWithSelector(ITrainings.PoolIsSound.selector, index));
            trainings.spoil(training, pool.item(index));
        }
    }

    function test_spoil_itemThatIsNotInThePool_reverts() external {
        Training memory training = _revealedSpoiled();
        Pool memory pool = poolOf();
        vm.expectRevert(abi.encodeWithSelector(ITrainings.NotInPool.selector, 4));
        trainings.spoil(training, pool.item(4));
    }

    function test_spoil_beforeTheRevelation_reverts() external {
        Training memory training = requestedWith(termsOf(_spoiled()));
        openPool(training, _spoiled());
        PoolItem memory item = _spoiled().item(5);
        vm.expectRevert(wrongStatus(TrainingStatus.Committing, TrainingStatus.Revealed));
        trainings.spoil(training, item);
    }

    function test_spoil_endsTheRequest_andPaysTheFirstCommitter() external {
        Training memory training = _revealedSpoiled();
        vm.expectEmit(true, true, true, true, address(trainings));
        emit ITrainings.PoolSpoiled(idOf(training), 5);
        trainings.spoil(training, _spoiled().item(5));
        assertStatus(training, TrainingStatus.Unscored);
        assertMoney(
            PRIZE - SHARE_WEI, 100 ether + COMMIT_FEE, 100 ether + SHARE_WEI / 2 + COMMIT_FEE, SHARE_WEI / 2
        );
    }

    function test_spoil_afterScoresAndTheirTime_isStillHeard() external {
        Training memory training = _revealedSpoiled();
        decide(score(training, 1, alice, 8), Certainty.Final);
        vm.warp(block.timestamp + CLAIM + 1);
        trainings.spoil(training, _spoiled().item(5));
        assertStatus(training, TrainingStatus.Unscored);
        assertMoney(
            PRIZE - SHARE_WEI, 100 ether - BOND + COMMIT_FEE, 100 ether + SHARE_WEI / 2 + COMMIT_FEE, SHARE_WEI / 2
        );
    }

    function test_spoil_twice_reverts() external {
        Training memory training = _revealedSpoiled();
        PoolItem memory item = _spoiled().item(5);
        trainings.spoil(training, item);
        vm.expectRevert(wrongStatus(TrainingStatus.Unscored, TrainingStatus.Revealed));
        trainings.spoil(training, item);
    }
}
