// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InputSpec, Model} from "../interfaces/IModels.sol";
import {IStepJudge, Opening} from "../interfaces/IStepJudge.sol";
import {ITrainings, PoolItem, StrayElement, TrainingState, TrainingTerms} from "../interfaces/ITrainings.sol";
import {BundleRoot, TensorHeader, TensorRoot} from "../types/Roots.sol";
import {LEAF_BYTES} from "./ConstantsLib.sol";
import {MaskLib} from "./MaskLib.sol";
import {MerkleLib} from "./MerkleLib.sol";
import {PoolLib} from "./PoolLib.sol";
import {RangeLib} from "./RangeLib.sol";
import {ShaTree} from "./ShaTree.sol";

/// @title What is in a sealed item, once its pool's key is known
/// @notice Checks what is shown of an item against the pool and the scorer's record, and what it unmasks to.
library ItemsLib {
    /// @notice Refuses what is not sealed item `item`, and an item whose key does not follow from the pool's.
    /// @return key of the item
    function requirePooled(
        TrainingTerms calldata terms,
        TrainingState memory state,
        uint32 item,
        PoolItem calldata pooled
    ) internal pure returns (bytes32 key) {
        uint32 index = PoolLib.sealedIndex(state.seed, terms.poolCount, terms.openCount, item);
        if (pooled.index != index) revert ITrainings.NotAnItem(item);
        key = PoolLib.itemKeyOf(state.poolKey, index);
        PoolLib.requireInPool(terms, index, PoolLib.hashOf(key), pooled.maskedRoot, pooled.path);
    }

    /// @notice Refuses an opening of anything but leaf `leaf` of tensor `tensor` of the bundle `expected`.
    /// @param which opening of what is shown, for the error
    function requireLeaf(
        Model memory scorer,
        uint256 tensor,
        uint256 leaf,
        Opening calldata opening,
        BundleRoot expected,
        uint256 which
    ) internal view {
        uint256 size = scorer.inputs.length;
        if (tensor >= size) revert ShaTree.IndexOutOfTree(tensor, size);
        TensorHeader header = scorer.inputs[tensor].header;
        TensorRoot root = MerkleLib.runRoot(header, leaf, leaf, opening.leaves, opening.siblings);
        if (!(MerkleLib.bundlePath(root, tensor, size, opening.bundlePath) == expected)) {
            revert IStepJudge.NotInBundle(which);
        }
    }

    /// @notice Whether an element of an item, of which `requirePooled` said the key, is out of its input's range.
    function isStray(Model memory scorer, bytes32 key, StrayElement calldata shown) internal view returns (bool) {
        (uint256 tensor, uint256 size) = (shown.tensor, scorer.inputs.length);
        if (tensor >= size) revert ShaTree.IndexOutOfTree(tensor, size);
        InputSpec memory spec = scorer.inputs[tensor];
        uint256 elements = spec.header.elements();
        if (shown.element >= elements) revert IStepJudge.ElementOutOfRange(shown.element, elements);
        uint256 width = spec.header.width();
        (uint256 leaf, uint256 start) = (shown.element * width / LEAF_BYTES, shown.element * width % LEAF_BYTES);
        requireLeaf(scorer, tensor, leaf, shown.masked, shown.pooled.maskedRoot, 0);
        return !RangeLib.isWithin(spec, MaskLib.elementOf(key, tensor, leaf, shown.masked.leaves, start, width));
    }
}
