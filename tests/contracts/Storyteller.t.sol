// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";

import {Harness} from "./Harness.sol";
import {GenerationsMock} from "./mocks/GenerationsMock.sol";
import {Models} from "./mocks/Models.sol";
import {ReenteringOwner} from "./mocks/Owners.sol";
import {TrainingsMock} from "./mocks/TrainingsMock.sol";
import {Press, Storyteller, StoryTerms} from "../../contracts/examples/Storyteller.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {GenerationStatus, GenerationTerms, IGenerations} from "../../contracts/interfaces/IGenerations.sol";
import {InputSpec, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {ITrainings, TrainingId} from "../../contracts/interfaces/ITrainings.sol";
import {ModelRegistry} from "../../contracts/ModelRegistry.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32, I32, I64} from "../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Vault} from "../../contracts/Vault.sol";

/// @notice Texts of 96 characters, 64 of them new; an alphabet of 36. Alice mints.
contract StorytellerTest is Harness {
    bytes private constant ALPHABET = " abcdefghijklmnopqrstuvwxyz.,;:!?'-0";
    uint256 private constant NEW = 64;
    uint256 private constant OPENING = 32;
    uint96 private constant FEE = 0.01 ether;
    uint32 private constant CALLBACK_GAS = 220_000;
    uint40 private constant START = 1_800_000_000;
    TrainingId private constant TRAINING = TrainingId.wrap(bytes32(uint256(0x7EA1)));
    ClaimBatchId private constant CLAIM = ClaimBatchId.wrap(bytes32(uint256(0xC1A1)));
    address private constant alice = address(0xA11CE);
    address private constant bob = address(0xB0B);

    event log_named_uint(string name, uint256 value);

    TrainingsMock private trainings;
    GenerationsMock private generations;
    ModelRegistry private models;
    Vault private vault;
    ModelId private network;
    Storyteller private teller;

    function setUp() public {
        vm.warp(START);
        trainings = new TrainingsMock();
        generations = new GenerationsMock();
        models = Models.registry(Models.windows(15), Models.windows(7 days), Models.MIN_BOND_GAS);
        address[] memory modules = new address[](1);
        modules[0] = address(generations);
        vault = new Vault(modules);
        generations.join(vault);
        network = models.register(Models.single(I64, 96, 0, 35));
        trainings.make(TRAINING, 0, bob, network, Certainty.Final);
        teller = new Storyteller(_press(), _storyTerms(_register(_scorer())), ALPHABET);
        vm.deal(alice, 1 ether);
        vm.deal(bob, 1 ether);
    }

    // Refusals.

    function test_constructor_trainingNotFinal_reverts() public {
        trainings.make(TRAINING, 0, bob, network, Certainty.Provisional);
        _refusesToDeploy(
            teller.terms().scorer,
            ALPHABET,
            abi.encodeWithSelector(Storyteller.NotFinal.selector, TRAINING, Certainty.Provisional)
        );
    }

    function test_constructor_scorerOfOtherWeightsOrShape_reverts() public {
        Model[7] memory wrong;
        for (uint256 i = 0; i < 7; ++i) wrong[i] = _scorer();
        wrong[0].weightsRoot = BundleRoot.wrap(keccak256("others"));
        wrong[1].inputs[0].header = Models.header(I32, 1, 96);
        wrong[2].inputs[0].header = Models.header(I64, 1, 64); // no opening
        wrong[3].inputs[1].header = Models.header(F32, 1, 63);
        wrong[4].inputs[0].lo = 1;
        wrong[5].outputHeader = Models.header(I64, 1, 64);
        wrong[6] = _greedyScorer();
        for (uint256 i = 0; i < 7; ++i) {
            ModelId id = _register(wrong[i]);
            _refusesToDeploy(id, ALPHABET, abi.encodeWithSelector(Storyteller.WrongScorer.selector, id));
        }
    }

    function test_constructor_alphabet_ofWrongLengthOrRepeated_reverts() public {
        ModelId scorer = teller.terms().scorer;
        bytes memory reason = abi.encodeWithSelector(Storyteller.WrongAlphabetLength.selector, 3, 36);
        _refusesToDeploy(scorer, "abc", reason);
        bytes memory twice = ALPHABET;
        twice[35] = "a";
        _refusesToDeploy(scorer, twice, abi.encodeWithSelector(Storyteller.BadCharacter.selector, bytes1("a"), 35));
    }

    /// @dev Of all bytes only letters, digits and nine marks may be in an alphabet.
    function test_constructor_alphabet_ofAnyHarmfulByte_reverts() public {
        ModelId scorer = teller.terms().scorer;
        uint256 taken = 0;
        for (uint256 i = 0; i < 256; ++i) {
            bytes memory characters = ALPHABET;
            for (uint256 j = 0; j < 36; ++j) {
                if (uint8(characters[j]) == i) characters[j] = "9";
            }
            characters[0] = bytes1(uint8(i));
            try new Storyteller(_press(), _storyTerms(scorer), characters) {
                ++taken;
            } catch (bytes memory reason) {
                assertEq(reason, abi.encodeWithSelector(Storyteller.BadCharacter.selector, bytes1(uint8(i)), 0));
            }
        }
        assertEq(taken, 26 + 26 + 10 + 9);
    }

    function test_mint_wrongPayment_reverts() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(Storyteller.WrongPayment.selector, FEE - 1, FEE));
        teller.mint{value: FEE - 1}("once");
    }

    function test_mint_openingTooLong_orOutsideTheAlphabet_reverts() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(Storyteller.OpeningTooLong.selector, 33, 32));
        teller.mint{value: FEE}("once upon a time there was a node");
        vm.expectRevert(abi.encodeWithSelector(Storyteller.BadCharacter.selector, bytes1("<"), 2));
        teller.mint{value: FEE}("a <script>");
        vm.expectRevert(abi.encodeWithSelector(Storyteller.BadCharacter.selector, bytes1(0x00), 0));
        teller.mint{value: FEE}(unicode"\u0000");
    }

    function test_onResult_fromAnyoneElse_orUnknown_reverts() public {
        RequestId id = _mint("once");
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(Storyteller.NotGenerations.selector, alice, address(generations)));
        teller.onResult(id, ClaimId.wrap(0), Certainty.Final, 1, _tokens(1));
        RequestId none = RequestId.wrap(bytes32(uint256(5)));
        vm.prank(address(generations));
        vm.expectRevert(abi.encodeWithSelector(Storyteller.UnknownRequest.selector, none));
        teller.onResult(none, ClaimId.wrap(0), Certainty.Final, 1, _tokens(1));
    }

    function test_onResult_twice_reverts_andTheFirstTextStays() public {
        RequestId id = _mint("once");
        generations.settle(id, _tokens(1));
        string memory told = teller.textOf(0);
        vm.prank(address(generations));
        vm.expectRevert(abi.encodeWithSelector(Storyteller.AlreadyTold.selector, 0));
        teller.onResult(id, ClaimId.wrap(0), Certainty.Final, 2, _tokens(2));
        assertEq(bytes(teller.textOf(0)), bytes(told));
    }

    function test_onResult_anythingButFinal_tellsNothing() public {
        RequestId id = _mint("once");
        generations.tell(id, Certainty.Refuted, "");
        generations.tell(id, Certainty.Provisional, _tokens(1));
        assertEq(bytes(teller.textOf(0)).length, 0);
        generations.settle(id, _tokens(1));
        assertEq(bytes(teller.textOf(0)).length, OPENING + NEW);
    }

    function test_giveUp_byAnyoneElse_orBeforeARefund_reverts() public {
        _mint("once");
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(Storyteller.NotTheOwner.selector, bob, alice));
        teller.giveUp(0, bob);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(Storyteller.NotRefunded.selector, GenerationStatus.Open));
        teller.giveUp(0, alice);
    }

    function test_views_unknownToken_revert() public {
        bytes memory reason = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 0);
        vm.expectRevert(reason);
        teller.tokenURI(0);
        vm.expectRevert(reason);
        teller.certaintyOf(0);
        vm.expectRevert(reason);
        teller.textOf(0);
        vm.expectRevert(reason);
        teller.requestOf(0);
    }

    // A text's life.

    function test_mint_asksForATextOfItsOwn() public {
        RequestId id = _mint("once upon");
        GenerationTerms memory asked = generations.generationOf(id).terms;
        bytes memory prompt = new bytes(OPENING * 8);
        uint8[9] memory expected = [15, 14, 3, 5, 0, 21, 16, 15, 14];
        for (uint256 i = 0; i < 9; ++i) prompt[(23 + i) * 8 + 7] = bytes1(expected[i]);
        assertEq(asked.prompt, prompt);
        assertTrue(asked.sampled && asked.newTokens == NEW && asked.scorer == teller.terms().scorer, "sampled");
        assertTrue(asked.callback == address(teller) && asked.callbackGas == CALLBACK_GAS, "called back");
        assertEq(Instant.unwrap(asked.deadline), START + 1 days);
        assertEq(vault.escrowOf(address(generations)), FEE);
        assertEq(teller.ownerOf(0), alice);
        assertTrue(teller.NETWORK() == network, "the trained network");
    }

    function test_tokenUri_saysHowCertain_andShowsOnlyWhatIsFinal() public {
        RequestId id = _mint("once");
        _uriIs('{"name":"Story 0","description":"","attributes":[{"trait_type":"certainty","value":"unwritten"}]}');
        generations.claim(id, CLAIM, _tokens(1));
        assertTrue(teller.certaintyOf(0) == Certainty.Provisional, "claimed");
        _uriIs('{"name":"Story 0","description":"","attributes":[{"trait_type":"certainty","value":"provisional"}]}');
        generations.fall(CLAIM, Certainty.Refuted);
        _uriIs('{"name":"Story 0","description":"","attributes":[{"trait_type":"certainty","value":"fallen"}]}');
        generations.reopen(id);
        assertTrue(teller.certaintyOf(0) == Certainty.None, "open again");
        assertTrue(generations.settle(id, _tokens(1)), "heard");
        _uriIs(
            string.concat(
                '{"name":"Story 0","description":"                            once',
                _repeated("a", NEW),
                '","attributes":[{"trait_type":"certainty","value":"final"}]}'
            )
        );
    }

    function test_preview_showsWhatIsClaimed_andNothingElse() public {
        RequestId id = _mint("once");
        generations.claim(id, CLAIM, _tokens(2));
        (string memory text, Certainty certainty) = teller.preview(0, _tokens(2));
        assertEq(bytes(text), abi.encodePacked("                            once", _repeated("b", NEW)));
        assertTrue(certainty == Certainty.Provisional, "not final");
        bytes memory others = _tokens(3);
        bytes4 selector = Storyteller.WrongTokens.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, keccak256(others), keccak256(_tokens(2))));
        teller.preview(0, others);
    }

    /// @dev Whatever a network says, even tokens it does not have: the text is made of the alphabet, JSON stays whole, and
    /// the callback does not fail.
    function testFuzz_onResult_anyTokens_makeHarmlessText(bytes32 seed) public {
        RequestId id = _mint("once");
        bytes memory tokens;
        for (uint256 i = 0; i < NEW / 4; ++i) tokens = bytes.concat(tokens, keccak256(abi.encode(seed, i)));
        if (uint256(seed) % 2 == 0) {
            for (uint256 i = 0; i < NEW; ++i) (tokens[8 * i], tokens[8 * i + 6]) = (0, 0);
        }
        assertTrue(generations.settle(id, tokens), "heard");
        bytes memory text = bytes(teller.textOf(0));
        assertEq(text.length, OPENING + NEW);
        for (uint256 i = 0; i < text.length; ++i) assertTrue(_inAlphabet(text[i]), "a character of the alphabet");
    }

    function test_giveUp_afterARefund_burnsAndPaysTheOwnerOfNow() public {
        RequestId id = _mint("once");
        generations.refund(id);
        vm.prank(alice);
        teller.transferFrom(alice, bob, 0);
        vm.prank(bob);
        teller.giveUp(0, address(0xE15E));
        assertEq(address(0xE15E).balance, FEE);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 0));
        teller.ownerOf(0);
        vm.prank(alice);
        assertTrue(teller.mint{value: FEE}("again") == 1, "numbers are not used twice");
    }

    function test_giveUp_ofAnOwnerWhoReenters_paysOnce() public {
        ReenteringOwner owner = new ReenteringOwner(teller);
        vm.deal(address(owner), FEE);
        owner.mint(FEE);
        RequestId other = _mint("not the thief's");
        generations.refund(teller.requestOf(0));
        generations.refund(other);
        owner.giveUp();
        assertEq(address(owner).balance, FEE);
        assertEq(vault.balanceOf(address(teller)), FEE);
        assertEq(owner.refusal(), abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 0));
    }

    function test_onResult_gas_isWithinItsLimit() public {
        RequestId id = _mint("once upon a time there was a nod");
        vm.cool(address(teller));
        bytes memory data =
            abi.encodeCall(Storyteller.onResult, (id, ClaimId.wrap(0), Certainty.Final, 1, _tokens(7)));
        vm.prank(address(generations));
        uint256 before = gasleft();
        (bool success,) = address(teller).call{gas: CALLBACK_GAS}(data);
        emit log_named_uint("Storyteller.onResult of 64 new characters, gas", before - gasleft());
        assertTrue(success && bytes(teller.textOf(0)).length == OPENING + NEW, "told within the gas it asked for");
    }

    function _mint(string memory opening) private returns (RequestId) {
        vm.prank(alice);
        return teller.requestOf(teller.mint{value: FEE}(opening));
    }

    function _uriIs(string memory json) private view {
        string memory uri = string.concat("data:application/json;base64,", Base64.encode(bytes(json)));
        assertEq(bytes(teller.tokenURI(0)), bytes(uri));
    }

    function _inAlphabet(bytes1 character) private pure returns (bool) {
        for (uint256 i = 0; i < ALPHABET.length; ++i) {
            if (ALPHABET[i] == character) return true;
        }
        return false;
    }

    /// @dev The same token, 64 times.
    function _tokens(uint64 token) private pure returns (bytes memory tokens) {
        for (uint256 i = 0; i < NEW; ++i) tokens = bytes.concat(tokens, bytes8(token));
    }

    function _repeated(string memory character, uint256 times) private pure returns (string memory text) {
        for (uint256 i = 0; i < times; ++i) text = string.concat(text, character);
    }

    function _refusesToDeploy(ModelId scorer, bytes memory characters, bytes memory reason) private {
        (Press memory press, StoryTerms memory terms) = (_press(), _storyTerms(scorer));
        vm.expectRevert(reason);
        new Storyteller(press, terms, characters);
    }

    function _register(Model memory model) private returns (ModelId) {
        return models.register(model);
    }

    /// @dev Tokens and uniforms to scores, over the network's weights.
    function _scorer() private pure returns (Model memory scorer) {
        InputSpec[] memory inputs = new InputSpec[](2);
        inputs[0] = InputSpec({header: Models.header(I64, 1, 96), lo: 0, hi: 35});
        inputs[1] = InputSpec({header: Models.header(F32, 1, 64), lo: 0, hi: int64(uint64(Models.ONE))});
        scorer = Models.taking(inputs);
        scorer.outputHeader = Models.header(F32, 1, 64);
    }

    function _greedyScorer() private pure returns (Model memory scorer) {
        scorer = Models.single(I64, 96, 0, 35);
        scorer.outputHeader = Models.header(F32, 1, 64);
    }

    function _press() private view returns (Press memory) {
        return Press({
            generations: IGenerations(address(generations)),
            scores: IScoreClaims(address(generations)),
            trainings: ITrainings(address(trainings)),
            models: models,
            vault: vault
        });
    }

    function _storyTerms(ModelId scorer) private pure returns (StoryTerms memory) {
        return StoryTerms({
            training: TRAINING,
            scorer: scorer,
            delta: 0x3a03126f,
            feeWei: FEE,
            minBondWei: 0.05 ether,
            answerWithin: Duration.wrap(1 days),
            callbackGas: CALLBACK_GAS
        });
    }
}
