// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";

import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {PropertyJudge} from "../../../contracts/PropertyJudge.sol";
import {Trainings} from "../../../contracts/Trainings.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Certainty} from "../../../contracts/interfaces/IContestable.sol";
import {ILimitsJudge} from "../../../contracts/interfaces/ILimitsJudge.sol";
import {InputSpec, Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Aggregate, Comparison, Property} from "../../../contracts/interfaces/IPropertyJudge.sol";
import {IScoreClaims} from "../../../contracts/interfaces/IScoreClaims.sol";
import {
    ITrainings, Training, TrainingId, TrainingState, TrainingStatus, TrainingTerms
} from "../../../contracts/interfaces/ITrainings.sol";
import {WEIGHTS_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ModelId} from "../../../contracts/types/Ids.sol";
import {BundleRoot, F32, I64} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Harness} from "../Harness.sol";
import {Models} from "./Models.sol";
import {Pool, Pools} from "./Pool.sol";
import {ScoreClaimsMock} from "./PropertyMocks.sol";

/// @title Stage and cast for tests of Trainings
/// @notice Vault, registry and property judge are real; whether scores stand is the test's to say. A pool of twelve items in
/// four strata: four are opened, eight scored. Items are 300 pixels and a label. Periods: open 100 s, commit 200, reveal 150,
/// claim 300; the scorer's challenge window is 60 s.
abstract contract TrainingStage is Harness {
    using Pools for Pool;

    uint96 internal constant FEE = 4 ether;
    uint96 internal constant BONUS = 2 ether;
    uint96 internal constant PRIZE = FEE + BONUS;
    uint96 internal constant COMMIT_FEE = 0.1 ether;
    uint96 internal constant BOND = 0.5 ether;
    uint16 internal constant SHARE = 2_500;
    /// @dev What of the fee the requester loses: burned where it does not open, half burned where it does not reveal.
    uint256 internal constant SHARE_WEI = 1 ether;
    uint96 internal constant MIN_FEE = 0.001 ether;
    uint96 internal constant MIN_COMMIT_FEE = 0.0001 ether;
    uint40 internal constant START = 1_000_000;
    uint256 internal constant BLOCK = 5_000;
    uint40 internal constant OPEN = 100;
    uint40 internal constant COMMIT = 200;
    uint40 internal constant REVEAL = 150;
    uint40 internal constant CLAIM = 300;
    uint40 internal constant WINDOW = 60;
    uint32 internal constant ITEMS = 8;
    uint32 internal constant HALF = 0x3f000000;
    /// @dev A score of 1, as totals count.
    int256 internal constant UNITS = int256(1) << 149;
    bytes32 internal constant KEY = keccak256("pool key");
    bytes32 internal constant SALT = keccak256("salt");

    address internal constant asker = address(0xA5);
    address internal constant alice = address(0xE1);
    address internal constant bob = address(0xE2);
    address internal constant keeper = address(0x4EE);

    Vault internal vault;
    ModelRegistry internal registry;
    PropertyJudge internal propertyJudge;
    ScoreClaimsMock internal scoreClaims;
    Trainings internal trainings;
    ModelId internal architecture;
    ModelId internal scorer;

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
            modules[1],
            Models.windows(15),
            Models.windows(7 days),
            Models.MIN_BOND_GAS,
            0
        );
        scoreClaims = new ScoreClaimsMock(vault, registry);
        propertyJudge = new PropertyJudge();
        trainings = new Trainings(vault, registry, IScoreClaims(address(scoreClaims)), propertyJudge, MIN_FEE, MIN_COMMIT_FEE);
        architecture = registry.register(architectureModel());
        scorer = registry.register(scorerModel());
        vm.deal(asker, 1_000 ether);
        vm.deal(alice, 1_000 ether);
        vm.deal(bob, 1_000 ether);
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: 100 ether}(alice);
        vault.deposit{value: 100 ether}(bob);
    }

    // Models, pools, terms.

    function architectureModel() internal pure returns (Model memory) {
        return Models.single(F32, 300, 0, int64(uint64(Models.ONE)));
    }

    function scorerModel() internal pure returns (Model memory model) {
        InputSpec[] memory inputs = new InputSpec[](2);
        inputs[0] = architectureModel().inputs[0];
        inputs[1] = InputSpec(Models.header(I64, 1, 1), 0, 9);
        model = Models.taking(inputs);
        model.outputHeader = Models.header(F32, 1, 1);
    }

    function poolOf() internal pure returns (Pool memory) {
        return Pools.make(KEY, 12, 4);
    }

    /// @notice The mean of the scores, each 0 or 1, is to be at least a half; all right earns the whole bonus.
    function termsOf(Pool memory pool) internal view returns (TrainingTerms memory terms) {
        (terms.architecture, terms.scorer) = (architecture, scorer);
        (terms.dataRoot, terms.recipe) = (BundleRoot.wrap(keccak256("data")), keccak256("recipe"));
        (terms.poolRoot, terms.poolCount, terms.openCount) = (pool.root(), uint32(pool.keys.length), pool.strata);
        (terms.keyHash, terms.fullScore) = (pool.keyHash(), Models.ONE);
        terms.property = Property(Aggregate.Mean, Comparison.AtLeast, HALF, address(0), 0);
        (terms.feeWei, terms.bonusWei, terms.commitFeeWei) = (FEE, BONUS, COMMIT_FEE);
        (terms.minBondWei, terms.unscoredShare) = (BOND, SHARE);
        (terms.open, terms.commit) = (Duration.wrap(uint32(OPEN)), Duration.wrap(uint32(COMMIT)));
        (terms.reveal, terms.claim) = (Duration.wrap(uint32(REVEAL)), Duration.wrap(uint32(CLAIM)));
    }

    // Steps of a request's life.

    function requested() internal returns (Training memory) {
        return requestedWith(termsOf(poolOf()));
    }

    function requestedWith(TrainingTerms memory terms) internal returns (Training memory training) {
        training = Training(
            asker,
            trainings.nonceOf(asker),
            Instant.wrap(uint40(block.timestamp)),
            uint64(block.number),
            terms
        );
        vm.prank(asker);
        TrainingId id = trainings.request{value: uint256(terms.feeWei) + terms.bonusWei}(terms);
        assertEq(TrainingId.unwrap(id), TrainingId.unwrap(trainings.trainingIdOf(training)));
        vm.roll(block.number + 2);
    }

    function opened() internal returns (Training memory training) {
        training = requested();
        openPool(training, poolOf());
    }

    function openPool(Training memory training, Pool memory pool) internal {
        bytes32 seed = Pools.seedOf(TrainingId.unwrap(idOf(training)), training.requestedBlock);
        vm.prank(asker);
        trainings.open(training, pool.opened(seed));
    }

    /// @notice Commits the weights that `who` and `version` name.
    function commit(Training memory training, address who, uint256 version) internal returns (uint32) {
        bytes32 commitment = commitmentOf(training, who, weightsOf(who, version));
        vm.prank(who);
        return trainings.commit{value: training.terms.commitFeeWei}(training, commitment);
    }

    /// @notice Alice's commitment 0, Bob's 1; then the key is revealed.
    function revealed() internal returns (Training memory training) {
        training = opened();
        commit(training, alice, 0);
        commit(training, bob, 0);
        reveal(training);
    }

    function reveal(Training memory training) internal {
        vm.warp(Instant.unwrap(stateOf(training).openedAt) + Duration.unwrap(training.terms.commit));
        trainings.reveal(training, KEY);
    }

    /// @notice Claims `right` of the eight items right for commitment `number`.
    function score(Training memory training, uint32 number, address who, uint256 right)
        internal
        returns (ClaimBatchId)
    {
        BundleRoot weights = weightsOf(who, 0);
        vm.prank(who);
        return trainings.score(training, number, weights, SALT, itemsOf(ITEMS), scoresOf(ITEMS, right), BOND);
    }

    function settleAfterClaims(Training memory training) internal {
        vm.warp(uint256(Instant.unwrap(stateOf(training).revealedAt)) + CLAIM);
        vm.prank(keeper);
        trainings.settle(training);
    }

    // Names and values.

    function idOf(Training memory training) internal view returns (TrainingId) {
        return trainings.trainingIdOf(training);
    }

    function stateOf(Training memory training) internal view returns (TrainingState memory) {
        return trainings.stateOf(idOf(training));
    }

    function seedOf(Training memory training) internal view returns (bytes32) {
        return stateOf(training).seed;
    }

    function weightsOf(address who, uint256 version) internal pure returns (BundleRoot) {
        return BundleRoot.wrap(keccak256(abi.encode("weights", who, version)));
    }

    function commitmentOf(Training memory training, address who, BundleRoot weights) internal view returns (bytes32) {
        return keccak256(abi.encode(WEIGHTS_TAG, idOf(training), who, weights, SALT));
    }

    function itemsOf(uint32 count) internal pure returns (BundleRoot[] memory items) {
        items = new BundleRoot[](count);
        for (uint256 i = 0; i < count; ++i) {
            items[i] = BundleRoot.wrap(keccak256(abi.encode("item", i)));
        }
    }

    /// @notice `right` ones, then zeros.
    function scoresOf(uint256 count, uint256 right) internal pure returns (bytes memory scores) {
        for (uint256 i = 0; i < count; ++i) {
            scores = abi.encodePacked(scores, i < right ? Models.ONE : 0);
        }
    }

    // Assertions.

    function assertStatus(Training memory training, TrainingStatus expected) internal view {
        assertEq(uint256(stateOf(training).status), uint256(expected));
    }

    /// @notice What the request left behind: balances in the Vault, what was burned, and an empty escrow.
    function assertMoney(uint256 askerWei, uint256 aliceWei, uint256 bobWei, uint256 burnedWei) internal view {
        assertEq(vault.balanceOf(asker), askerWei);
        assertEq(vault.balanceOf(alice), aliceWei);
        assertEq(vault.balanceOf(bob), bobWei);
        assertEq(vault.burned(), burnedWei);
        assertEq(vault.escrowOf(address(trainings)), 0);
        assertEq(askerWei + aliceWei + bobWei + burnedWei + vault.escrowOf(address(scoreClaims)), address(vault).balance);
    }

    function tooLate(uint256 current, uint256 until) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainings.TooLate.selector, current, until);
    }

    function tooEarly(uint256 current, uint256 from) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainings.TooEarly.selector, current, from);
    }

    function wrongStatus(TrainingStatus received, TrainingStatus expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainings.WrongTrainingStatus.selector, received, expected);
    }

    function decide(ClaimBatchId claim, Certainty certainty) internal {
        scoreClaims.set(claim, certainty);
    }
}
