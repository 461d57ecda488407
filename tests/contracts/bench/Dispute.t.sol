// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../../contracts/interfaces/IClaimChain.sol";
import {DisputeStatus, LeafRef, StepProof} from "../../../contracts/interfaces/IDisputeGame.sol";
import {InputSpec, Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot, TensorHeader} from "../../../contracts/types/Roots.sol";
import {Book, Operand} from "../mocks/Book.sol";
import {World} from "../mocks/World.sol";

/// @notice Gas of whole disputes over one wrong element of a linear layer, each call a transaction of its own (`isolate`):
/// with intrinsic gas, calldata and its floor, on cold storage.
/// @dev The model is as deep and wide as a transformer: 100 steps, 64 weight tensors, 8 rows of activations, 4,096
/// columns. Only what the proof shows is made; what lies beside its paths is random. `bench/dispute.py` reads the logs.
contract DisputeBench is World, Book {
    event log_named_uint(string name, uint256 value);

    uint32 private constant STEPS = 100;
    uint32 private constant WEIGHTS = 64;
    uint32 private constant ROWS = 8;
    uint32 private constant COLUMNS = 4096;
    uint32 private constant STEP = 57;
    uint32 private constant WEIGHT_INDEX = 20;
    uint32 private constant ROW = 1;
    uint32 private constant COLUMN = 1234;
    /// @dev All values have exponent field 124 or 125, so no product's exponent is above this one.
    int32 private constant TOP_EXPONENT = 250;

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

    // A model with one wrong element in step 57.

    function _faulty(uint32 k, bool eager) private returns (ClaimWitness memory witness, FaultProof memory proof) {
        (proof.step, proof.element, proof.hint) = (STEP, ROW * COLUMNS + COLUMN, TOP_EXPONENT);
        proof.openings = new Opening[](3);
        bytes32[] memory trace = leavesFrom(1, STEPS);
        bytes32[] memory weights = leavesFrom(2, WEIGHTS);
        trace[STEP] = _result(proof.openings[0]);
        trace[STEP - 1] = _row(proof.openings[1], ROWS, k, ROW);
        weights[WEIGHT_INDEX] = _row(proof.openings[2], COLUMNS, k, COLUMN);
        proof.openings[0].bundlePath = siblingsOf(trace, STEP, STEP);
        proof.openings[1].bundlePath = siblingsOf(trace, STEP - 1, STEP - 1);
        proof.openings[2].bundlePath = siblingsOf(weights, WEIGHT_INDEX, WEIGHT_INDEX);
        _traceRoot = bundle(trace);

        Model memory model = _model(k, proof);
        model.weightsRoot = bundle(weights);
        bytes memory entry = _floats(3, 10);
        if (eager) entry = bytes.concat(entry, BundleRoot.unwrap(_traceRoot));
        witness = claimed(model, BundleRoot.wrap(keccak256("inputs")), entry, eager);
    }

    function _model(uint32 k, FaultProof memory proof) private pure returns (Model memory model) {
        proof.stepRecord = linear(
            ROWS,
            COLUMNS,
            k,
            _operands(Operand(RESULT, STEP - 1, matrix(ROWS, k)), Operand(WEIGHT, WEIGHT_INDEX, matrix(COLUMNS, k)))
        );
        bytes32[] memory steps = leavesFrom(4, STEPS);
        steps[STEP] = stepLeaf(proof.stepRecord);
        proof.stepPath = siblingsOf(steps, STEP, STEP);
        model.graphHeader = graphHeader(1, WEIGHTS, STEPS);
        model.graphRoot = graph(model.graphHeader, steps);
        model.numericsHeader = bytes32(uint256(1) << 248);
        model.numericsRoot = numerics(model.numericsHeader, leavesFrom(5, STEPS));
        model.inputs = new InputSpec[](1);
        model.inputs[0] = InputSpec(matrix(ROWS, 64), 0, 0x3f800000);
        model.outputHeader = matrix(1, 10);
        (model.outputBand, model.slashBand) = (0x3a83126f, 0x3b83126f);
        (model.minBondGas, model.windows) = (1_000_000, windows());
    }

    // Tensors.

    /// @dev The result's leaf, in which the judged element is 2^30: far from any sum of 4,096 products below 1/4.
    function _result(Opening memory opening) private pure returns (bytes32) {
        uint256 element = uint256(ROW) * COLUMNS + COLUMN;
        opening.leaves = _floats(6, 256);
        bytes memory leaves = opening.leaves;
        uint256 place = 32 + 4 * (element % 256);
        assembly ("memory-safe") {
            let word := mload(add(leaves, place))
            mstore(add(leaves, place), or(shl(224, 0x4e801234), and(word, shr(32, not(0)))))
        }
        return _sparse(opening, matrix(ROWS, COLUMNS), element / 256);
    }

    /// @dev Row `row` of a matrix of `rows` rows of whole leaves.
    function _row(Opening memory opening, uint32 rows, uint32 k, uint256 row) private pure returns (bytes32) {
        opening.leaves = _floats(7 + rows, k);
        return _sparse(opening, matrix(rows, k), row * k / 256);
    }

    /// @dev f32 values of random sign and fraction, exponent field 124 or 125.
    function _floats(uint256 seed, uint256 count) private pure returns (bytes memory data) {
        data = new bytes(count * 4);
        uint256 keep = type(uint256).max / 0xffffffff * 0x80ffffff;
        uint256 exponent = type(uint256).max / 0xffffffff * 0x3e000000;
        for (uint256 i = 0; i < data.length; i += 32) {
            uint256 word = uint256(keccak256(abi.encode(seed, i))) & keep | exponent;
            if (data.length - i < 32) word &= type(uint256).max << 8 * (32 - (data.length - i));
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), i), word)
            }
        }
    }

    /// @dev Root of the tensor in which the opening's leaves, all of 1,024 bytes, begin at leaf `first` and everything
    /// else is random.
    function _sparse(Opening memory opening, TensorHeader header, uint256 first) private pure returns (bytes32) {
        bytes32[] memory nodes = new bytes32[](opening.leaves.length / 1024);
        for (uint256 i = 0; i < nodes.length; ++i) {
            nodes[i] = sha256(bytes.concat(LEAF_TAG, _cut(opening.leaves, i)));
        }
        uint256 size = header.byteLength() / 1024;
        uint256 last = first + nodes.length - 1;
        bytes32[] memory found = new bytes32[](64);
        uint256 count = 0;
        for (; size > 1; (first, last, size) = (first / 2, last / 2, (size + 1) / 2)) {
            assertTrue(last % 2 == 1 || last + 1 < size, "no run here touches a right edge that is missing");
            bytes32 left = keccak256(abi.encode(header, size, "left"));
            bytes32 right = keccak256(abi.encode(header, size, "right"));
            if (first % 2 == 1) found[count++] = left;
            if (last % 2 == 0) found[count++] = right;
            nodes = _parents(nodes, first, left, right);
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
        opening.siblings = found;
        return tensorOf(header, nodes[0]);
    }

    function _parents(bytes32[] memory nodes, uint256 first, bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32[] memory parents)
    {
        uint256 last = first + nodes.length - 1;
        parents = new bytes32[](last / 2 - first / 2 + 1);
        for (uint256 i = 0; i < parents.length; ++i) {
            uint256 at_ = 2 * (first / 2 + i);
            parents[i] =
                hashPair(at_ < first ? left : nodes[at_ - first], at_ + 1 > last ? right : nodes[at_ + 1 - first]);
        }
    }

    function _one(Opening memory opening) private pure returns (Opening[] memory list) {
        list = new Opening[](1);
        list[0] = opening;
    }

    function _cut(bytes memory data, uint256 leaf) private pure returns (bytes memory out) {
        out = new bytes(1024);
        assembly ("memory-safe") {
            mcopy(add(out, 0x20), add(add(data, 0x20), mul(leaf, 1024)), 1024)
        }
    }
}
