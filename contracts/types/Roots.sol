// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// Commitments to content (PROTOCOL.md, "Commitments"). They name only what is in them; whatever is said about
// them (a claim, an opening) is stored under an id that binds chain, contract and claim.

/// @notice dtype:u8 | rank:u8 | zero:u16 | dims:7 x u32, unused dims zero. Part of the tensor's root.
type TensorHeader is bytes32;

/// @notice sha256(TENSOR_TAG | header | top of the positional tree over 1 KiB leaves).
type TensorRoot is bytes32;

/// @notice sha256(BUNDLE_TAG | count | top of the positional tree over tensor roots): inputs, weights, a trace.
type BundleRoot is bytes32;

/// @notice sha256(GRAPH_TAG | graph header | top of the positional tree over step records).
type GraphRoot is bytes32;

/// @notice sha256(NUMERICS_TAG | numerics header | top of the positional tree over one word per step).
type NumericsRoot is bytes32;

uint8 constant F32 = 1;
uint8 constant F16 = 2;
uint8 constant BF16 = 3;
uint8 constant I64 = 4;
uint8 constant I32 = 5;
uint8 constant U8 = 6;
uint8 constant BOOL = 7;

using {dtype, rank, dim, elements, width, byteLength, sameHeader as ==} for TensorHeader global;
using {sameTensor as ==} for TensorRoot global;
using {sameBundle as ==} for BundleRoot global;
using {isZeroBundle} for BundleRoot global;

function dtype(TensorHeader header) pure returns (uint8) {
    return uint8(TensorHeader.unwrap(header)[0]);
}

function rank(TensorHeader header) pure returns (uint256) {
    return uint8(TensorHeader.unwrap(header)[1]);
}

/// @notice Size of axis `axis`; zero beyond the rank.
function dim(TensorHeader header, uint256 axis) pure returns (uint256) {
    return uint32(uint256(TensorHeader.unwrap(header)) >> (192 - 32 * axis));
}

/// @notice Product of the dims: 1 for a scalar. A header is checked (`MerkleLib.requireHeader`) before this is used.
/// @dev Seven dims of 32 bits fit a word, and an axis beyond them shifts everything out.
function elements(TensorHeader header) pure returns (uint256 count) {
    uint256 word = uint256(TensorHeader.unwrap(header));
    uint256 axes = rank(header);
    count = 1;
    unchecked {
        for (uint256 axis = 0; axis < axes; ++axis) {
            count *= uint32(word >> (192 - 32 * axis));
        }
    }
}

/// @notice Bytes of one element; zero for an unknown dtype.
function width(TensorHeader header) pure returns (uint256) {
    uint8 code = dtype(header);
    if (code == F32 || code == I32) return 4;
    if (code == I64) return 8;
    if (code == F16 || code == BF16) return 2;
    if (code == U8 || code == BOOL) return 1;
    return 0;
}

function byteLength(TensorHeader header) pure returns (uint256) {
    return elements(header) * width(header);
}

function sameHeader(TensorHeader a, TensorHeader b) pure returns (bool) {
    return TensorHeader.unwrap(a) == TensorHeader.unwrap(b);
}

function sameTensor(TensorRoot a, TensorRoot b) pure returns (bool) {
    return TensorRoot.unwrap(a) == TensorRoot.unwrap(b);
}

function sameBundle(BundleRoot a, BundleRoot b) pure returns (bool) {
    return BundleRoot.unwrap(a) == BundleRoot.unwrap(b);
}

function isZeroBundle(BundleRoot root) pure returns (bool) {
    return BundleRoot.unwrap(root) == 0;
}
