// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InputSpec, Model} from "../../../contracts/interfaces/IModels.sol";
import {FaultKind, FaultProof, Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {OP_CAST, OP_STRIDED} from "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot, I64, TensorHeader} from "../../../contracts/types/Roots.sol";
import {Book, Operand} from "./Book.sol";
import {Models} from "./Models.sol";

/// @notice A scorer of texts of one token of prompt and four new ones, whose score of a token is its number: the new ones are
/// cut out, and cast. Tokens lie between 64 and 99, where floats are 2^-17 apart. A run is the scores that the cast gives.
abstract contract ToyText is Book {
    uint32 internal constant NEW_TOKENS = 4;
    uint32 private constant SHOWN = 2;

    function toyTextScorer() internal pure returns (Model memory model) {
        model.graphHeader = graphHeader(1, 0, 2);
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (stepLeaf(_cutRecord()), stepLeaf(_castRecord()));
        model.graphRoot = graph(model.graphHeader, leaves);
        model.weightsRoot = BundleRoot.wrap(keccak256("no weights"));
        model.numericsHeader = bytes32(uint256(1) << 248);
        model.numericsRoot = numerics(model.numericsHeader, new bytes32[](2));
        model.inputs = new InputSpec[](1);
        model.inputs[0] = InputSpec(Models.header(I64, 1, 1 + NEW_TOKENS), 0, 99);
        model.outputHeader = matrix(1, NEW_TOKENS);
        (model.outputBand, model.slashBand) = (0x38000000, 0x3c000000); // 2^-15, 2^-7
        model.minBondGas = 1_000_000;
    }

    /// @notice Canonical bytes of four new tokens, from `first` up.
    function tokensFrom(uint64 first) internal pure returns (bytes memory) {
        return abi.encodePacked(first, first + 1, first + 2, first + 3);
    }

    /// @notice Their scores; that of the third is off by `ulps`.
    function scoresFrom(uint64 first, uint32 ulps) internal pure returns (bytes memory scores) {
        for (uint64 i = 0; i < NEW_TOKENS; ++i) {
            // 64 is 0x42800000, and each whole number 2^17 further.
            uint32 bits = 0x42800000 + uint32(first + i - 64) * 2 ** 17;
            scores = abi.encodePacked(scores, i == SHOWN ? bits + ulps : bits);
        }
    }

    function textTrace(bytes memory tokens, bytes memory scores) internal pure returns (BundleRoot) {
        return bundle(_textRoots(tokens, scores));
    }

    /// @notice About the cast of the third token.
    function castProof(bytes memory tokens, bytes memory scores) internal pure returns (FaultProof memory proof) {
        proof = _about(tokens, scores, 2);
        proof.openings[1] = _textLeaf(tokens, scores, 0);
    }

    /// @notice The third score as traced, against the claimed one.
    function textLinkProof(bytes memory tokens, bytes memory scores) internal pure returns (FaultProof memory proof) {
        proof = _about(tokens, scores, 1);
        proof.kind = FaultKind.Link;
    }

    function _about(bytes memory tokens, bytes memory scores, uint256 openings)
        private
        pure
        returns (FaultProof memory proof)
    {
        (proof.step, proof.element, proof.stepRecord) = (1, SHOWN, _castRecord());
        proof.stepPath = new bytes32[](1);
        proof.stepPath[0] = stepLeaf(_cutRecord());
        proof.openings = new Opening[](openings);
        proof.openings[0] = _textLeaf(tokens, scores, 1);
    }

    function _textLeaf(bytes memory tokens, bytes memory scores, uint256 step)
        private
        pure
        returns (Opening memory opening)
    {
        opening.leaves = step == 0 ? tokens : scores;
        opening.bundlePath = siblingsOf(_textRoots(tokens, scores), step, step);
    }

    function _textRoots(bytes memory tokens, bytes memory scores) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = smallTensor(_cutHeader(), tokens);
        roots[1] = smallTensor(matrix(1, NEW_TOKENS), scores);
    }

    function _cutRecord() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(INPUT, 0, Models.header(I64, 1, 1 + NEW_TOKENS));
        int64[] memory attributes = new int64[](5);
        // From element 1 on: one row of four.
        (attributes[0], attributes[1], attributes[2]) = (1, 1, int64(uint64(NEW_TOKENS)));
        (attributes[3], attributes[4]) = (int64(uint64(1 + NEW_TOKENS)), 1);
        return record(OP_STRIDED, 2, _cutHeader(), operands, attributes);
    }

    function _castRecord() private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(RESULT, 0, _cutHeader());
        return record(OP_CAST, 0, matrix(1, NEW_TOKENS), operands, new int64[](0));
    }

    function _cutHeader() private pure returns (TensorHeader) {
        return Models.header(I64, 1, NEW_TOKENS);
    }
}
