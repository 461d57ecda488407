// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RiskOracle, RiskTerms, Sources} from "../../contracts/examples/RiskOracle.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";
import {InputSpec, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {Training, TrainingId, TrainingTerms} from "../../contracts/interfaces/ITrainings.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {F32} from "../../contracts/types/Roots.sol";
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

    function test_constructor_threeTrainingsByThree_givesTheirNetworks() public {
        TrainingId[3] memory ids = [_won(alice), _won(bob), _scored(dave)];
        RiskTerms memory terms = _riskTerms();
        Sources memory sources = _sources();
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.NotFinal.selector, ids[2], Certainty.Provisional));
        new RiskOracle(sources, terms, ids, new bytes(32));
        ids[2] = _won(dave);
        ModelId[3] memory networks = new RiskOracle(sources, terms, ids, new bytes(32)).networks();
        for (uint256 i = 0; i < 3; ++i) {
            (ModelId made,) = trainings.trained(ids[i]);
            assertTrue(networks[i] == made && registry.exists(made), "the trained network");
        }
    }

    /// @dev A training whose only commitment is that of `who`, which is paid.
    function _won(address who) private returns (TrainingId id) {
        Training memory training;
        (id, training) = _running(who);
        settleAfterClaims(training);
    }

    function _scored(address who) private returns (TrainingId id) {
        (id,) = _running(who);
    }

    function _running(address who) private returns (TrainingId id, Training memory training) {
        TrainingTerms memory terms = termsOf(poolOf());
        training = requestedWith(terms);
        openPool(training, poolOf());
        commit(training, who, 0);
        reveal(training);
        decide(score(training, 0, who, ITEMS), Certainty.Final);
        id = idOf(training);
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
            feeder: keeper
        });
    }

    function _riskTerms() private pure returns (RiskTerms memory terms) {
        (terms.answerWithin, terms.leastGap, terms.freshFor) =
            (Duration.wrap(1 hours), Duration.wrap(20 hours), Duration.wrap(4 days));
        (terms.deviations, terms.stretch, terms.greatestFactor) = (100_000, 20_000, 9_400);
    }
}
