// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";

import {Generations} from "../../../contracts/Generations.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {PropertyJudge} from "../../../contracts/PropertyJudge.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {
    Generation,
    GenerationState,
    GenerationStatus,
    GenerationTerms,
    IGenerations
} from "../../../contracts/interfaces/IGenerations.sol";
import {Certainty, ClaimBatch} from "../../../contracts/interfaces/IContestable.sol";
import {ILimitsJudge} from "../../../contracts/interfaces/ILimitsJudge.sol";
import {InputSpec, Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../../../contracts/interfaces/IScoreClaims.sol";
import {ClaimBatchId, ModelId, RequestId} from "../../../contracts/types/Ids.sol";
import {F32, I64} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Harness} from "../Harness.sol";
import {Models} from "./Models.sol";
import {ScoreClaimsMock} from "./PropertyMocks.sol";

/// @title Stage and cast for tests of Generations
/// @notice Vault, registry and property judge are real; whether scores stand is the test's to say. A text of ten tokens, six
/// of them the prompt, of a vocabulary of 100. Times: the scorer's window is 60 s, a lease 50 s, requests live for 1,000 s.
abstract contract GenerationStage is Harness {
    uint96 internal constant FEE = 1 ether;
    uint96 internal constant MIN_FEE = 0.001 ether;
    uint96 internal constant BOND = 0.5 ether;
    uint96 internal constant DEPOSIT = 0.02 ether;
    uint40 internal constant START = 1_000_000;
    uint40 internal constant DEADLINE = START + 1_000;
    uint40 internal constant TERM = 50;
    uint40 internal constant WINDOW = 60;
    uint256 internal constant BLOCK = 5_000;
    uint32 internal constant NEW = 4;
    /// @dev A quarter; the scorer's output band is a half.
    uint32 internal constant DELTA = 0x3e800000;
    uint32 internal constant BAND = 0x3f000000;
    uint256 internal constant HELD = 100 ether;

    address internal constant asker = address(0xA5);
    address internal constant alice = address(0xE1);
    address internal constant bob = address(0xE2);
    address internal constant keeper = address(0x4EE);

    Vault internal vault;
    ModelRegistry internal registry;
    ScoreClaimsMock internal scoreClaims;
    PropertyJudge internal propertyJudge;
    Generations internal generations;
    ModelId internal greedy;
    ModelId internal sampled;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(BLOCK);
        address[] memory modules = new address[](2);
        (modules[0], modules[1]) =
            (LibRLP.computeAddress(address(this), 3), LibRLP.computeAddress(address(this), 5));
        vault = new Vault(modules);
        registry = new ModelRegistry(
            vault,
            ILimitsJudge(address(0)),
            address(0),
            Models.windows(15),
            Models.windows(7 days),
            Models.MIN_BOND_GAS,
            0
        );
        scoreClaims = new ScoreClaimsMock(vault, registry);
        propertyJudge = new PropertyJudge();
        generations = new Generations(
            vault,
            registry,
            IScoreClaims(address(scoreClaims)),
            propertyJudge,
            MIN_FEE,
            Duration.wrap(uint32(TERM)),
            DEPOSIT
        );
        greedy = registry.register(scorerModel(10, NEW, false));
        sampled = registry.register(scorerModel(10, NEW, true));
        vm.deal(asker, 1_000 ether);
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: HELD}(alice);
        vault.deposit{value: HELD}(bob);
    }

    // Scorers, terms, texts.

    function scorerModel(uint32 tokens, uint32 fresh, bool withUniforms) internal pure returns (Model memory model) {
        InputSpec[] memory inputs = new InputSpec[](withUniforms ? 2 : 1);
        inputs[0] = InputSpec(Models.header(I64, 1, tokens), 0, 99);
        if (withUniforms) inputs[1] = InputSpec(Models.header(F32, 1, fresh), 0, int64(uint64(Models.ONE)));
        model = Models.taking(inputs);
        model.outputHeader = Models.header(F32, 1, fresh);
        (model.outputBand, model.slashBand) = (BAND, Models.ONE);
    }

    function termsOf(bool isSampled) internal view returns (GenerationTerms memory terms) {
        (terms.scorer, terms.sampled) = (isSampled ? sampled : greedy, isSampled);
        (terms.prompt, terms.newTokens, terms.delta) = (tokensOf(6, 1), NEW, DELTA);
        (terms.feeWei, terms.minBondWei, terms.deadline) = (FEE, BOND, Instant.wrap(DEADLINE));
    }

    /// @notice `count` tokens, from `first` up.
    function tokensOf(uint256 count, uint64 first) internal pure returns (bytes memory data) {
        for (uint64 i = 0; i < count; ++i) {
            data = abi.encodePacked(data, first + i);
        }
    }

    /// @notice Scores of zero, the least of them `bits`.
    function scoresWith(uint32 bits) internal pure returns (bytes memory) {
        return abi.encodePacked(uint32(0), uint32(0), bits, uint32(0));
    }

    function text() internal pure returns (bytes memory) {
        return tokensOf(NEW, 50);
    }

    // Steps of a request's life.

    function requested(bool isSampled) internal returns (Generation memory) {
        return requestedWith(termsOf(isSampled));
    }

    function calling(address consumer) internal returns (Generation memory) {
        GenerationTerms memory terms = termsOf(false);
        (terms.callback, terms.callbackGas) = (consumer, 400_000);
        return requestedWith(terms);
    }

    function requestedWith(GenerationTerms memory terms) internal returns (Generation memory generation) {
        generation =
            Generation(asker, generations.nonceOf(asker), Instant.wrap(uint40(block.timestamp)), terms);
        vm.prank(asker);
        RequestId id = generations.request{value: terms.feeWei}(terms);
        assertEq(RequestId.unwrap(id), RequestId.unwrap(generations.generationIdOf(generation)));
    }

    function take(Generation memory generation, address who) internal {
        vm.prank(who);
        generations.take(generation);
    }

    function claim(Generation memory generation, address who, uint96 bondWei) internal returns (ClaimBatchId) {
        vm.prank(who);
        return generations.claim(generation, text(), scoresWith(0), bondWei);
    }

    /// @notice Alice takes a greedy request and claims it.
    function claimed(Generation memory generation) internal returns (ClaimBatchId) {
        take(generation, alice);
        return claim(generation, alice, BOND);
    }

    function claims() internal view returns (ClaimBatch memory made) {
        (made,) = scoreClaims.last();
    }

    /// @notice Claims by `alice` that fall one after the other, each at the least bond; the request is open again.
    function fall(Generation memory generation, Certainty certainty) internal {
        take(generation, alice);
        uint256 fallen = stateOf(generation).attempts;
        scoreClaims.set(claim(generation, alice, uint96(uint256(BOND) << (fallen < 6 ? fallen : 6))), certainty);
        generations.reopen(generation);
    }

    // Names and assertions.

    function idOf(Generation memory generation) internal view returns (RequestId) {
        return generations.generationIdOf(generation);
    }

    function stateOf(Generation memory generation) internal view returns (GenerationState memory) {
        return generations.stateOf(idOf(generation));
    }

    function assertStatus(Generation memory generation, GenerationStatus expected) internal view {
        assertEq(uint256(stateOf(generation).status), uint256(expected));
    }

    function assertMoney(uint256 askerWei, uint256 aliceWei, uint256 bobWei, uint256 burnedWei) internal view {
        assertEq(vault.balanceOf(asker), askerWei);
        assertEq(vault.balanceOf(alice), aliceWei);
        assertEq(vault.balanceOf(bob), bobWei);
        assertEq(vault.burned(), burnedWei);
        uint256 escrowWei = vault.escrowOf(address(generations)) + vault.escrowOf(address(scoreClaims));
        assertEq(askerWei + aliceWei + bobWei + burnedWei + escrowWei, address(vault).balance);
    }

    function wrongStatus(GenerationStatus received, GenerationStatus expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IGenerations.WrongGenerationStatus.selector, received, expected);
    }
}
