// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Model} from "../interfaces/IModels.sol";
import {BrokenWeight, IScoreClaims} from "../interfaces/IScoreClaims.sol";
import {IStepJudge, Opening} from "../interfaces/IStepJudge.sol";
import {Float} from "../math/Float.sol";
import {Formats} from "../math/Formats.sol";
import {BundleRoot, TensorHeader, TensorRoot} from "../types/Roots.sol";
import {CaseLib} from "./CaseLib.sol";
import {LEAF_BYTES} from "./ConstantsLib.sol";
import {MerkleLib} from "./MerkleLib.sol";
import {ShaTree} from "./ShaTree.sol";
import {FROM_WEIGHT, StepCodec} from "./StepCodec.sol";

/// @title Weights that nothing can be judged with
/// @notice One element of one weight, as the scorer was registered with it and as it is claimed.
/// @dev The header is taken from the proof: it is part of what both tensor roots are hashes of.
library WeightsLib {
    /// @notice Reverts unless the element is finite in the scorer's own weights and not finite in those claimed.
    function requireBroken(Model memory scorer, BundleRoot claimedRoot, BrokenWeight calldata shown) internal view {
        MerkleLib.requireHeader(shown.header);
        uint256 weights = StepCodec.tensorsFrom(scorer.graphHeader, FROM_WEIGHT);
        if (shown.tensor >= weights) revert ShaTree.IndexOutOfTree(shown.tensor, weights);
        uint256 elements = shown.header.elements();
        if (shown.element >= elements) revert IStepJudge.ElementOutOfRange(shown.element, elements);
        bool isFloating = CaseLib.isFloating(shown.header.dtype());
        bool wasFinite = isFloating && _isFinite(shown, shown.own, scorer.weightsRoot, weights, 0);
        if (!wasFinite || _isFinite(shown, shown.claimed, claimedRoot, weights, 1)) {
            revert IScoreClaims.WeightIsSound(shown.tensor, shown.element);
        }
    }

    /// @param which of the two openings, for the error
    function _isFinite(
        BrokenWeight calldata shown,
        Opening calldata opening,
        BundleRoot expected,
        uint256 weights,
        uint256 which
    ) private view returns (bool) {
        TensorHeader header = shown.header;
        uint256 place = shown.element * header.width();
        uint256 leaf = place / LEAF_BYTES;
        TensorRoot root = MerkleLib.runRoot(header, leaf, leaf, opening.leaves, opening.siblings);
        if (!(MerkleLib.bundlePath(root, shown.tensor, weights, opening.bundlePath) == expected)) {
            revert IStepJudge.NotInBundle(which);
        }
        uint256 start = place - leaf * LEAF_BYTES;
        bytes32 word = bytes32(opening.leaves[start:start + header.width()]);
        return Float.isFinite(Formats.widen(header.dtype(), uint256(word) >> (256 - 8 * header.width())));
    }
}
