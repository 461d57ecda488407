// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../../contracts/interfaces/IClaimChain.sol";
import {DisputeStatus, LeafRef, StepProof} from "../../../contracts/interfaces/IDisputeGame.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {World} from "../mocks/World.sol";
import {DeepLayer} from "./DeepLayer.sol";

/// @notice Gas of whole disputes over one wrong element of a linear layer, each call a transaction of its own (`isolate`):
/// with intrinsic gas, calldata and its floor, on cold storage.
/// @dev `bench/dispute.py` reads the logs.
contract DisputeBench is World, DeepLayer {
    event log_named_uint(string name, uint256 value);

    BundleRoot private _traceRoot;
    uint256 private _transactions;

    /// forge-config: default.isolate = true
    function test_gas_k1536() public {
        assertLe(_disputeLazily(1536), 1_000_000);
        emit log_named_uint("transactions", _transactions);
    }

    /// forge-config: default.isolate = true
    function test_gas_k4096() public {
        assertLe(_disputeLazily(4096), 1_800_000);
    }

    /// forge-config: default.isolate = true
    function test_gas_eager_k1536() public {
        (ClaimWitness memory witness, FaultProof memory proof) = _faulty(1536, true);
        vm.prank(SENDER);
        game.proveEager(witness, proof);
        _log("prove_eager", 1536);
        emit log_named_uint("transactions_eager", _transactions);
        _requireRefuted(witness);
    }

    /// forge-config: default.isolate = true
    function test_gas_honest_withDemand() public {
        (ClaimWitness memory witness, FaultProof memory proof) = _faulty(4096, false);
        challengeClaim(witness);
        openTrace(witness, _traceRoot);
        uint256 openGas = spentGas();
        (LeafRef[] memory refs, StepProof[] memory steps) = (new LeafRef[](1), new StepProof[](1));
        // A leaf of the result: the deepest tree that is not the weights'.
        refs[0] = LeafRef(STEP, 0, proof.element / 256);
        steps[0] = StepProof(proof.stepRecord, proof.stepPath);
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
        _log("demand_leaf", 4096);
        vm.prank(EXECUTOR);
        game.supply(witness, 0, refs, new uint256[](1), steps, _one(proof.openings[0]));
        assertLe(_log("supply_leaf", 4096), game.SUPPLY_LEAF_GAS());
        concludeAt(witness, START + 180);
        assertLe(openGas + _log("acquit", 4096), game.OPEN_GAS());
    }

    /// @dev Returns the gas of challenge, opening and proof.
    function _disputeLazily(uint32 k) private returns (uint256 totalGas) {
        (ClaimWitness memory witness, FaultProof memory proof) = _faulty(k, false);
        challengeClaim(witness);
        totalGas += _log("challenge", k);
        openTrace(witness, _traceRoot);
        totalGas += _log("open", k);
        vm.warp(START + 80);
        vm.prank(SENDER);
        game.prove(witness, proof);
        totalGas += _log("prove", k);
        emit log_named_uint(string.concat("gas_total_k", vm.toString(k)), totalGas);
        _requireRefuted(witness);
    }

    /// @dev Logs and returns what the last transaction cost.
    function _log(string memory name, uint256 k) private returns (uint256 gasUsed) {
        gasUsed = spentGas();
        ++_transactions;
        emit log_named_uint(string.concat("gas_", name, "_k", vm.toString(k)), gasUsed);
    }

    function _requireRefuted(ClaimWitness memory witness) private view {
        assertEq(uint256(game.disputeOf(claimIdOf(witness)).status), uint256(DisputeStatus.Refuted));
        assertEq(vault.escrowOf(address(game)), 0);
        assertConserved();
    }

    /// @notice An earlier liar was slashed, so the price of the first burn ever is not in the figures.
    function setUp() public override {
        super.setUp();
        (ClaimWitness memory witness,) = _faulty(256, false);
        challengeClaim(witness);
        concludeAt(witness, START + 100);
        vm.warp(START);
    }

    function _faulty(uint32 k, bool eager) private returns (ClaimWitness memory witness, FaultProof memory proof) {
        Model memory model;
        (model, proof, _traceRoot) = faultyLayer(k);
        (model.minBondGas, model.windows) = (1_000_000, windows());
        bytes memory entry = floats(3, 10);
        if (eager) entry = bytes.concat(entry, BundleRoot.unwrap(_traceRoot));
        witness = claimed(model, BundleRoot.wrap(keccak256("inputs")), entry, eager);
    }

    function _one(Opening memory opening) private pure returns (Opening[] memory list) {
        list = new Opening[](1);
        list[0] = opening;
    }
}
