// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RiskOracle, RiskTerms, Seat, Sources} from "../../contracts/examples/RiskOracle.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {InputSpec, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../../contracts/interfaces/IScoreClaims.sol";
import {Training} from "../../contracts/interfaces/ITrainings.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../contracts/types/Roots.sol";
import {Duration} from "../../contracts/types/Time.sol";
import {Models} from "./mocks/Models.sol";
import {TrainingStage} from "./mocks/TrainingStage.sol";

/// @notice An oracle whose three networks were trained, by three executors, by the real Trainings.
contract RiskOracleRealTest is TrainingStage {
    address private constant dave = address(0xDA7E);
    int64 private constant FIFTY = 0x42480000;
    int64 private constant MINUS_FIFTY = 0xc2480000;

    function setUp() public override {
        super.setUp();
        architecture = registry.register(_network(1));
        scorer = registry.register(_network(2));
        vm.deal(dave, 1_000 ether);
        vault.deposit{value: 100 ether}(dave);
    }

    function test_constructor_oneTrainingByThree_givesTheirNetworks() public {
        address[3] memory executors = [alice, bob, dave];
        Training memory training = requested();
        openPool(training, poolOf());
        for (uint32 i = 0; i < 3; ++i) commit(training, executors[i], 0);
        reveal(training);
        for (uint32 i = 0; i < 3; ++i) decide(score(training, i, executors[i], ITEMS - i), Certainty.Final);
        Seat[3] memory seats = [Seat(idOf(training), 0), Seat(idOf(training), 1), Seat(idOf(training), 2)];
        (RiskTerms memory terms, Sources memory sources) = (_riskTerms(), _sources());
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.NotFinal.selector, idOf(training), Certainty.Provisional));
        new RiskOracle(sources, terms, seats, new bytes(32));
        settleAfterClaims(training);
        ModelId[3] memory networks = new RiskOracle(sources, terms, seats, new bytes(32)).networks();
        (ModelId best,) = trainings.trained(idOf(training));
        assertTrue(networks[0] == best, "the winner's");
        for (uint256 i = 0; i < 3; ++i) {
            BundleRoot weights = registry.model(networks[i]).weightsRoot;
            assertTrue(weights == weightsOf(executors[i], 0), "registered with its own weights");
        }
    }

    /// @dev Eight returns, and the target if there are two inputs, to one f32.
    function _network(uint256 count) private pure returns (Model memory network) {
        InputSpec[] memory inputs = new InputSpec[](count);
        inputs[0] = InputSpec(Models.header(F32, 1, 8), MINUS_FIFTY, FIFTY);
        if (count == 2) inputs[1] = InputSpec(Models.header(F32, 1, 1), 0, FIFTY);
        network = Models.taking(inputs);
        network.outputHeader = Models.header(F32, 1, 1);
    }

    function _sources() private view returns (Sources memory) {
        return Sources({
            inbox: IInbox(address(0)),
            claimChain: address(0),
            vault: vault,
            models: registry,
            trainings: trainings,
            scores: IScoreClaims(address(scoreClaims)),
            feeder: keeper
        });
    }

    function _riskTerms() private pure returns (RiskTerms memory terms) {
        (terms.answerWithin, terms.leastGap, terms.freshFor) =
            (Duration.wrap(1 hours), Duration.wrap(20 hours), Duration.wrap(4 days));
        (terms.deviations, terms.stretch, terms.greatestFactor) = (100_000, 20_000, 9_400);
    }
}
