// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {ContractionJudge} from "../../contracts/ContractionJudge.sol";
import {Case} from "../../contracts/interfaces/IOperatorJudge.sol";
import {Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {OP_CONTRACT} from "../../contracts/libraries/ConstantsLib.sol";
import {Profiles} from "../../contracts/libraries/Profiles.sol";
import {Float} from "../../contracts/math/Float.sol";
import {Formats} from "../../contracts/math/Formats.sol";
import {Widening} from "../../contracts/operators/Widening.sol";
import {BF16, F16, F32, I32} from "../../contracts/types/Roots.sol";

/// @dev The library, behind calldata.
contract WideningCalls {
    function wide(bytes calldata row, uint8 dtype, bytes32 header) external pure returns (bytes memory) {
        return Widening.wide(row, dtype, header);
    }
}

contract ContractionJudgeTest is Harness {
    event log_named_uint(string name, uint256 value);

    uint32 internal constant ONE = 0x3f800000;
    bytes32 internal constant PLAIN = bytes32(bytes1(0x01));
    bytes32 internal constant CORES = bytes32(bytes1(0x03));

    WideningCalls internal calls = new WideningCalls();
    ContractionJudge internal judge = new ContractionJudge();

    function tf32(uint8 rounding) internal pure returns (bytes32) {
        return bytes32(abi.encodePacked(uint8(2), uint8(rounding << 1)));
    }

    function test_judge_fitsTheCodeLimit() public view {
        assertLe(address(judge).code.length, 24_576);
    }

    /// @dev Lanes against the library of formats, one element at a time; often special ones, in rows of any length.
    function testFuzz_wide_sixteenBits(uint256 seed, uint256 count, bool brain) public view {
        uint8 dtype = brain ? BF16 : F16;
        count = 1 + count % 70;
        bytes memory row;
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            row = bytes.concat(row, bytes2(seed % 3 == 0 ? uint16(word) : uint16(word) & 0x83ff | 0x3000));
        }
        bytes memory floats = calls.wide(row, dtype, PLAIN);
        assertEq(floats.length, 4 * count);
        for (uint256 i = 0; i < count; ++i) {
            assertEq(
                wordAt(floats, 4 * i), Formats.widen(dtype, uint16(bytes2(row[2 * i]) | bytes2(row[2 * i + 1]) >> 8))
            );
        }
    }

    function testFuzz_wide_cut(uint256 seed, uint256 count, uint8 rounding) public view {
        (count, rounding) = (1 + count % 35, rounding % 3);
        bytes memory row;
        for (uint256 i = 0; i < count; ++i) {
            uint32 word = uint32(uint256(keccak256(abi.encode(seed, i))));
            if (seed % 3 != 0) word = word & 0xbfffffff | 0x20000000;
            if (word % 5 == 0) word = word & ~uint32(0x1fff) | 0x1000;
            row = bytes.concat(row, bytes4(word));
        }
        bytes memory floats = calls.wide(row, F32, tf32(rounding));
        assertEq(floats.length, row.length);
        for (uint256 i = 0; i < count; ++i) {
            assertEq(wordAt(floats, 4 * i), Widening.cut(wordAt(row, 4 * i), rounding));
        }
    }

    function test_cut() public pure {
        uint32[3] memory words = [uint32(0x3f801000), 0x3f803000, 0x3f800fff];
        uint32[3] memory even = [ONE, 0x3f804000, ONE];
        uint32[3] memory away = [uint32(0x3f802000), 0x3f804000, ONE];
        uint32[3] memory zero = [ONE, uint32(0x3f802000), ONE];
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(Widening.cut(words[i], Profiles.NEAREST_EVEN), even[i]);
            assertEq(Widening.cut(words[i], Profiles.NEAREST_AWAY), away[i]);
            assertEq(Widening.cut(words[i], Profiles.TOWARD_ZERO), zero[i]);
        }
        assertEq(Widening.cut(0x7f7fffff, Profiles.NEAREST_AWAY), Float.INFINITY);
        assertEq(Widening.cut(0x007fffff, Profiles.NEAREST_AWAY), 0x007fffff);
        assertEq(Widening.cut(0xffffffff, Profiles.NEAREST_AWAY), 0xffffffff);
    }

    /// @dev 1.5 · 2 is 3 in every pair of dtypes, and its neighbour at 2.98 is wrong.
    function test_judge_everyPairOfDtypes() public view {
        uint8[3] memory dtypes = [F32, F16, BF16];
        bytes[3] memory left = [bytes(hex"3fc00000"), hex"3e00", hex"3fc0"];
        bytes[3] memory right = [bytes(hex"40000000"), hex"4000", hex"4000"];
        for (uint256 i = 0; i < 9; ++i) {
            Case memory shown = caseOf(dtypes[i / 3], left[i / 3], dtypes[i % 3], right[i % 3], 1);
            shown.hint = 255;
            shown.result = hex"40400000";
            assertEq(uint256(judge.judge(shown)), uint256(Verdict.NoFault));
            shown.result = hex"403f0000";
            assertEq(uint256(judge.judge(shown)), uint256(Verdict.BeyondSound));
            shown.hint = 253;
            assertEq(uint256(judge.judge(shown)), uint256(Verdict.NoFault));
        }
    }

    function test_judge_dtypesThatAreNoFloats_acquit() public view {
        Case memory shown = caseOf(F32, hex"3fc00000", I32, hex"00000002", 1);
        (shown.hint, shown.result) = (255, hex"42c80000");
        assertEq(uint256(judge.judge(shown)), uint256(Verdict.NoFault));
    }

    /// @dev The widest contraction that a graph may have, in each of its kinds and with all lanes special, stays below what
    /// a transaction may use.
    function test_gas_ofTheWidestRows() public {
        uint256 k = 13_568;
        assertLe(logged("gas_tf32_13568", F32, filled(4 * k, 0x3e, 0x11), tf32(0), k), 6_000_000);
        assertLe(logged("gas_f16_13568", F16, filled(2 * k, 0x3e, 0x11), CORES, k), 4_000_000);
        assertLe(logged("gas_bf16_13568", BF16, filled(2 * k, 0x3e, 0x11), CORES, k), 4_000_000);
        assertLe(logged("gas_f16_subnormal_13568", F16, filled(2 * k, 0x01, 0x11), CORES, k), 7_000_000);
        assertLe(logged("gas_tf32_subnormal_13568", F32, filled(4 * k, 0x00, 0x11), tf32(0), k), 14_000_000);
    }

    function logged(string memory name, uint8 dtype, bytes memory row, bytes32 header, uint256 k)
        internal
        returns (uint256 gasUsed)
    {
        Case memory shown = caseOf(dtype, row, dtype, row, k);
        (shown.hint, shown.result, shown.numericsHeader) = (300, hex"7f7fffff", header);
        uint256 before = gasleft();
        Verdict verdict = judge.judge(shown);
        gasUsed = before - gasleft();
        assertEq(uint256(verdict), uint256(Verdict.BeyondSound));
        emit log_named_uint(name, gasUsed);
    }

    /// @dev A contraction of one element, whose result is an f32.
    function caseOf(uint8 a, bytes memory rowA, uint8 b, bytes memory rowB, uint256 k)
        internal
        pure
        returns (Case memory shown)
    {
        bytes memory operands = abi.encodePacked(uint8(0), uint32(0), vector(a, k), uint8(0), uint32(1), vector(b, k));
        shown.record = abi.encodePacked(OP_CONTRACT, uint8(0), uint8(2), uint8(1), vector(F32, 1), operands, uint64(k));
        shown.numericsHeader = PLAIN;
        shown.operands = new bytes[](2);
        (shown.operands[0], shown.operands[1]) = (rowA, rowB);
    }

    function vector(uint8 dtype, uint256 count) internal pure returns (bytes32) {
        return bytes32((uint256(dtype) << 248) | (uint256(1) << 240) | (count << 192));
    }

    function filled(uint256 length, uint8 even, uint8 odd) internal pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; i += 2) {
            (data[i], data[i + 1]) = (bytes1(even), bytes1(odd));
        }
    }

    function wordAt(bytes memory data, uint256 offset) internal pure returns (uint32 word) {
        assembly ("memory-safe") {
            word := shr(224, mload(add(add(data, 0x20), offset)))
        }
    }
}
