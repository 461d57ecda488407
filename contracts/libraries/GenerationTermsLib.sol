// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {GenerationTerms, IGenerations} from "../interfaces/IGenerations.sol";
import {IModelRegistry, Model} from "../interfaces/IModelRegistry.sol";
import {Aggregate, Comparison, IPropertyJudge, Property} from "../interfaces/IPropertyJudge.sol";
import {F32, I32, I64, TensorHeader} from "../types/Roots.sol";
import {currentInstant, Duration, Instant} from "../types/Time.sol";
import {MAX_CALLBACK_GAS, MAX_INLINE_INPUT_BYTES} from "./ConstantsLib.sol";
import {RangeLib} from "./RangeLib.sol";

/// @title What may be asked for in a generation request, and the property that its answer must have
/// @notice A request that could never be answered is refused when it is made.
library GenerationTermsLib {
    Duration private constant MAX_LIFE = Duration.wrap(30 days);
    uint32 private constant SIGN = 0x80000000;
    uint32 private constant F32_LEAST_NORMAL = 0x00800000;

    function requireTerms(
        GenerationTerms calldata terms,
        IModelRegistry registry,
        IPropertyJudge propertyJudge,
        uint96 minFeeWei
    ) internal view {
        if (terms.feeWei < minFeeWei) revert IGenerations.FeeTooLow(terms.feeWei, minFeeWei);
        _requireCallback(terms);
        (, Duration challenge) = registry.admit(terms.scorer, 0);
        _requireDeadline(terms.deadline, challenge);
        Model memory scorer = registry.model(terms.scorer);
        if (!_isScorer(scorer, terms)) revert IGenerations.NotATextScorer(terms.scorer);
        _requirePrompt(scorer, terms);
        uint32 greatest = _halfOf(scorer.outputBand);
        // A negative delta's bits are above those of all finite floats.
        if (terms.delta > greatest) revert IGenerations.DeltaOutOfRange(terms.delta, greatest);
        propertyJudge.requireProperty(marginOf(terms.delta));
    }

    /// @notice The property of a text: no score lies below `-delta`.
    function marginOf(uint32 delta) internal pure returns (Property memory) {
        return Property(Aggregate.Min, Comparison.AtLeast, delta | SIGN, address(0), 0);
    }

    function _requireCallback(GenerationTerms calldata terms) private pure {
        bool called = terms.callback != address(0);
        uint32 gasLimit = called ? MAX_CALLBACK_GAS : 0;
        if (terms.callbackGas > gasLimit || (called && terms.callbackGas == 0)) {
            revert IGenerations.CallbackGasOutOfRange(terms.callbackGas, gasLimit);
        }
    }

    function _requireDeadline(Instant deadline, Duration challenge) private view {
        Instant earliest = currentInstant().afterwards(challenge);
        Instant latest = currentInstant().afterwards(MAX_LIFE);
        if (deadline.isBefore(earliest) || latest.isBefore(deadline)) {
            revert IGenerations.DeadlineOutOfRange(deadline, earliest, latest);
        }
    }

    /// @dev The text is [1, T] of i64 or i32; uniforms, if there are any, and scores are f32 [1, n]; and T > n > 0.
    function _isScorer(Model memory scorer, GenerationTerms calldata terms) private pure returns (bool) {
        if (scorer.inputs.length != (terms.sampled ? 2 : 1)) return false;
        TensorHeader text = scorer.inputs[0].header;
        bool isText = (text.dtype() == I64 || text.dtype() == I32) && _isRow(text) && text.dim(1) > terms.newTokens;
        if (!isText || !_isNumbers(scorer.outputHeader, terms.newTokens)) return false;
        return !terms.sampled || _isNumbers(scorer.inputs[1].header, terms.newTokens);
    }

    function _isNumbers(TensorHeader header, uint256 count) private pure returns (bool) {
        return header.dtype() == F32 && _isRow(header) && header.dim(1) == count;
    }

    function _isRow(TensorHeader header) private pure returns (bool) {
        return header.rank() == 2 && header.dim(0) == 1;
    }

    function _requirePrompt(Model memory scorer, GenerationTerms calldata terms) private pure {
        TensorHeader text = scorer.inputs[0].header;
        if (text.byteLength() > MAX_INLINE_INPUT_BYTES) {
            revert IGenerations.TextTooLong(text.byteLength(), MAX_INLINE_INPUT_BYTES);
        }
        uint256 expected = text.byteLength() - terms.newTokens * text.width();
        if (terms.prompt.length != expected) revert IGenerations.WrongPromptLength(terms.prompt.length, expected);
        RangeLib.requireWithin(scorer.inputs[0], terms.prompt, 0);
    }

    /// @dev Half of a finite f32 that is not negative, rounded down. Halving takes one from the exponent, or where that ends
    /// shifts the fraction, a normal number's leading one with it.
    function _halfOf(uint32 bits) private pure returns (uint32) {
        return bits < 2 * F32_LEAST_NORMAL ? bits >> 1 : bits - F32_LEAST_NORMAL;
    }
}
