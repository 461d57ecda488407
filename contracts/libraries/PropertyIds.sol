// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RequestBatch} from "../interfaces/IInbox.sol";
import {Generation} from "../interfaces/IGenerations.sol";
import {Training, TrainingId} from "../interfaces/ITrainings.sol";
import {ModelId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {GENERATION_TAG, REQUEST_BATCH_TAG, SCORED_TAG, TRAINING_TAG, WEIGHTS_TAG} from "./ConstantsLib.sol";

/// @title Names of what is asked for, committed and claimed where exact values do not matter (PROTOCOL.md, "Properties")
/// @notice Each binds the chain and the contract that it belongs to, itself or by an id in it.
library PropertyIds {
    /// @dev The lane of what is scored: no request of it was ever ordered.
    uint8 private constant SCORED_LANE = 2;

    /// @notice Id of a training request of the calling contract.
    function idOf(Training memory training) internal view returns (TrainingId) {
        return TrainingId.wrap(keccak256(abi.encode(TRAINING_TAG, block.chainid, address(this), training)));
    }

    /// @notice Id of a generation request of the calling contract.
    function idOf(Generation memory generation) internal view returns (RequestId) {
        return RequestId.wrap(keccak256(abi.encode(GENERATION_TAG, block.chainid, address(this), generation)));
    }

    function commitmentOf(TrainingId id, address executor, BundleRoot weightsRoot, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(WEIGHTS_TAG, id, executor, weightsRoot, salt));
    }

    /// @notice What the scores of commitment `number` are about.
    function subjectOf(TrainingId id, uint32 number, address executor, BundleRoot weightsRoot)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(WEIGHTS_TAG, id, number, executor, weightsRoot));
    }

    /// @notice What the scores of a text are about.
    /// @param attempts claims on the request that fell before this one
    function subjectOf(RequestId id, uint32 attempts, address executor, bytes32 tokensHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(GENERATION_TAG, id, attempts, executor, tokensHash));
    }

    /// @notice Id of an item that the calling contract had scored (`IScoreClaims`).
    function itemIdOf(bytes32 subject, uint256 index, BundleRoot inputsRoot) internal view returns (bytes32) {
        return keccak256(abi.encode(SCORED_TAG, address(this), subject, index, inputsRoot));
    }

    /// @notice Id of the record of a claim's items (`IScoreClaims`).
    /// @param root Keccak tree over item ids
    /// @param model the scorer with the claimed weights
    function itemsIdOf(address scoreClaims, uint32 count, bytes32 root, ModelId model)
        internal
        view
        returns (RequestBatchId)
    {
        RequestBatch memory items;
        (items.lane, items.count, items.root, items.model) = (SCORED_LANE, count, root, model);
        return RequestBatchId.wrap(keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, scoreClaims, items)));
    }
}
