// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../contracts/interfaces/IClaimChain.sol";
import {LeafRef, StepProof} from "../../contracts/interfaces/IDisputeGame.sol";
import {InputSpec, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {FaultKind, FaultProof, IStepJudge, Opening} from "../../contracts/interfaces/IStepJudge.sol";
import {BundleRoot, TensorHeader} from "../../contracts/types/Roots.sol";
import {Book, Operand} from "./mocks/Book.sol";
import {World} from "./mocks/World.sol";

/// @notice Whole disputes about an output that its claim holds only by root: relu over 32 ones. The liar opens an honest
/// trace, and shows nobody what it claimed. Windows: challenge 200 s, open 100, collect 40, supply 60, prove 80.
contract GameOutputTest is World, Book {
    uint256 private constant HELD = 100 ether;
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant TWO = 0x40000000;
    /// @dev The place after the only step.
    uint32 private constant OUTPUT = 1;

    function test_game_outputThatNobodyServes_isDemandedAndSilenceRefutes() public {
        ClaimWitness memory witness = _opened(TWO);
        _demand(witness);
        concludeAt(witness, START + 100);
        assertTrue(vault.balanceOf(DEMANDER) > HELD, "the deposit comes back, with a part");
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_suppliedOutput_isProvenByItsLink() public {
        ClaimWitness memory witness = _opened(TWO);
        _demand(witness);
        Opening memory shown = _supply(witness, TWO);
        FaultProof memory proof;
        (proof.kind, proof.element, proof.stepRecord) = (FaultKind.Link, 31, _relu());
        proof.openings = new Opening[](2);
        (proof.openings[0].leaves, proof.openings[1]) = (_values(ONE), shown);
        vm.prank(SENDER);
        game.prove(witness, proof);
        _assertOver(witness, Certainty.Refuted);
    }

    function test_game_honestExecutor_suppliesItsOutputAndIsAcquitted() public {
        ClaimWitness memory witness = _opened(ONE);
        _demand(witness);
        _supply(witness, ONE);
        uint256 depositWei = game.demandDeposit(1);
        concludeAt(witness, START + 180);
        assertEq(vault.balanceOf(DEMANDER), HELD - depositWei);
        assertEq(vault.balanceOf(EXECUTOR), HELD - BOND + 0.5 ether + depositWei);
        vm.warp(START + 260);
        claims.finaliseContested(witness);
        _assertOver(witness, Certainty.Final);
    }

    function test_game_anotherOutputThanTheClaimed_isNotSupply() public {
        ClaimWitness memory witness = _opened(TWO);
        _demand(witness);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        this.supplyOutput(witness, ONE);
    }

    function test_game_tracedOutput_isNotTheClaimedOne() public {
        ClaimWitness memory witness = _opened(TWO);
        LeafRef[] memory refs = new LeafRef[](1);
        StepProof[] memory steps = new StepProof[](1);
        (refs[0], steps[0].record) = (LeafRef(OUTPUT, 0, 0), _relu());
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.BadStepRecord.selector, _relu().length, 0));
        vm.prank(DEMANDER);
        game.demand(witness, refs, steps);
    }

    // Moves.

    function supplyOutput(ClaimWitness calldata witness, uint32 last) external {
        _supply(witness, last);
    }

    function _demand(ClaimWitness memory witness) private {
        vm.prank(DEMANDER);
        game.demand(witness, _refs(), new StepProof[](1));
    }

    function _supply(ClaimWitness memory witness, uint32 last) private returns (Opening memory shown) {
        shown.leaves = _values(last);
        Opening[] memory openings = new Opening[](1);
        openings[0] = shown;
        vm.prank(EXECUTOR);
        game.supply(witness, 0, _refs(), new uint256[](1), new StepProof[](1), openings);
    }

    /// @dev A claim of 31 ones and `last`, challenged, over an honest trace.
    function _opened(uint32 last) private returns (ClaimWitness memory witness) {
        bytes memory entry = bytes.concat(smallTensor(vector(32), _values(last)));
        witness = claimed(_model(), bundle(_one(smallTensor(vector(32), _values(ONE)))), entry, false);
        challengeClaim(witness);
        openTrace(witness, bundle(_one(smallTensor(vector(32), _values(ONE)))));
    }

    function _assertOver(ClaimWitness memory witness, Certainty expected) private view {
        (Certainty certainty,) = claims.certaintyOf(witness.claims, witness.index);
        assertEq(uint256(certainty), uint256(expected));
        assertEq(vault.escrowOf(address(game)), 0);
        assertConserved();
    }

    // Parts.

    function _model() private pure returns (Model memory model) {
        model.graphHeader = graphHeader(1, 0, 1);
        model.graphRoot = graph(model.graphHeader, _one(stepLeaf(_relu())));
        model.weightsRoot = BundleRoot.wrap(bytes32(uint256(1)));
        model.numericsHeader = bytes32(uint256(1) << 248);
        model.numericsRoot = numerics(model.numericsHeader, new bytes32[](1));
        model.inputs = new InputSpec[](1);
        model.inputs[0] = InputSpec(vector(32), 0, int64(uint64(ONE)));
        model.outputHeader = vector(32);
        (model.outputBand, model.slashBand) = (0x38000000, 0x3c000000); // 2^-15, 2^-7
        model.minBondGas = 1_000_000;
        model.windows = windows();
    }

    function _relu() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(INPUT, 0, vector(32));
        return record(4, 0, vector(32), operands, new int64[](0));
    }

    /// @dev 31 ones, then `last`.
    function _values(uint32 last) private pure returns (bytes memory data) {
        for (uint256 i = 0; i < 31; ++i) {
            data = abi.encodePacked(data, ONE);
        }
        data = abi.encodePacked(data, last);
    }

    function _refs() private pure returns (LeafRef[] memory refs) {
        refs = new LeafRef[](1);
        refs[0] = LeafRef(OUTPUT, 0, 0);
    }

    function _one(bytes32 word) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = word;
    }
}
