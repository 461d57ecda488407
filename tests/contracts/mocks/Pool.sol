// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OpenedItem, PoolItem, Training} from "../../../contracts/interfaces/ITrainings.sol";
import {
    DRAW_TAG, ITEM_KEY_TAG, ITEM_TAG, MASK_TAG, POOL_KEY_TAG
} from "../../../contracts/libraries/ConstantsLib.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {SlowTree} from "./SlowTree.sol";

/// @notice A pool, made and drawn of as PROTOCOL.md 7.1 has it, plainly; the libraries under test are not used.
/// @param hashes of the items' keys, as the leaves have them
struct Pool {
    bytes32 key;
    uint32 strata;
    bytes32[] keys;
    bytes32[] hashes;
    BundleRoot[] masked;
}

library Pools {
    function make(bytes32 key, uint32 count, uint32 strata) internal pure returns (Pool memory pool) {
        (pool.key, pool.strata, pool.keys) = (key, strata, new bytes32[](count));
        (pool.hashes, pool.masked) = (new bytes32[](count), new BundleRoot[](count));
        for (uint256 i = 0; i < count; ++i) {
            pool.keys[i] = keccak256(abi.encode(ITEM_KEY_TAG, key, i));
            pool.hashes[i] = keccak256(abi.encode(pool.keys[i]));
            pool.masked[i] = BundleRoot.wrap(keccak256(abi.encode("masked", i)));
        }
    }

    function keyHash(Pool memory pool) internal pure returns (bytes32) {
        return keccak256(abi.encode(POOL_KEY_TAG, pool.key));
    }

    function leaves(Pool memory pool) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](pool.keys.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = keccak256(abi.encode(ITEM_TAG, pool.hashes[i], pool.masked[i]));
        }
    }

    function root(Pool memory pool) internal pure returns (bytes32) {
        return SlowTree.root(leaves(pool));
    }

    /// @notice Pool indices of the drawn items, one a stratum.
    function drawn(Pool memory pool, bytes32 seed) internal pure returns (uint256[] memory indices) {
        uint256 size = pool.keys.length / pool.strata;
        indices = new uint256[](pool.strata);
        for (uint256 s = 0; s < pool.strata; ++s) {
            indices[s] = s * size + uint256(keccak256(abi.encode(seed, s))) % size;
        }
    }

    /// @notice Pool indices of the sealed items, in order.
    function sealedOf(Pool memory pool, bytes32 seed) internal pure returns (uint32[] memory indices) {
        uint256[] memory taken = drawn(pool, seed);
        uint256 size = pool.keys.length / pool.strata;
        indices = new uint32[](pool.keys.length - pool.strata);
        uint256 found = 0;
        for (uint256 i = 0; i < pool.keys.length; ++i) {
            if (taken[i / size] != i) indices[found++] = uint32(i);
        }
    }

    function opened(Pool memory pool, bytes32 seed) internal pure returns (OpenedItem[] memory items) {
        uint256[] memory indices = drawn(pool, seed);
        bytes32[] memory all = leaves(pool);
        items = new OpenedItem[](indices.length);
        for (uint256 s = 0; s < indices.length; ++s) {
            uint256 i = indices[s];
            items[s] = OpenedItem(pool.keys[i], pool.masked[i], SlowTree.path(all, i));
        }
    }

    function item(Pool memory pool, uint32 index) internal pure returns (PoolItem memory) {
        return PoolItem(index, pool.hashes[index], pool.masked[index], SlowTree.path(leaves(pool), index));
    }

    /// @notice Masks, or unmasks, the canonical bytes of tensor `tensor` of item `index`.
    function mask(Pool memory pool, uint256 index, uint256 tensor, bytes memory data)
        internal
        pure
        returns (bytes memory out)
    {
        out = new bytes(data.length);
        bytes32 block_;
        for (uint256 i = 0; i < data.length; ++i) {
            if (i % 32 == 0) block_ = sha256(abi.encodePacked(MASK_TAG, pool.keys[index], (tensor << 64) + i / 32));
            out[i] = data[i] ^ block_[i % 32];
        }
    }

    function seedOf(bytes32 trainingId, uint64 requestedBlock) internal view returns (bytes32) {
        return keccak256(abi.encode(DRAW_TAG, trainingId, blockhash(requestedBlock + 1)));
    }
}
