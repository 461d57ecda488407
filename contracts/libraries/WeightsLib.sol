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
    /// @notice Reverts unless the element is not finite in the claimed weights, and another in the scorer's own: a mask of
    /// infinities is registered as one, and stays it. Where the scorer has a NaN itself, nothing could be judged before.
    function requireBroken(Model memory scorer, BundleRoot claimedRoot, BrokenWeight calldata shown) internal view {
        MerkleLib.requireHeader(shown.header);
        uint256 weights = StepCodec.tensorsFrom(scorer.graphHeader, FROM_WEIGHT);
        if (shown.tensor >= weights) revert ShaTree.IndexOutOfTree(shown.tensor, weights);
        uint256 elements = shown.header.elements();
        if (shown.element >= elements) revert IStepJudge.ElementOutOfRange(shown.element, elements);
        if (CaseLib.isFloating(shown.header.dtype())) {
            uint32 own = _valueOf(shown, shown.own, scorer.weightsRoot, weights, 0);
            uint32 claimed = _valueOf(shown, shown.claimed, claimedRoot, weights, 1);
            if (!Float.isFinite(claimed) && !Float.isNaN(own) && claimed != own) return;
        }
        revert IScoreClaims.WeightIsSound(shown.tensor, shown.element);
    }

    /// @param which of the two openings, for the error
    function _valueOf(
        BrokenWeight calldata shown,
        Opening calldata opening,
        BundleRoot expected,
        uint256 weights,
        uint256 which
    ) private view returns (uint32) {
        TensorHeader header = shown.header;
        uint256 place = shown.element * header.width();
        uint256 leaf = place / LEAF_BYTES;
        TensorRoot root = MerkleLib.runRoot(header, leaf, leaf, opening.leaves, opening.siblings);
        if (!(MerkleLib.bundlePath(root, shown.tensor, weights, opening.bundlePath) == expected)) {
            revert IStepJudge.NotInBundle(which);
        }
        uint256 start = place - leaf * LEAF_BYTES;
        bytes32 word = bytes32(opening.leaves[start:start + header.width()]);
        return Formats.widen(header.dtype(), uint256(word) >> (256 - 8 * header.width()));
    }
}
