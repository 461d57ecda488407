// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../interfaces/IContestable.sol";
import {Request, RequestBatch} from "../interfaces/IInbox.sol";
import {IScoreClaims} from "../interfaces/IScoreClaims.sol";
import {ModelId, RequestId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {CLAIM_LEAF_TAG, INLINE_OUTPUT_BYTES, SCORED_TAG} from "./ConstantsLib.sol";
import {KeccakTree} from "./KeccakTree.sol";

/// @title Items and scores as records of a claim
/// @notice A claim of scores is shown with the same records as a claim of an inference; here is what they are made of.
library ScoredLib {
    /// @dev Lanes 0 and 1 are Inbox's.
    uint8 private constant LANE = 2;
    /// @dev Kind 0 is an inference.
    uint8 private constant KIND = 1;

    /// @notice Name of item `index` that `source` has scored for `subject`.
    function itemIdOf(address source, bytes32 subject, uint256 index, BundleRoot inputsRoot)
        internal
        pure
        returns (RequestId)
    {
        return RequestId.wrap(keccak256(abi.encode(SCORED_TAG, source, subject, index, inputsRoot)));
    }

    /// @notice The record of all items: no fee, tip, minimum bond or deadline, no callback.
    function requestsOf(address source, bytes32 subject, BundleRoot[] calldata items, ModelId model)
        internal
        pure
        returns (RequestBatch memory requests)
    {
        bytes32 root = KeccakTree.keccakRoot(_itemLeaves(source, subject, items));
        return requestsOf(uint32(items.length), root, model);
    }

    /// @notice The same, from the Keccak tree over the items' ids.
    function requestsOf(uint32 count, bytes32 root, ModelId model) internal pure returns (RequestBatch memory requests) {
        (requests.lane, requests.count, requests.root, requests.model) = (LANE, count, root, model);
    }

    /// @notice Root over the leaves of `count` scores, which are entries of a claim batch.
    /// @param outputBytes length of the scorer's canonical output
    function scoresRoot(bytes calldata scores, uint256 count, uint256 outputBytes) internal pure returns (bytes32) {
        uint256 length = outputBytes > INLINE_OUTPUT_BYTES ? 32 : outputBytes;
        if (scores.length != count * length) revert IScoreClaims.WrongDataLength(scores.length, count * length);
        bytes32[] memory leaves = new bytes32[](count);
        bytes32 tag = CLAIM_LEAF_TAG;
        assembly ("memory-safe") {
            // Beyond the free pointer, used again for each leaf.
            let buffer := mload(0x40)
            mstore(buffer, tag)
            let source := scores.offset
            let target := add(leaves, 32)
            for { let end := add(source, scores.length) } lt(source, end) { source := add(source, length) } {
                calldatacopy(add(buffer, 32), source, length)
                mstore(target, keccak256(buffer, add(32, length)))
                target := add(target, 32)
            }
        }
        return KeccakTree.keccakRoot(leaves);
    }

    /// @notice Checks that a witness shows item `index` of its record of items; returns its id. Reverts otherwise.
    function requireItem(ClaimWitness calldata witness) internal pure returns (RequestId id) {
        Request calldata request = witness.request;
        id = itemIdOf(request.requester, request.property, witness.index, request.inputsRoot);
        bytes32 leaf = RequestId.unwrap(id);
        bytes32 root =
            KeccakTree.keccakPath(leaf, witness.index, witness.requests.count, witness.requestPath);
        if (root != witness.requests.root || !_isPlain(witness)) revert IScoreClaims.NotAnItem(id, witness.index);
    }

    /// @dev An item's name does not bind all fields of its record, so the others must be what they are in every item's.
    function _isPlain(ClaimWitness calldata witness) private pure returns (bool) {
        Request memory plain;
        plain.requester = witness.request.requester;
        plain.nonce = witness.index;
        plain.kind = KIND;
        plain.model = witness.requests.model;
        plain.inputsRoot = witness.request.inputsRoot;
        plain.property = witness.request.property;
        return keccak256(abi.encode(plain)) == keccak256(abi.encode(witness.request));
    }

    function _itemLeaves(address source, bytes32 subject, BundleRoot[] calldata items)
        private
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](items.length);
        bytes32 tag = SCORED_TAG;
        assembly ("memory-safe") {
            let record := mload(0x40)
            mstore(record, tag)
            mstore(add(record, 0x20), source)
            mstore(add(record, 0x40), subject)
            for { let i := 0 } lt(i, items.length) { i := add(i, 1) } {
                mstore(add(record, 0x60), i)
                mstore(add(record, 0x80), calldataload(add(items.offset, shl(5, i))))
                mstore(add(add(leaves, 0x20), shl(5, i)), keccak256(record, 0xa0))
            }
        }
    }
}
