// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Press, Storyteller, StoryTerms} from "../../contracts/examples/Storyteller.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {Generation, GenerationStatus, IGenerations} from "../../contracts/interfaces/IGenerations.sol";
import {Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {ITrainings, TrainingId} from "../../contracts/interfaces/ITrainings.sol";
import {ClaimBatchId, ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {I64} from "../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Vm} from "./Harness.sol";
import {GenerationStage} from "./mocks/GenerationStage.sol";
import {Models} from "./mocks/Models.sol";
import {TrainingsMock} from "./mocks/TrainingsMock.sol";

/// @notice A storyteller before the real Generations: texts of ten characters, four of them new, of an alphabet of 26.
contract StorytellerRealTest is GenerationStage {
    bytes private constant ALPHABET = "abcdefghijklmnopqrstuvwxyz";
    address private constant carol = address(0xCA401);
    TrainingId private constant TRAINING = TrainingId.wrap(bytes32(uint256(1)));

    Storyteller private teller;
    ModelId private scorer;

    function setUp() public override {
        super.setUp();
        TrainingsMock trainings = new TrainingsMock();
        trainings.make(TRAINING, 0, alice, registry.register(Models.single(I64, 10, 0, 25)), Certainty.Final);
        Model memory texts = scorerModel(10, NEW, true);
        texts.inputs[0].hi = 25;
        scorer = registry.register(texts);
        Press memory press = Press({
            generations: generations,
            scores: IScoreClaims(address(scoreClaims)),
            trainings: ITrainings(address(trainings)),
            models: registry,
            vault: vault
        });
        StoryTerms memory terms = StoryTerms({
            training: TRAINING,
            scorer: scorer,
            delta: DELTA,
            feeWei: FEE,
            minBondWei: BOND,
            answerWithin: Duration.wrap(1_000),
            callbackGas: 130_000
        });
        teller = new Storyteller(press, terms, ALPHABET);
    }

    function test_story_claimedAndFinal_isTold() public {
        Generation memory asked = _minted("sea");
        assertTrue(teller.certaintyOf(0) == Certainty.None, "unwritten");
        vm.roll(block.number + 2);
        generations.draw(asked);
        take(asked, alice);
        bytes memory tokens = tokensOf(NEW, 7);
        vm.prank(alice);
        generations.claim(asked, tokens, scoresWith(0), BOND);
        (string memory seen, Certainty certainty) = teller.preview(0, tokens);
        assertEq(bytes(seen), "aaaseahijk");
        assertTrue(certainty == Certainty.Provisional, "claimed");
        vm.warp(block.timestamp + WINDOW);
        generations.settle(asked, claims(), tokens);
        assertTrue(stateOf(asked).heard, "within its gas");
        assertEq(bytes(teller.textOf(0)), "aaaseahijk");
        assertTrue(teller.certaintyOf(0) == Certainty.Final, "final");
    }

    function test_story_claimFalls_isSaidSo_andOpensAgain() public {
        Generation memory asked = _minted("");
        vm.roll(block.number + 2);
        generations.draw(asked);
        take(asked, bob);
        vm.prank(bob);
        ClaimBatchId fallen = generations.claim(asked, tokensOf(NEW, 1), scoresWith(0), BOND);
        scoreClaims.set(fallen, Certainty.Refuted);
        assertTrue(teller.certaintyOf(0) == Certainty.Refuted, "fell");
        generations.reopen(asked);
        assertTrue(teller.certaintyOf(0) == Certainty.None, "open again");
    }

    function test_story_nobodyCame_isGivenUpForTheFee() public {
        Generation memory asked = _minted("sea");
        vm.warp(DEADLINE);
        generations.refund(asked);
        assertStatus(asked, GenerationStatus.Refunded);
        vm.prank(asker);
        teller.giveUp(0, carol);
        assertEq(carol.balance, FEE);
    }

    /// @dev The request as Generations has announced it.
    function _minted(string memory words) private returns (Generation memory asked) {
        vm.recordLogs();
        vm.prank(asker);
        uint256 token = teller.mint{value: FEE}(words);
        RequestId id = teller.requestOf(token);
        asked = _announced();
        assertEq(RequestId.unwrap(idOf(asked)), RequestId.unwrap(id));
    }

    function _announced() private returns (Generation memory asked) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IGenerations.GenerationRequested.selector) {
                asked = abi.decode(logs[i].data, (Generation));
            }
        }
    }
}
