// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILimitsJudge} from "./interfaces/ILimitsJudge.sol";
import {Case, IOperatorJudge} from "./interfaces/IOperatorJudge.sol";
import {Committed, FaultKind, FaultProof, IStepJudge, Opening, Verdict} from "./interfaces/IStepJudge.sol";
import {IStepReader} from "./interfaces/IStepReader.sol";
import {CaseLib} from "./libraries/CaseLib.sol";
import {INLINE_OUTPUT_BYTES, LEAF_BYTES, OP_ARGMAX, OP_CONTRACT} from "./libraries/ConstantsLib.sol";
import {LateReads} from "./libraries/LateReads.sol";
import {MerkleLib} from "./libraries/MerkleLib.sol";
import {Family, OperatorsLib} from "./libraries/OperatorsLib.sol";
import {ShaTree} from "./libraries/ShaTree.sol";
import {FROM_RESULT, StepCodec} from "./libraries/StepCodec.sol";
import {Profiles} from "./libraries/Profiles.sol";
import {Run, Runs} from "./libraries/Runs.sol";
import {StepReads} from "./libraries/StepReads.sol";
import {Float} from "./math/Float.sol";
import {Formats} from "./math/Formats.sol";
import {Promise, Real, Sum} from "./math/Real.sol";
import {Contraction, Rows} from "./operators/Contraction.sol";
import {Movement} from "./operators/Movement.sol";
import {Order} from "./operators/Order.sol";
import {Openings} from "./Openings.sol";
import {F32, TensorHeader, TensorRoot} from "./types/Roots.sol";

/// @title One element of one step, in exact arithmetic
/// @notice Shows what a proof opens to be what was committed, then asks the operator's family: contractions of f32, movement
/// and argmax are its own, the others are contracts. Stateless; knows no claims.
/// @dev What is wrong with a proof reverts; what is wrong with a graph, or cannot be decided, is no fault. A further
/// family is an argument of the constructor, a line in `_familyOf`, and its codes in `OperatorsLib`.
contract StepJudge is IStepJudge, Openings {
    IStepReader public immutable STEP_READER;
    ILimitsJudge public immutable LIMITS_JUDGE;
    IOperatorJudge public immutable CONTRACTION_JUDGE;
    IOperatorJudge public immutable POINTWISE_JUDGE;
    IOperatorJudge public immutable TRANSCENDENTAL_JUDGE;
    IOperatorJudge public immutable ROW_JUDGE;

    constructor(
        IStepReader stepReader,
        ILimitsJudge limitsJudge,
        IOperatorJudge contractionJudge,
        IOperatorJudge pointwiseJudge,
        IOperatorJudge transcendentalJudge,
        IOperatorJudge rowJudge
    ) {
        STEP_READER = stepReader;
        LIMITS_JUDGE = limitsJudge;
        CONTRACTION_JUDGE = contractionJudge;
        POINTWISE_JUDGE = pointwiseJudge;
        TRANSCENDENTAL_JUDGE = transcendentalJudge;
        ROW_JUDGE = rowJudge;
    }

    /// @inheritdoc IStepJudge
    function judge(Committed calldata committed, FaultProof calldata proof) external view returns (Verdict) {
        if (proof.kind == FaultKind.Undefined) return _asked(LIMITS_JUDGE);
        _requireStep(committed, proof.step, proof.stepRecord, proof.stepPath);
        uint256 elements = StepCodec.header(proof.stepRecord, 0).elements();
        if (proof.element >= elements) revert ElementOutOfRange(proof.element, elements);
        _requireFactor(committed, proof);
        if (!StepCodec.isOrdered(proof.stepRecord, proof.step, committed.graphHeader)) return Verdict.NoFault;
        return proof.kind == FaultKind.Step ? _judgeStep(committed, proof) : _judgeLink(committed, proof);
    }

    /// @inheritdoc IStepJudge
    function requireLeaf(
        Committed calldata committed,
        uint32 step,
        bytes calldata stepRecord,
        bytes32[] calldata stepPath,
        uint8 slot,
        uint32 leaf,
        Opening calldata opening
    ) external view {
        requireSlot(committed, step, stepRecord, stepPath, slot, leaf);
        if (_isOutput(committed, step)) return _requireClaimed(committed, leaf, opening, 0);
        _requireOpening(_slotOf(committed, step, stepRecord, slot), leaf, leaf, opening, 0);
    }

    /// @inheritdoc IStepJudge
    function requireSlot(
        Committed calldata committed,
        uint32 step,
        bytes calldata stepRecord,
        bytes32[] calldata stepPath,
        uint8 slot,
        uint32 leaf
    ) public view {
        if (!committed.undefined && _isOutput(committed, step)) {
            return _requireOutput(committed, stepRecord, stepPath, slot, leaf);
        }
        // A trace ends where it overflows.
        uint256 known = committed.undefined ? _placeOf(committed) >> 32 : step;
        if (step > known) revert StepOutOfRange(step, known + 1);
        _requireStep(committed, step, stepRecord, stepPath);
        uint256 slots = StepCodec.operands(stepRecord) + 1;
        if (slot >= slots) revert ElementOutOfRange(slot, slots);
        Slot memory named = _slotOf(committed, step, stepRecord, slot);
        if (named.index >= named.size) revert ShaTree.IndexOutOfTree(named.index, named.size);
        uint256 leaves = MerkleLib.leafCount(named.header);
        if (leaf >= leaves) revert ElementOutOfRange(leaf, leaves);
    }

    /// @dev Hands the call on as it came: both judges are asked in the same words, and encoding them anew would take more
    /// code than the answer.
    function _asked(ILimitsJudge limits) private view returns (Verdict verdict) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            calldatacopy(words, 0, calldatasize())
            let heard := staticcall(gas(), limits, words, calldatasize(), 0, 0x20)
            verdict := mload(0)
            if iszero(heard) {
                returndatacopy(words, 0, returndatasize())
                revert(words, returndatasize())
            }
        }
    }

    function _judgeStep(Committed calldata committed, FaultProof calldata proof) private view returns (Verdict) {
        uint8 code = StepCodec.operator(proof.stepRecord);
        if (code == OP_CONTRACT) return _judgeContract(committed, proof);
        (bool judgeable, Run[] memory runs) = STEP_READER.readsOf(proof.stepRecord, proof.element);
        if (!judgeable) return Verdict.NoFault;
        uint256 result = _openFirst(committed, proof, runs);
        if (LateReads.isLate(code)) {
            uint256 y = _bits(result, StepCodec.header(proof.stepRecord, 0).width());
            Run[] memory late;
            (judgeable, late) = _lateReads(proof, y, runs);
            if (!judgeable) return Verdict.NoFault;
            _requireAtLeast(proof, runs.length + late.length + 1);
            _openAll(committed, proof, late, runs.length + 1);
            runs = Runs.joined(runs, late);
        }
        _requireCount(proof, runs.length + 1);
        Family family = OperatorsLib.familyOf(code);
        if (family != Family.Step) return _familyOf(family).judge(_caseOf(committed, proof, result, runs));
        return _isExactFault(proof.stepRecord, result, runs) ? Verdict.BeyondSound : Verdict.NoFault;
    }

    /// @dev Opens the result's element, whose offset it returns, and the first runs.
    function _openFirst(Committed calldata committed, FaultProof calldata proof, Run[] memory runs)
        private
        view
        returns (uint256 result)
    {
        _requireAtLeast(proof, runs.length + 1);
        result = _open(committed, proof, Run(0, proof.element, 1, 0), 0);
        _openAll(committed, proof, runs, 1);
    }

    /// @param y bits of the element that is judged, traced or claimed
    /// @param runs the first ones, opened
    function _lateReads(FaultProof calldata proof, uint256 y, Run[] memory runs)
        private
        view
        returns (bool judgeable, Run[] memory late)
    {
        uint256 opened =
            runs.length == 0 ? 0 : _bits(runs[0].offset, StepCodec.header(proof.stepRecord, runs[0].slot).width());
        return STEP_READER.readsAfter(proof.stepRecord, proof.element, y, opened, proof.hint);
    }

    /// @dev One line a family; codes of no family were refused before.
    function _familyOf(Family family) private view returns (IOperatorJudge) {
        if (family == Family.Row) return ROW_JUDGE;
        return family == Family.Pointwise ? POINTWISE_JUDGE : TRANSCENDENTAL_JUDGE;
    }

    /// @dev What a family is shown: the bytes of the runs, which lie in calldata.
    function _caseOf(Committed calldata committed, FaultProof calldata proof, uint256 result, Run[] memory runs)
        private
        pure
        returns (Case memory shown)
    {
        shown.record = proof.stepRecord;
        (shown.element, shown.factor, shown.hint) = (proof.element, proof.factor, proof.hint);
        shown.numericsHeader = committed.numericsHeader;
        shown.result = _copy(result, StepCodec.header(proof.stepRecord, 0).width());
        shown.operands = new bytes[](runs.length);
        for (uint256 i = 0; i < runs.length; ++i) {
            uint256 width = StepCodec.header(proof.stepRecord, runs[i].slot).width();
            shown.operands[i] = _copy(runs[i].offset, runs[i].count * width);
        }
    }

    /// @dev Reads and judges by itself: the rows are long, so nothing of them is copied.
    function _judgeContract(Committed calldata committed, FaultProof calldata proof) private view returns (Verdict) {
        (bool judgeable, Run[] memory runs) = StepReads.contracted(proof.stepRecord, proof.element);
        if (!judgeable) return Verdict.NoFault;
        uint256 result = _openFirst(committed, proof, runs);
        _requireCount(proof, runs.length + 1);
        if (!_isPlain(committed, proof.stepRecord)) {
            return CONTRACTION_JUDGE.judge(_caseOf(committed, proof, result, runs));
        }
        bool biased = runs.length == 3;
        Rows memory rows =
            Rows(runs[0].offset, runs[1].offset, runs[0].count, biased, biased ? Float.read(runs[2].offset) : 0);
        (bool known, Sum memory sum) = Contraction.sumOf(rows, proof.hint);
        if (!known) return Verdict.NoFault;
        Promise memory promised = Profiles.promiseOf(committed.numericsHeader, proof.stepRecord, sum.terms);
        return Real.judge(sum, promised, Float.read(result), proof.factor);
    }

    /// @dev Whether all is f32, and multiplied as it is.
    function _isPlain(Committed calldata committed, bytes calldata record) private pure returns (bool) {
        for (uint256 slot = 0; slot <= StepCodec.operands(record); ++slot) {
            if (StepCodec.header(record, slot).dtype() != F32) return false;
        }
        return Profiles.profileOf(committed.numericsHeader) != Profiles.TF32;
    }

    /// @dev Operators whose honest results have no rounding of their own to allow for.
    function _isExactFault(bytes calldata record, uint256 result, Run[] memory runs) private pure returns (bool) {
        uint8 code = StepCodec.operator(record);
        if (code == OP_ARGMAX) {
            return runs.length == 0 || Order.isArgmaxFault(_float(record, runs[0]), _float(record, runs[1]));
        }
        TensorHeader header = StepCodec.header(record, 0);
        uint256 y = _bits(result, header.width());
        if (runs.length == 0) return Movement.isFillFault(record, header.dtype(), y);
        return Movement.isFault(header.dtype(), y, _bits(runs[runs.length - 1].offset, header.width()));
    }

    function _judgeLink(Committed calldata committed, FaultProof calldata proof) private view returns (Verdict) {
        // No output is claimed that could differ from the traced one.
        if (committed.undefined) return Verdict.NoFault;
        uint256 steps = StepCodec.tensorsFrom(committed.graphHeader, FROM_RESULT);
        if (proof.step + 1 != steps) revert StepOutOfRange(proof.step, steps);
        TensorHeader header = committed.outputHeader;
        if (!(StepCodec.header(proof.stepRecord, 0) == header)) return Verdict.NoFault;
        uint256 hidden = header.byteLength() <= INLINE_OUTPUT_BYTES ? 0 : 1;
        _requireAtLeast(proof, hidden);
        uint256 claimed = hidden == 0 ? _inlined(committed, proof.element) : _openClaimed(committed, proof);
        (bool judgeable, Run[] memory traced) = _linked(proof, claimed);
        if (!judgeable) return Verdict.NoFault;
        _requireCount(proof, traced.length + hidden);
        _openAll(committed, proof, traced, 0);
        if (StepCodec.operator(proof.stepRecord) == OP_ARGMAX) return _judgeLabel(committed, proof.stepRecord, traced);
        uint256 kept = _bits(traced[0].offset, header.width());
        if (!CaseLib.isFloating(header.dtype())) return claimed == kept ? Verdict.NoFault : Verdict.BeyondSound;
        return _judgeValue(committed, Formats.widen(header.dtype(), claimed), Formats.widen(header.dtype(), kept));
    }

    /// @dev What a claimed element is compared with: the traced one; of a label its logit and the hinted one, or nothing if
    /// it lies outside its row.
    function _linked(FaultProof calldata proof, uint256 claimed)
        private
        view
        returns (bool judgeable, Run[] memory traced)
    {
        if (StepCodec.operator(proof.stepRecord) == OP_ARGMAX) {
            (judgeable, traced) = STEP_READER.readsOf(proof.stepRecord, proof.element);
            return judgeable ? _lateReads(proof, claimed, traced) : (false, traced);
        }
        traced = new Run[](1);
        traced[0] = Run(0, proof.element, 1, 0);
        return (true, traced);
    }

    function _judgeValue(Committed calldata committed, uint32 claimed, uint32 traced) private pure returns (Verdict) {
        if (!Float.isFinite(traced)) return Verdict.NoFault;
        if (!Float.isFinite(claimed)) return Verdict.BeyondSound;
        return _beyondBands(committed, claimed, traced);
    }

    /// @dev A masked logit (−Inf) is below every finite one by more than any band.
    function _judgeLabel(Committed calldata committed, bytes calldata record, Run[] memory logits)
        private
        pure
        returns (Verdict)
    {
        if (logits.length == 0) return Verdict.BeyondSound;
        uint32 own = _float(record, logits[0]);
        uint32 best = _float(record, logits[1]);
        if (!Float.isFinite(best)) return Verdict.NoFault;
        if (own == Float.NEGATIVE_INFINITY) return Verdict.BeyondSound;
        if (!Float.isFinite(own) || Float.order(best) <= Float.order(own)) return Verdict.NoFault;
        return _beyondBands(committed, best, own);
    }

    function _beyondBands(Committed calldata committed, uint32 a, uint32 b) private pure returns (Verdict) {
        if (_differ(a, b, committed.slashBand)) return Verdict.BeyondSound;
        return _differ(a, b, committed.outputBand) ? Verdict.BeyondCalibrated : Verdict.NoFault;
    }

    /// @dev A band that is no finite, non-negative float bounds nothing.
    function _differ(uint32 a, uint32 b, uint32 band) private pure returns (bool) {
        return band < Float.INFINITY && Float.differByMore(a, b, band);
    }

    /// @dev The claimed element, from an output claimed whole.
    function _inlined(Committed calldata committed, uint256 element) private pure returns (uint256) {
        uint256 expected = committed.outputHeader.byteLength();
        bytes calldata output = committed.claimedOutput;
        if (output.length != expected) revert WrongLeafBytes(output.length, expected);
        uint256 width = committed.outputHeader.width();
        return _bits(_offset(output) + element * width, width);
    }

    /// @dev The claimed element, from an output claimed by root: a tensor in no bundle, which is opened last.
    function _openClaimed(Committed calldata committed, FaultProof calldata proof) private view returns (uint256) {
        uint256 width = committed.outputHeader.width();
        uint256 leaf = (proof.element * width) / LEAF_BYTES;
        uint256 last = proof.openings.length - 1;
        _requireClaimed(committed, leaf, proof.openings[last], last);
        return _bits(_offset(proof.openings[last].leaves) + proof.element * width - leaf * LEAF_BYTES, width);
    }

    function _requireClaimed(Committed calldata committed, uint256 leaf, Opening calldata opening, uint256 number)
        private
        view
    {
        if (committed.claimedOutput.length != 32) revert WrongLeafBytes(committed.claimedOutput.length, 32);
        if (opening.bundlePath.length != 0) revert WrongPathLength(opening.bundlePath.length, 0);
        TensorRoot root = MerkleLib.runRoot(committed.outputHeader, leaf, leaf, opening.leaves, opening.siblings);
        if (TensorRoot.unwrap(root) != bytes32(committed.claimedOutput)) revert NotInBundle(number);
    }

    /// @dev Whether a leaf's step names the claimed output: the place after the last step.
    function _isOutput(Committed calldata committed, uint256 step) private pure returns (bool) {
        return step == StepCodec.tensorsFrom(committed.graphHeader, FROM_RESULT);
    }

    /// @dev No record of the graph vouches for a claimed output: its header stands in the model.
    function _requireOutput(
        Committed calldata committed,
        bytes calldata stepRecord,
        bytes32[] calldata stepPath,
        uint256 slot,
        uint256 leaf
    ) private pure {
        uint256 size = committed.outputHeader.byteLength();
        if (size <= INLINE_OUTPUT_BYTES) revert InlineOutput(size, INLINE_OUTPUT_BYTES);
        if (stepRecord.length != 0) revert BadStepRecord(stepRecord.length, 0);
        if (stepPath.length != 0) revert WrongPathLength(stepPath.length, 0);
        if (slot != 0) revert ElementOutOfRange(slot, 1);
        uint256 leaves = MerkleLib.leafCount(committed.outputHeader);
        if (leaf >= leaves) revert ElementOutOfRange(leaf, leaves);
    }

    /// @dev `length` bytes of calldata from `offset` on.
    function _copy(uint256 offset, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        assembly ("memory-safe") {
            calldatacopy(add(data, 0x20), offset, length)
        }
    }

    /// @dev The opened first element of a run of floats, as f32 bits.
    function _float(bytes calldata record, Run memory run) private pure returns (uint32) {
        TensorHeader header = StepCodec.header(record, run.slot);
        return Formats.widen(header.dtype(), _bits(run.offset, header.width()));
    }
}
