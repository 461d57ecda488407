// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LEAF_BYTES, MASK_TAG} from "./ConstantsLib.sol";

/// @title The mask of an item's tensors (PROTOCOL.md 7.1)
/// @notice Block `b` of 32 bytes of tensor `t` is xored with `SHA256(MASK_TAG | item key | t * 2^64 + b)`, the last one cut.
library MaskLib {
    uint256 private constant BLOCK_BYTES = 32;

    /// @notice Whether the same leaf of a tensor, as masked and as claimed, differs by nothing but the mask.
    /// @param tensor number in the item
    /// @param masked as long as `claimed`
    function unmasks(bytes32 itemKey, uint256 tensor, uint256 leaf, bytes calldata masked, bytes calldata claimed)
        internal
        pure
        returns (bool)
    {
        uint256 first = (tensor << 64) + leaf * (LEAF_BYTES / BLOCK_BYTES);
        for (uint256 start = 0; start < masked.length; start += BLOCK_BYTES) {
            bytes32 mask = maskOf(itemKey, first + start / BLOCK_BYTES);
            bytes32 difference = _wordAt(masked, start) ^ _wordAt(claimed, start) ^ mask;
            uint256 left = masked.length - start;
            if (left < BLOCK_BYTES) difference >>= 8 * (BLOCK_BYTES - left);
            if (difference != 0) return false;
        }
        return true;
    }

    /// @notice Bits of one element of a masked leaf, unmasked. It lies in one block, which every width divides.
    /// @param tensor number in the item
    /// @param start the element's first byte in the leaf, inside of it
    /// @param width bytes of an element
    function elementOf(bytes32 itemKey, uint256 tensor, uint256 leaf, bytes calldata masked, uint256 start, uint256 width)
        internal
        pure
        returns (uint256)
    {
        uint256 block_ = start / BLOCK_BYTES;
        bytes32 mask = maskOf(itemKey, (tensor << 64) + leaf * (LEAF_BYTES / BLOCK_BYTES) + block_);
        bytes32 word = _wordAt(masked, block_ * BLOCK_BYTES) ^ mask;
        return uint256(word << (8 * (start % BLOCK_BYTES))) >> (256 - 8 * width);
    }

    /// @param place `t * 2^64 + b`
    function maskOf(bytes32 itemKey, uint256 place) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(MASK_TAG, itemKey, place));
    }

    /// @dev The word at `start`; what of it lies beyond the end is for the caller to cut.
    function _wordAt(bytes calldata data, uint256 start) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, start))
        }
    }
}
