// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {ShaPath} from "../../../contracts/libraries/ShaPath.sol";
import {Promise, Real, Sum} from "../../../contracts/math/Real.sol";
import {Contraction, Rows} from "../../../contracts/operators/Contraction.sol";
import {F32} from "../../../contracts/types/Roots.sol";

/// @dev What is measured, behind calldata.
contract Measured {
    function contraction(bytes calldata a, bytes calldata b, uint32 y, int256 hint)
        external
        view
        returns (uint256 gasUsed, uint256 gasVerdict, bool fault)
    {
        Rows memory rows = Rows(0, 0, a.length / 4, false, 0);
        assembly ("memory-safe") {
            mstore(rows, a.offset)
            mstore(add(rows, 0x20), b.offset)
        }
        uint256 before = gasleft();
        (bool known, Sum memory sum) = Contraction.sumOf(rows, hint);
        gasUsed = before - gasleft();
        before = gasleft();
        fault = known && Real.isFault(sum, Promise(F32, sum.terms, 24), y, Real.SOUND);
        gasVerdict = before - gasleft();
    }

    function path(bytes32 node, uint256 index, uint256 size, bytes32[] calldata siblings)
        external
        view
        returns (uint256 gasUsed)
    {
        uint256 before = gasleft();
        ShaPath.pathTop(node, index, size, siblings);
        gasUsed = before - gasleft();
    }
}

/// @notice Gas of the judge's inner parts, logged for `python -m bench judge`.
contract JudgeBench is Harness {
    event log_named_uint(string key, uint256 val);

    /// @dev `count` floats of either sign with magnitudes from 2^-8 to 1; every `zeroEvery`-th one is zero.
    function row(uint256 seed, uint256 count, uint256 zeroEvery) internal pure returns (bytes memory floats) {
        floats = new bytes(4 * count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 noise = uint256(keccak256(abi.encode(seed, i)));
            uint256 bits = ((noise & 1) << 31) | ((119 + ((noise >> 8) & 7)) << 23) | ((noise >> 16) & 0x7fffff);
            if (zeroEvery != 0 && i % zeroEvery == 0) bits = 0;
            for (uint256 j = 0; j < 4; ++j) {
                floats[4 * i + j] = bytes1(uint8(bits >> (24 - 8 * j)));
            }
        }
    }

    function measure(Measured measured, uint256 count, uint256 zeroEvery) internal returns (uint256) {
        (uint256 gasUsed, uint256 gasVerdict, bool fault) =
            measured.contraction(row(1, count, zeroEvery), row(2, count, 0), 0x49742400, 253);
        assertTrue(fault, "a million is far from any sum of these");
        emit log_named_uint("verdict", gasVerdict);
        return gasUsed;
    }

    function test_contraction() public {
        Measured measured = new Measured();
        for (uint256 count = 64; count <= 4096; count *= 2) {
            emit log_named_uint(string.concat("dense ", vm.toString(count)), measure(measured, count, 0));
            emit log_named_uint(string.concat("half_zero ", vm.toString(count)), measure(measured, count, 2));
        }
    }

    function test_path() public {
        Measured measured = new Measured();
        emit log_named_uint("merkle 20", measured.path(bytes32(uint256(1)), 0x5a5a5, 1 << 20, new bytes32[](20)));
    }
}
