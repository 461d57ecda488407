// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {LeafRef, StepProof, TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../../contracts/interfaces/IModels.sol";
import {Scoring} from "../../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {ScoreStage} from "../mocks/ScoreStage.sol";
import {DeepLayer} from "./DeepLayer.sol";

/// @notice Gas of claims of scores and of a dispute over one item, each call a transaction of its own (`isolate`): with
/// intrinsic gas, calldata and its floor, on cold storage.
contract ScoreBench is ScoreStage, DeepLayer {
    event log_named_uint(string name, uint256 value);

    uint256 private constant ITEMS = 2_048;

    /// @dev The scorer is as deep and wide as a transformer and the item one of 2,048; a leaf of its hidden weights is demanded
    /// and supplied, then 4,096 products are judged.
    /// forge-config: default.isolate = true
    function test_gas_disputeOfOneItem_inAll() public {
        (Model memory model, FaultProof memory proof, BundleRoot traceRoot) = faultyLayer(4_096);
        Scoring memory scoring = _scoring(model, ITEMS);
        make(scoring);
        ClaimWitness memory witness = witnessOf(scoring, 1_777);
        uint256 totalGas = 0;

        challengeItem(witness, CHALLENGER);
        totalGas += spentGas();
        _openItem(witness, traceRoot);
        totalGas += spentGas();
        (uint256 demandGas, uint256 supplyGas) = _demandAndSupply(witness, proof);
        totalGas += demandGas + supplyGas;
        vm.warp(START + 140);
        vm.prank(SENDER);
        scoreGame.prove(witness, proof);
        totalGas += spentGas();

        assertStanding(witness, Certainty.Refuted, 0);
        assertLe(totalGas, 3_000_000);
    }

    /// @dev An item of an honest claim that somebody challenges and demands of, as any number of others may be at once: what
    /// its executor is given for it pays for all that it has to do, at the base fee, item by item and leaf by leaf.
    /// forge-config: default.isolate = true
    function test_gas_griefedItem_isPaidForByWhoeverGriefs() public {
        (Model memory model, FaultProof memory proof, BundleRoot traceRoot) = faultyLayer(4_096);
        Scoring memory scoring = _scoring(model, ITEMS);
        make(scoring);
        ClaimWitness memory witness = witnessOf(scoring, 1_777);
        challengeItem(witness, CHALLENGER);
        uint256 griefGas = _log("gas_grief_challenge");
        _openItem(witness, traceRoot);
        uint256 answerGas = _log("gas_grief_open");
        (uint256 demandGas, uint256 supplyGas) = _demandAndSupply(witness, proof);
        emit log_named_uint("gas_grief_demand_leaf", demandGas);
        emit log_named_uint("gas_grief_supply_leaf", supplyGas);
        vm.warp(START + 180);
        scoreGame.conclude(witness);
        answerGas += _log("gas_grief_acquit");

        uint256 openGas = scoreGame.OPEN_GAS();
        assertEq(scoreGame.challengeBond(0) / 2, openGas * block.basefee);
        emit log_named_uint("gas_grief_attacker_per_item", griefGas + 2 * openGas);
        emit log_named_uint("gas_grief_executor_earns_per_item", openGas - answerGas);
        emit log_named_uint("gas_grief_executor_earns_per_leaf", scoreGame.SUPPLY_LEAF_GAS() - supplyGas);
    }

    /// @dev A score of one f32: its calldata and its item's, both trees and the event.
    /// forge-config: default.isolate = true
    function test_gas_make_perItem() public {
        make(_scoring(_scalarModel(), 1));
        uint256 one = spentGas();
        make(_scoring(_scalarModel(), ITEMS));
        assertLe((spentGas() - one) / (ITEMS - 1), 1_600);
    }

    function _openItem(ClaimWitness memory witness, BundleRoot traceRoot) private {
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(witness.index, traceRoot);
        vm.prank(EXECUTOR);
        scoreGame.open(witness.claims, openings);
    }

    /// @dev The first leaf of the weights' row.
    function _demandAndSupply(ClaimWitness memory witness, FaultProof memory proof)
        private
        returns (uint256 demandGas, uint256 supplyGas)
    {
        (LeafRef[] memory refs, StepProof[] memory steps) = (new LeafRef[](1), new StepProof[](1));
        refs[0] = LeafRef(proof.step, 0, proof.element / 256);
        steps[0] = StepProof(proof.stepRecord, proof.stepPath);
        vm.prank(DEMANDER);
        scoreGame.demand(witness, refs, steps);
        demandGas = spentGas();
        Opening[] memory openings = new Opening[](1);
        openings[0] = proof.openings[0];
        vm.prank(EXECUTOR);
        scoreGame.supply(witness, 0, refs, new uint256[](1), steps, openings);
        supplyGas = spentGas();
    }

    /// @dev Logs and returns what the last transaction cost.
    function _log(string memory name) private returns (uint256 gasUsed) {
        gasUsed = spentGas();
        emit log_named_uint(name, gasUsed);
    }

    /// @dev Random items and scores, claimed with the model's weights; what was registered had others.
    function _scoring(Model memory model, uint256 items) private returns (Scoring memory scoring) {
        (model.minBondGas, model.windows) = (1_000_000, windows());
        scoring.weightsRoot = model.weightsRoot;
        model.weightsRoot = BundleRoot.wrap(keccak256("weights to start from"));
        scoring.scorer = registry.idOf(model);
        if (!registry.exists(scoring.scorer)) registry.register{value: REGISTRANT_BOND}(model);
        model.weightsRoot = scoring.weightsRoot;
        (scoring.subject, scoring.executor, scoring.bondWei) = (SUBJECT, EXECUTOR, BOND);
        scoring.items = new BundleRoot[](items);
        for (uint256 i = 0; i < items; ++i) {
            scoring.items[i] = BundleRoot.wrap(keccak256(abi.encode("item", i)));
        }
        scoring.scores = floats(3, items * model.outputHeader.elements());
    }

    function _scalarModel() private pure returns (Model memory model) {
        model = toyModel();
        model.outputHeader = matrix(1, 1);
    }
}
