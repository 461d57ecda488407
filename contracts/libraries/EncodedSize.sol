// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../interfaces/IClaimChain.sol";
import {FaultProof, Opening} from "../interfaces/IStepJudge.sol";

/// @title How many bytes of calldata a call needs
/// @notice The length of `abi.encodeCall` for calls that carry a witness, and a proof. All members of variable size are
/// checked against a commitment before anything is paid by this, so nobody can stretch them.
library EncodedSize {
    /// @dev The selector and one offset.
    uint256 private constant CALL_BYTES = 36;
    uint256 private constant WORD = 32;
    /// @dev Request batch 10, claim batch 9, index 1, request 13; entry, its path and the request's: offset and length.
    uint256 private constant WITNESS_BYTES = 39 * WORD;
    /// @dev Kind, step, element, hint, factor; record, its path, openings and numerics path: offset and length.
    uint256 private constant PROOF_BYTES = 13 * WORD;
    /// @dev The offset of the opening; leaves, siblings and bundle path: offset and length.
    uint256 private constant OPENING_BYTES = 7 * WORD;

    function ofCall(ClaimWitness calldata witness) internal pure returns (uint256 size) {
        size = CALL_BYTES + WITNESS_BYTES + _padded(witness.entry.length);
        return size + WORD * (witness.entryPath.length + witness.requestPath.length);
    }

    function ofCall(ClaimWitness calldata witness, FaultProof calldata proof) internal pure returns (uint256 size) {
        size = ofCall(witness) + WORD + PROOF_BYTES + _padded(proof.stepRecord.length);
        size += WORD * (proof.stepPath.length + proof.numericsPath.length);
        for (uint256 i = 0; i < proof.openings.length; ++i) {
            Opening calldata opening = proof.openings[i];
            size += OPENING_BYTES + _padded(opening.leaves.length);
            size += WORD * (opening.siblings.length + opening.bundlePath.length);
        }
    }

    function _padded(uint256 length) private pure returns (uint256) {
        return (length + WORD - 1) / WORD * WORD;
    }
}
