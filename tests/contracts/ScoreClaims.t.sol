// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {RequestBatch} from "../../contracts/interfaces/IInbox.sol";
import {IModelRegistry} from "../../contracts/interfaces/IModelRegistry.sol";
import {Model, Terms} from "../../contracts/interfaces/IModels.sol";
import {IScoreClaims, Scoring, Standing} from "../../contracts/interfaces/IScoreClaims.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {ScoreStage} from "./mocks/ScoreStage.sol";

/// @notice Claims of scores as they are made, ended and finalised, and who may do what. Disputes stand in ScoreGame.t.sol, the
/// checks of witnesses in ScoreWitness.t.sol; here the game's calls are made in its name.
contract ScoreClaimsTest is ScoreStage {
    address private constant THIEF = address(0x7F);

    // Making: what is refused.

    function test_make_byNoSource_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        address[3] memory others = [THIEF, EXECUTOR, address(scoreGame)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IScoreClaims.NotASource.selector, others[i]));
            vm.prank(others[i]);
            scoreClaims.make(scoring);
        }
    }

    function test_make_withoutItems_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        (scoring.items, scoring.scores) = (new BundleRoot[](0), "");
        vm.expectRevert(IScoreClaims.NoItems.selector);
        make(scoring);
    }

    function test_make_ofTooManyItems_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        (scoring.items, scoring.scores) = (new BundleRoot[](2_049), new bytes(2_049 * 16));
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.TooManyItems.selector, 2_049, 2_048));
        make(scoring);
    }

    function test_make_scoresOfAnotherLength_reverts() public {
        Scoring memory scoring = scoringOf(honest(3));
        scoring.scores = new bytes(47);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WrongDataLength.selector, 47, 48));
        make(scoring);
        scoring.scores = new bytes(64);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WrongDataLength.selector, 64, 48));
        make(scoring);
    }

    function test_make_bondBelowPricedGas_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        vm.fee(20 gwei);
        uint256 minimumWei = 1_000_000 * 20 gwei;
        assertEq(scoreClaims.minimumBond(scorer), minimumWei);
        scoring.bondWei = uint96(minimumWei - 1);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.BondTooLow.selector, minimumWei - 1, minimumWei));
        make(scoring);
        scoring.bondWei = uint96(minimumWei);
        make(scoring);
    }

    function test_make_withoutMoney_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        scoring.bondWei = 101 ether;
        vm.expectRevert(
            abi.encodeWithSelector(IVault.InsufficientBalance.selector, EXECUTOR, 100 ether, 101 ether)
        );
        make(scoring);
    }

    function test_make_unknownScorer_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        scoring.scorer = ModelId.wrap(keccak256("nothing"));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, scoring.scorer));
        make(scoring);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, scoring.scorer));
        scoreClaims.minimumBond(scoring.scorer);
    }

    /// @dev A scorer with weights that were claimed is no scorer of its own.
    function test_make_derivedScorer_reverts() public {
        Scoring memory scoring = scoringOf(honest(1));
        make(scoring);
        scoring.scorer = registry.idOf(scoredModel());
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, scoring.scorer));
        make(scoring);
    }

    function test_make_twiceInOneBlock_reverts() public {
        Scoring memory scoring = scoringOf(honest(2));
        ClaimBatchId id = make(scoring);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.AlreadyClaimed.selector, id));
        make(scoring);
        // Nor after it has fallen in the same block.
        ClaimWitness memory witness = witnessOf(scoring, 0);
        vm.prank(trainings);
        scoreClaims.refuteBySource(witness.claims, SENDER);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.AlreadyClaimed.selector, id));
        make(scoring);
        vm.warp(START + 1);
        make(scoring);
    }

    // Making: what comes of it.

    function test_make_namesRecordsThatWitnessesAreMadeOf() public {
        Scoring memory scoring = scoringOf(honest(5));
        ClaimWitness memory witness = witnessOf(scoring, 3);
        vm.expectEmit(true, true, true, true, address(scoreClaims));
        emit IScoreClaims.ScoresClaimed(
            batchIdOf(witness), SUBJECT, trainings, witness.claims, witness.requests, scoring
        );
        ClaimBatchId id = make(scoring);
        assertTrue(id == batchIdOf(witness) && id == scoreClaims.claimBatchIdOf(witness.claims), "the id by hand");
        (ClaimId item, RequestId request) = scoreClaims.requireWitness(witness);
        assertTrue(item == itemOf(witness) && item == scoreClaims.claimIdOf(id, 3), "the item's claim");
        assertEq(RequestId.unwrap(request), itemLeaves(scoring)[3]);
        Standing memory standing = scoreClaims.standingOf(id);
        assertEq(Instant.unwrap(standing.finalAt), START + 200);
        assertStanding(witness, Certainty.Provisional, 0);
        assertEq(vault.escrowOf(address(scoreClaims)), BOND);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND);
    }

    function test_make_byEitherSource_isTwoClaims() public {
        Scoring memory scoring = scoringOf(honest(2));
        ClaimBatchId id = make(scoring);
        vm.prank(generations);
        ClaimBatchId other = scoreClaims.make(scoring);
        assertTrue(!(id == other), "items name their source");
        assertEq(uint256(scoreClaims.standingOf(other).certainty), uint256(Certainty.Provisional));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_make_everyItemHasAWitness(uint256 count, uint256 index) public {
        count = bound(count, 1, 70);
        Scoring memory scoring = scoringOf(honest(count));
        for (uint256 i = 0; i < count; ++i) {
            scoring.items[i] = BundleRoot.wrap(keccak256(abi.encode("item", i)));
        }
        ClaimBatchId id = make(scoring);
        ClaimWitness memory witness = witnessOf(scoring, uint32(index % count));
        assertTrue(id == batchIdOf(witness), "the records by hand");
        scoreClaims.requireWitness(witness);
    }

    function test_make_outputsBeyond64Bytes_areClaimedByRoot() public {
        Model memory model = template();
        model.outputHeader = matrix(1, 17);
        Scoring memory scoring = scoringOf(honest(2));
        scoring.scorer = registry.register{value: REGISTRANT_BOND}(model);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WrongDataLength.selector, 32, 64));
        make(scoring);
        scoring.scores = abi.encode(keccak256("root"), keccak256("another"));
        ClaimBatchId id = make(scoring);
        ClaimWitness memory witness = witnessOf(scoring, 1);
        assertTrue(id == batchIdOf(witness), "the records by hand");
        scoreClaims.requireWitness(witness);
    }

    // Models.

    function test_models_scorerWithClaimedWeights_isKnownFromItsClaimOn() public {
        ModelId derived = registry.idOf(scoredModel());
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, derived));
        scoreClaims.model(derived);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, derived));
        scoreClaims.terms(derived);
        scored(honest(1));
        assertEq(abi.encode(scoreClaims.model(derived)), abi.encode(scoredModel()));
        Terms memory terms = scoreClaims.terms(derived);
        assertEq(abi.encode(terms), abi.encode(registry.terms(scorer)));
        assertTrue(!registry.exists(derived), "and in the registry it is not");
    }

    function test_models_registeredOnes_areTheRegistrys() public {
        Scoring memory scoring = scoringOf(honest(1));
        scoring.weightsRoot = template().weightsRoot;
        ClaimBatchId id = make(scoring);
        ClaimWitness memory witness = witnessOf(scoring, 0);
        assertTrue(witness.requests.model == scorer && id == batchIdOf(witness), "the scorer itself");
        assertEq(abi.encode(scoreClaims.model(scorer)), abi.encode(template()));
        assertEq(abi.encode(scoreClaims.terms(scorer)), abi.encode(registry.terms(scorer)));
    }

    // The end by a source.

    function test_refuteBySource_byOthers_reverts() public {
        ClaimWitness[] memory items = scored(honest(1));
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.NotASource.selector, THIEF));
        vm.prank(THIEF);
        scoreClaims.refuteBySource(items[0].claims, THIEF);
    }

    function test_refuteBySource_unknownOrEnded_reverts() public {
        ClaimWitness[] memory items = scored(honest(1));
        ClaimBatch memory other = items[0].claims;
        other.bondWei += 1;
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownClaim.selector, scoreClaims.claimBatchIdOf(other)));
        vm.prank(trainings);
        scoreClaims.refuteBySource(other, SENDER);
        other.bondWei -= 1;
        vm.warp(START + 200);
        scoreClaims.finalise(items[0].claims);
        _expectCertainty(Certainty.Final);
        vm.prank(trainings);
        scoreClaims.refuteBySource(items[0].claims, SENDER);
    }

    function test_refuteBySource_aQuarterToTheSender_theRestBurned() public {
        Scoring memory scoring = scoringOf(honest(1));
        scoring.bondWei = BOND + 3;
        ClaimWitness memory witness = witnessOf(scoring, 0);
        make(scoring);
        vm.expectEmit(true, true, false, true, address(scoreClaims));
        emit IScoreClaims.ScoresFell(batchIdOf(witness), ClaimId.wrap(0), Certainty.Refuted);
        vm.prank(trainings);
        scoreClaims.refuteBySource(witness.claims, SENDER);
        assertEq(vault.balanceOf(SENDER), HELD + 2 ether);
        assertEq(vault.burned(), 6 ether + 3);
        assertStanding(witness, Certainty.Refuted, 0);
        assertEq(vault.escrowOf(address(scoreClaims)), 0);
    }

    /// @dev What is in dispute then ends as in any fallen claim.
    function test_refuteBySource_whileAnItemIsDisputed_leavesItsDisputeToEnd() public {
        ClaimWitness[] memory items = scored(honest(2));
        challengeItem(items[1], CHALLENGER);
        vm.prank(trainings);
        scoreClaims.refuteBySource(items[0].claims, SENDER);
        assertStanding(items[0], Certainty.Refuted, 1);
        concludeItem(items[1], START + 100);
        assertEq(vault.balanceOf(CHALLENGER), HELD);
        assertEq(vault.escrowOf(address(scoreGame)), 0);
        assertStanding(items[0], Certainty.Refuted, 0);
    }

    // Finality.

    function test_finalise_unknown_reverts() public {
        ClaimWitness memory witness = witnessOf(scoringOf(honest(1)), 0);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownClaim.selector, batchIdOf(witness)));
        scoreClaims.finalise(witness.claims);
    }

    function test_finalise_atTheEdgesOfTheWindow() public {
        ClaimWitness[] memory items = scored(honest(1));
        vm.warp(START + 199);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.WindowOpen.selector, START + 200));
        scoreClaims.finalise(items[0].claims);
        vm.warp(START + 200);
        vm.expectEmit(true, false, false, true, address(scoreClaims));
        emit IScoreClaims.ScoresFinal(batchIdOf(items[0]), EXECUTOR);
        vm.prank(THIEF);
        scoreClaims.finalise(items[0].claims);
        assertEq(vault.balanceOf(EXECUTOR), HELD);
        assertStanding(items[0], Certainty.Final, 0);
    }

    function test_finalise_inDispute_reverts() public {
        ClaimWitness[] memory items = scored(honest(3));
        challengeItem(items[1], CHALLENGER);
        challengeItem(items[2], CHALLENGER);
        vm.warp(START + 500);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.InDispute.selector, 2));
        scoreClaims.finalise(items[0].claims);
    }

    function test_finalise_ended_reverts() public {
        ClaimWitness[] memory items = scored(honest(1));
        vm.warp(START + 200);
        scoreClaims.finalise(items[0].claims);
        _expectCertainty(Certainty.Final);
        scoreClaims.finalise(items[0].claims);
        items = scored(honest(1));
        challengeItem(items[0], CHALLENGER);
        concludeItem(items[0], START + 300);
        vm.warp(START + 600);
        _expectCertainty(Certainty.Refuted);
        scoreClaims.finalise(items[0].claims);
    }

    // The game's calls.

    function test_game_callsByOthers_revert() public {
        ClaimWitness memory witness = scored(honest(1))[0];
        address[3] memory others = [THIEF, trainings, address(game)];
        for (uint256 i = 0; i < others.length; ++i) {
            _expectNotTheGame(others[i]);
            scoreClaims.contest(witness);
            _expectNotTheGame(others[i]);
            scoreClaims.acquit(witness, Instant.wrap(0));
            _expectNotTheGame(others[i]);
            scoreClaims.refute(witness);
            _expectNotTheGame(others[i]);
            scoreClaims.reject(witness, 0);
            _expectNotTheGame(others[i]);
            scoreClaims.keepOpen(witness.claims, Instant.wrap(type(uint40).max));
        }
    }

    function test_contest_twice_reverts() public {
        ClaimWitness[] memory items = scored(honest(2));
        _contest(items[1]);
        _expectContested(items[1]);
        _contest(items[1]);
        vm.prank(address(scoreGame));
        scoreClaims.acquit(items[1], Instant.wrap(0));
        _expectContested(items[1]);
        _contest(items[1]);
        _contest(items[0]);
    }

    function test_contest_fallenOrUnknown_reverts() public {
        ClaimWitness memory witness = witnessOf(scoringOf(honest(2)), 0);
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownClaim.selector, batchIdOf(witness)));
        _contest(witness);
        ClaimWitness[] memory items = scored(honest(2));
        _contest(items[0]);
        vm.prank(address(scoreGame));
        scoreClaims.refute(items[0]);
        _expectCertainty(Certainty.Refuted);
        _contest(items[1]);
    }

    function test_endings_ofItemsThatAreNotInDispute_revert() public {
        ClaimWitness[] memory items = scored(honest(2));
        bytes memory expected = abi.encodeWithSelector(IScoreClaims.NotInDispute.selector, itemOf(items[0]));
        vm.startPrank(address(scoreGame));
        vm.expectRevert(expected);
        scoreClaims.acquit(items[0], Instant.wrap(0));
        vm.expectRevert(expected);
        scoreClaims.refute(items[0]);
        vm.expectRevert(expected);
        scoreClaims.reject(items[0], 0);
        scoreClaims.contest(items[0]);
        scoreClaims.acquit(items[0], Instant.wrap(0));
        vm.expectRevert(expected);
        scoreClaims.acquit(items[0], Instant.wrap(0));
        scoreClaims.refute(items[0]);
        vm.expectRevert(expected);
        scoreClaims.refute(items[0]);
        vm.stopPrank();
    }

    function testFuzz_reject_movesTheCost_andReturnsTheRest(uint256 costWei) public {
        costWei = bound(costWei, 0, 3 * BOND);
        ClaimWitness memory witness = scored(honest(1))[0];
        _contest(witness);
        vm.warp(START + 200);
        vm.prank(address(scoreGame));
        uint256 movedWei = scoreClaims.reject(witness, costWei);
        assertEq(movedWei, costWei < BOND ? costWei : BOND);
        assertEq(vault.escrowOf(address(scoreGame)), movedWei);
        assertEq(vault.balanceOf(EXECUTOR), HELD - movedWei);
        assertStanding(witness, Certainty.Rejected, 0);
    }

    // Parts.

    function _contest(ClaimWitness memory witness) private {
        vm.prank(address(scoreGame));
        scoreClaims.contest(witness);
    }

    function _expectCertainty(Certainty received) private {
        vm.expectRevert(
            abi.encodeWithSelector(IScoreClaims.WrongCertainty.selector, received, Certainty.Provisional)
        );
    }

    function _expectContested(ClaimWitness memory witness) private {
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.AlreadyContested.selector, itemOf(witness)));
    }

    function _expectNotTheGame(address other) private {
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.NotTheScoreGame.selector, other));
        vm.prank(other);
    }
}
