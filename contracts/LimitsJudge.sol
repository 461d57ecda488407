// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILimitsJudge, StepPlace} from "./interfaces/ILimitsJudge.sol";
import {Committed, FaultProof, IStepJudge, Verdict} from "./interfaces/IStepJudge.sol";
import {LEAF_BYTES, MAX_OPENED_BYTES} from "./libraries/ConstantsLib.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {Overflow} from "./libraries/Overflow.sol";
import {FROM_RESULT, StepCodec} from "./libraries/StepCodec.sol";
import {Run} from "./libraries/Runs.sol";
import {StepReads} from "./libraries/StepReads.sol";
import {Openings} from "./Openings.sol";
import {GraphRoot} from "./types/Roots.sol";

/// @title Where judging ends
/// @notice Overflows, past which nothing can be judged, and steps that cannot be judged at all. Stateless; asked by
/// StepJudge, and by ModelRegistry.
contract LimitsJudge is ILimitsJudge, Openings {
    /// @inheritdoc ILimitsJudge
    function judge(Committed calldata committed, FaultProof calldata proof) external view returns (Verdict) {
        _requireFactor(committed, proof);
        if (!committed.undefined) {
            return _overflows(committed, proof) ? Verdict.BeyondCalibrated : Verdict.NoFault;
        }
        if (_placeOf(committed) != (uint256(proof.step) << 32 | proof.element)) return Verdict.NoFault;
        return _overflows(committed, proof) ? Verdict.NoFault : Verdict.BeyondSound;
    }

    /// @inheritdoc ILimitsJudge
    function isUnjudgeable(GraphRoot root, bytes32 graphHeader, StepPlace calldata place)
        external
        view
        returns (bool)
    {
        bytes calldata record = place.record;
        uint256 steps = StepCodec.tensorsFrom(graphHeader, FROM_RESULT);
        if (place.step >= steps) revert IStepJudge.StepOutOfRange(place.step, steps);
        GraphRoot shown = MerkleLib.graphPath(record, place.step, steps, graphHeader, place.path);
        if (GraphRoot.unwrap(shown) != GraphRoot.unwrap(root)) revert IStepJudge.StepNotInGraph(place.step);
        if (!StepCodec.isRecord(record)) return true;
        uint256 elements = StepCodec.header(record, 0).elements();
        if (place.element >= elements) revert IStepJudge.ElementOutOfRange(place.element, elements);
        if (!StepCodec.isOrdered(record, place.step, graphHeader)) return true;
        (bool judgeable, Run[] memory runs) = StepReads.readsOf(record, place.element);
        return !judgeable || _openedBytes(record, runs) > MAX_OPENED_BYTES;
    }

    /// @dev Bytes of the leaves in which the runs lie.
    function _openedBytes(bytes calldata record, Run[] memory runs) private pure returns (uint256 size) {
        for (uint256 i = 0; i < runs.length; ++i) {
            uint256 width = StepCodec.header(record, runs[i].slot).width();
            uint256 first = (runs[i].first * width) / LEAF_BYTES;
            uint256 last = ((runs[i].first + runs[i].count) * width - 1) / LEAF_BYTES;
            size += (last + 1 - first) * LEAF_BYTES;
        }
    }

    /// @dev Whether the element is not finite though all that it is made of is. What does not exist or cannot be judged
    /// does not overflow, and nothing is opened for it. All that is opened is checked: who proves is paid by its length.
    function _overflows(Committed calldata committed, FaultProof calldata proof) private view returns (bool overflows) {
        (bool possible, Run[] memory runs) = _readsOfOverflow(committed, proof);
        _requireCount(proof, possible ? runs.length + 1 : 0);
        if (!possible) return false;
        overflows = !_isFinite(committed, proof, Run(0, proof.element, 1, 0), 0);
        for (uint256 i = 0; i < runs.length; ++i) {
            if (!_isFinite(committed, proof, runs[i], i + 1)) overflows = false;
        }
    }

    function _readsOfOverflow(Committed calldata committed, FaultProof calldata proof)
        private
        view
        returns (bool possible, Run[] memory runs)
    {
        bytes calldata record = proof.stepRecord;
        if (proof.step >= StepCodec.tensorsFrom(committed.graphHeader, FROM_RESULT)) {
            if (record.length != 0) revert IStepJudge.BadStepRecord(record.length, 0);
            if (proof.stepPath.length != 0) revert IStepJudge.WrongPathLength(proof.stepPath.length, 0);
            return (false, runs);
        }
        _requireStep(committed, proof.step, record, proof.stepPath);
        possible = Overflow.isPossible(StepCodec.operator(record))
            && proof.element < StepCodec.header(record, 0).elements()
            && StepCodec.isOrdered(record, proof.step, committed.graphHeader);
        if (possible) (possible, runs) = StepReads.readsOf(record, proof.element);
    }

    function _isFinite(Committed calldata committed, FaultProof calldata proof, Run memory run, uint256 number)
        private
        view
        returns (bool)
    {
        uint256 offset = _open(committed, proof, run, number);
        return Overflow.areFinite(StepCodec.header(proof.stepRecord, run.slot).dtype(), offset, run.count);
    }
}
