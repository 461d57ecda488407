// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimBatch, IClaimChain} from "../interfaces/IClaimChain.sol";
import {BitsLib} from "./BitsLib.sol";
import {CLAIM_LEAF_TAG, INLINE_OUTPUT_BYTES} from "./ConstantsLib.sol";
import {KeccakTree} from "./KeccakTree.sol";

/// @title Entries of a claim batch, from calldata to leaves
/// @notice An entry is the output (whole up to 64 bytes, else its tensor root), or the place that overflows; then the
/// trace root if eager.
library EntriesLib {
    using BitsLib for uint256[2];

    /// @dev `step:u32 | element:u32`.
    uint256 private constant PLACE_BYTES = 8;

    /// @notice Whether `entry` is number `index` of the batch.
    function holds(ClaimBatch calldata claims, uint32 index, bytes calldata entry, bytes32[] calldata path)
        internal
        pure
        returns (bool)
    {
        bytes32 leaf = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, entry));
        return KeccakTree.keccakPath(leaf, index, claims.count, path) == claims.root;
    }

    /// @notice Root over one leaf for each live claim and zero for the rest. `data` holds the entries of all present
    /// claims in order; those that are present but not live are passed over.
    /// @param outputBytes length of the model's canonical output
    function rootOf(
        ClaimBatch memory claims,
        uint256[2] memory present,
        uint256[2] memory live,
        bytes calldata data,
        uint256 outputBytes
    ) internal pure returns (bytes32) {
        uint256 said = claims.undefined ? PLACE_BYTES : outputBytes > INLINE_OUTPUT_BYTES ? 32 : outputBytes;
        uint256 entryLength = said + (claims.eager ? 32 : 0);
        uint256 expected = present.size() * entryLength;
        if (data.length != expected) revert IClaimChain.WrongDataLength(data.length, expected);
        return KeccakTree.keccakRoot(_leavesOf(claims.count, present, live, data, entryLength));
    }

    /// @dev The hashing buffer beyond the free pointer is used again for each leaf: allocating and copying would be
    /// most of the cost of a large batch.
    function _leavesOf(
        uint256 count,
        uint256[2] memory present,
        uint256[2] memory live,
        bytes calldata data,
        uint256 entryLength
    ) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        bytes32 tag = CLAIM_LEAF_TAG;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, tag)
            let body := add(buffer, 32)
            let length := add(32, entryLength)
            let source := data.offset
            let target := add(leaves, 32)
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let word := shl(5, shr(8, i))
                if and(shr(and(i, 255), mload(add(present, word))), 1) {
                    if and(shr(and(i, 255), mload(add(live, word))), 1) {
                        calldatacopy(body, source, entryLength)
                        mstore(target, keccak256(buffer, length))
                    }
                    source := add(source, entryLength)
                }
                target := add(target, 32)
            }
        }
    }
}
