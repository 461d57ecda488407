// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Opening} from "../../../contracts/interfaces/IStepJudge.sol";
import {LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {F32, I64} from "../../../contracts/types/Roots.sol";
import {Book} from "./Book.sol";
import {Models} from "./Models.sol";
import {Pool, Pools} from "./Pool.sol";
import {TrainingStage} from "./TrainingStage.sol";

/// @title A stage whose pool holds items that can be opened
/// @notice An item's pixels, all about a half, fill one leaf and 176 bytes of a second one, its label 8 bytes.
abstract contract ItemStage is TrainingStage, Book {
    using Pools for Pool;

    uint256 internal constant PIXEL_BYTES = 1_200;

    /// @dev Canonical bytes of the two tensors of an item.
    struct Content {
        bytes pixels;
        bytes label;
    }

    /// @dev Encoded, and made once: it is the same in all tests.
    bytes private _pool;

    function setUp() public virtual override {
        super.setUp();
        Pool memory pool = poolOf();
        for (uint256 i = 0; i < pool.keys.length; ++i) {
            pool.masked[i] = bundle(rootsOf(maskedOf(pool, i)));
        }
        _pool = abi.encode(pool);
    }

    function contentOf(uint256 index) internal pure returns (Content memory content) {
        content.pixels = new bytes(PIXEL_BYTES);
        for (uint256 i = 0; i < PIXEL_BYTES; i += 4) {
            content.pixels[i] = 0x3f;
            content.pixels[i + 3] = bytes1(uint8(index * 7 + i));
        }
        content.label = abi.encodePacked(uint64(index % 10));
    }

    function maskedOf(Pool memory pool, uint256 index) internal pure returns (Content memory) {
        return maskedOf(pool, index, contentOf(index));
    }

    function maskedOf(Pool memory pool, uint256 index, Content memory plain)
        internal
        pure
        returns (Content memory content)
    {
        content.pixels = pool.mask(index, 0, plain.pixels);
        content.label = pool.mask(index, 1, plain.label);
    }

    function fullPool() internal view returns (Pool memory) {
        return abi.decode(_pool, (Pool));
    }

    function rootsOf(Content memory content) internal pure returns (bytes32[] memory roots) {
        roots = new bytes32[](2);
        roots[0] = tensorOf(Models.header(F32, 1, 300), topOf(leavesOf(content.pixels)));
        roots[1] = smallTensor(Models.header(I64, 1, 1), content.label);
    }

    function leavesOf(bytes memory data) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((data.length + 1023) / 1024);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = sha256(bytes.concat(LEAF_TAG, leafOf(data, i)));
        }
    }

    function leafOf(bytes memory data, uint256 leaf) internal pure returns (bytes memory part) {
        uint256 end = (leaf + 1) * 1024 < data.length ? (leaf + 1) * 1024 : data.length;
        part = new bytes(end - leaf * 1024);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(data, 0x20), shl(10, leaf)), mload(part))
        }
    }

    function openingOf(Content memory content, uint32 tensor, uint32 leaf)
        internal
        pure
        returns (Opening memory opening)
    {
        bytes memory data = tensor == 0 ? content.pixels : content.label;
        opening.leaves = leafOf(data, leaf);
        opening.siblings = siblingsOf(leavesOf(data), leaf, leaf);
        opening.bundlePath = siblingsOf(rootsOf(content), tensor, tensor);
    }
}
