// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ITrainings, TrainingId, TrainingTerms} from "../interfaces/ITrainings.sol";
import {BundleRoot} from "../types/Roots.sol";
import {DRAW_TAG, ITEM_KEY_TAG, ITEM_TAG, POOL_KEY_TAG} from "./ConstantsLib.sol";
import {KeccakTree} from "./KeccakTree.sol";

/// @title A pool of items: its keys, its leaves, and which of them are opened (PROTOCOL.md 7.1)
/// @notice Stratum `s` of `openCount` holds the items `s * S` up to `(s + 1) * S`, with `S = poolCount / openCount`; of each
/// one is drawn and opened, and the rest, in order of index, is sealed.
library PoolLib {
    function keyHashOf(bytes32 poolKey) internal pure returns (bytes32) {
        return keccak256(abi.encode(POOL_KEY_TAG, poolKey));
    }

    function itemKeyOf(bytes32 poolKey, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode(ITEM_KEY_TAG, poolKey, index));
    }

    /// @notice What an item's leaf says of its key.
    function hashOf(bytes32 itemKey) internal pure returns (bytes32) {
        return keccak256(abi.encode(itemKey));
    }

    /// @notice Refuses an item that is not number `index` of the pool.
    function requireInPool(
        TrainingTerms calldata terms,
        uint256 index,
        bytes32 itemKeyHash,
        BundleRoot maskedRoot,
        bytes32[] calldata path
    ) internal pure {
        bytes32 leaf = keccak256(abi.encode(ITEM_TAG, itemKeyHash, maskedRoot));
        if (KeccakTree.keccakPath(leaf, index, terms.poolCount, path) != terms.poolRoot) {
            revert ITrainings.NotInPool(uint32(index));
        }
    }

    /// @notice Items that are sealed.
    function sealedCount(TrainingTerms calldata terms) internal pure returns (uint256) {
        return terms.poolCount - terms.openCount;
    }

    function seedOf(TrainingId id, bytes32 beacon) internal pure returns (bytes32) {
        return keccak256(abi.encode(DRAW_TAG, id, beacon));
    }

    /// @notice Pool index of the item that is opened of stratum `stratum`.
    /// @param size of a stratum
    function drawnIndex(bytes32 seed, uint256 stratum, uint256 size) internal pure returns (uint256) {
        return stratum * size + _drawnOf(seed, stratum, size);
    }

    /// @notice Pool index of sealed item `item`.
    function sealedIndex(bytes32 seed, uint32 poolCount, uint32 openCount, uint32 item) internal pure returns (uint32) {
        if (item >= poolCount - openCount) revert ITrainings.NotAnItem(item);
        uint256 size = poolCount / openCount;
        uint256 stratum = item / (size - 1);
        uint256 place = item % (size - 1);
        if (place >= _drawnOf(seed, stratum, size)) ++place;
        return uint32(stratum * size + place);
    }

    function _drawnOf(bytes32 seed, uint256 stratum, uint256 size) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, stratum))) % size;
    }
}
