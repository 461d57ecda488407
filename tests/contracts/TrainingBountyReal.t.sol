// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TrainingBounty} from "../../contracts/examples/TrainingBounty.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {Training, TrainingId, TrainingStatus} from "../../contracts/interfaces/ITrainings.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Pool, Pools} from "./mocks/Pool.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice A bounty of two funders before the real Trainings: the life of one that is won, and of two that its keeper fails.
contract TrainingBountyRealTest is TrainingStage {
    using Pools for Pool;

    address private constant carol = address(0xCA401);
    address private constant dave = address(0xDA7E);

    TrainingBounty private bounty;

    function setUp() public override {
        super.setUp();
        Instant until = Instant.wrap(START + 1 days);
        bounty = new TrainingBounty{value: SHARE_WEI}(trainings, vault, keeper, until, termsOf(poolOf()));
        vm.deal(carol, PRIZE);
        vm.deal(dave, PRIZE);
        vm.prank(carol);
        bounty.fund{value: 2 ether + 1}();
        vm.prank(dave);
        bounty.fund{value: PRIZE - 2 ether - 1}();
        vm.prank(keeper);
        bounty.start();
        vm.roll(block.number + 2);
    }

    function test_bounty_won_paysTheTrainer_sharesTheRest_andGivesTheNetwork() public {
        Training memory training = _opened();
        commit(training, alice, 0);
        vm.warp(uint256(START) + COMMIT);
        vm.prank(keeper);
        trainings.reveal(training, KEY);
        // Six of eight are half of the way from the threshold to all: half of the bonus comes back.
        decide(score(training, 0, alice, 6), Certainty.Final);
        (, Certainty before) = bounty.model();
        assertTrue(before == Certainty.Provisional, "scores stand, no network yet");
        settleAfterClaims(training);
        bounty.close();
        (ModelId network, Certainty certainty) = bounty.model();
        assertTrue(certainty == Certainty.Final && registry.exists(network), "registered");
        assertEq(bounty.potWei(), BONUS / 2);
        _sharesAre(uint256(BONUS / 2) * (2 ether + 1) / PRIZE, BONUS / 2);
        assertEq(vault.balanceOf(keeper), SHARE_WEI);
        assertTrue(bounty.wish(hex"00", 1, Instant.wrap(0), address(0), 0).model == network, "to be asked");
    }

    function test_bounty_notOpened_everybodyIsWhole() public {
        Training memory training = bounty.training();
        vm.warp(START + OPEN);
        trainings.settle(training);
        assertStatus(training, TrainingStatus.Cancelled);
        _closesWhole();
    }

    function test_bounty_notRevealed_everybodyIsWhole_andTheCommitterIsPaid() public {
        Training memory training = _opened();
        commit(training, alice, 0);
        vm.warp(START + COMMIT + REVEAL);
        trainings.settle(training);
        assertStatus(training, TrainingStatus.Unscored);
        _closesWhole();
    }

    function _opened() private returns (Training memory training) {
        training = bounty.training();
        TrainingId id = bounty.trainingId();
        assertEq(TrainingId.unwrap(idOf(training)), TrainingId.unwrap(id));
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(id), training.requestedBlock);
        vm.prank(keeper);
        trainings.open(training, poolOf().opened(seed));
    }

    function _closesWhole() private {
        bounty.close();
        _sharesAre(2 ether + 1, PRIZE);
        assertEq(vault.balanceOf(keeper), 0);
    }

    function _sharesAre(uint256 carolWei, uint256 potWei) private {
        bounty.share(1);
        bounty.share(0);
        assertEq(vault.balanceOf(carol), carolWei);
        assertEq(vault.balanceOf(dave), potWei - carolWei);
        assertEq(address(bounty).balance, 0);
        assertEq(vault.balanceOf(address(bounty)), 0);
    }
}
