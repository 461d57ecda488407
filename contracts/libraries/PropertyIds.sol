// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Generation} from "../interfaces/IGenerations.sol";
import {Training, TrainingId} from "../interfaces/ITrainings.sol";
import {RequestId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {
    GENERATION_TAG, TEXT_SUBJECT_TAG, TRAINING_TAG, WEIGHTS_SUBJECT_TAG, WEIGHTS_TAG
} from "./ConstantsLib.sol";

/// @title Names of what is asked for, committed and claimed where exact values do not matter (PROTOCOL.md, "Properties")
/// @notice Each binds the chain and the contract that it belongs to, itself or by an id in it.
library PropertyIds {
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
        return keccak256(abi.encode(WEIGHTS_SUBJECT_TAG, id, number, executor, weightsRoot));
    }

    /// @notice What the scores of a text are about.
    /// @param attempts claims on the request that fell before this one
    function subjectOf(RequestId id, uint32 attempts, address executor, bytes32 tokensHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(TEXT_SUBJECT_TAG, id, attempts, executor, tokensHash));
    }
}
