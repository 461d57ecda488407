// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {TraceWorld} from "./reference/TraceWorld.sol";
import {RowJudge} from "../../contracts/RowJudge.sol";
import {Case} from "../../contracts/interfaces/IOperatorJudge.sol";
import {Verdict} from "../../contracts/interfaces/IStepJudge.sol";
import {OP_AMAX, OP_EXPSUM, OP_SPREAD, OP_SUM} from "../../contracts/libraries/ConstantsLib.sol";
import {BF16, F16, F32, I32} from "../../contracts/types/Roots.sol";

/// @notice Rows of 1, 2, 3, ... as f32: their sum, deviations and exponentials.
contract RowJudgeTest is Harness, TraceWorld {
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant INF = 0x7f800000;
    uint32 internal constant MINUS_INF = 0xff800000;
    /// @dev Exponent of 16 and what is below 32.
    int32 internal constant TOP = 131;

    RowJudge internal judge = new RowJudge();

    /// @dev A case of one element over `row`, and `second` if it has bytes.
    function shown(uint8 code, bytes memory row, bytes memory second, int64[4] memory extras, uint32 y)
        internal
        returns (Case memory all)
    {
        delete tensors[0];
        add(0, shape(F32, uint32(row.length / 4)), row);
        bytes memory operands = operand(0, 0);
        if (second.length != 0) {
            add(0, shape(F32, 1), second);
            operands = bytes.concat(operands, operand(0, 1));
        }
        uint256 own = code == OP_SUM ? 2 : code == OP_SPREAD ? 4 : code == OP_EXPSUM ? 1 : 0;
        int64[] memory attributes = new int64[](1 + own);
        attributes[0] = int64(uint64(row.length / 4));
        for (uint256 i = 0; i < own; ++i) {
            attributes[1 + i] = extras[i];
        }
        all.record = record(code, 0, shape(F32, 1), operands, attributes);
        all.hint = TOP;
        all.result = abi.encodePacked(y);
        all.operands = new bytes[](second.length == 0 ? 1 : 2);
        all.operands[0] = row;
        if (second.length != 0) all.operands[1] = second;
    }

    function expect(Case memory all, Verdict verdict) internal view {
        assertEq(uint256(judge.judge(all)), uint256(verdict));
    }

    function sum(bytes memory row, int64 divisor, int64 precision, uint32 y) internal returns (Case memory) {
        return shown(OP_SUM, row, "", [divisor, precision, 0, 0], y);
    }

    /// @dev 1 to `count`, of which whole words are added eight at once.
    function counted(uint256 count) internal pure returns (bytes memory row) {
        for (uint256 i = 1; i <= count; ++i) {
            uint256 power = 0;
            while (i >> (power + 1) != 0) ++power;
            row = bytes.concat(row, bytes4(uint32(((127 + power) << 23) | ((i << (23 - power)) & 0x7fffff))));
        }
    }

    function test_judge_unknownAttributes_acquit() public {
        expect(sum(counted(3), 0, 0, 0), Verdict.NoFault);
        expect(sum(counted(3), 1, 2, 0), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(3), "", [int64(0), 0, 0, 0], 0), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(3), "", [int64(1), -1, 0, 0], 0), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(3), "", [int64(1), int64(uint64(INF)), 0, 0], 0), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(3), "", [int64(1), 0, 3, 0], 0), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(3), "", [int64(1), 0, 0, 2], 0), Verdict.NoFault);
        expect(shown(OP_EXPSUM, counted(3), counted(1), [int64(0), 0, 0, 0], 0), Verdict.NoFault);
    }

    function test_judge_notFloating_acquits() public {
        Case memory all = sum(counted(3), 1, 0, 0);
        all.record[4] = bytes1(I32);
        expect(all, Verdict.NoFault);
    }

    function test_judge_wrongHint_acquits() public {
        Case memory all = sum(counted(16), 1, 0, ONE);
        expect(all, Verdict.BeyondSound);
        int32[5] memory wrong = [int32(0), -1, 127, 255, type(int32).max];
        for (uint256 i = 0; i < 5; ++i) {
            all.hint = wrong[i];
            expect(all, Verdict.NoFault);
        }
        all = shown(OP_SPREAD, counted(3), abi.encodePacked(uint32(0x47000000)), [int64(1), 0, 0, 1], 0);
        expect(all, Verdict.NoFault);
        all.hint = 142;
        expect(all, Verdict.BeyondSound);
    }

    /// @dev Sums of 1 to n: within one word, at its end, beyond it; derived, so that a neighbour is a fault.
    function test_sum_everyLength() public {
        uint32[4] memory expected = [uint32(0x41e00000), 0x42100000, 0x42340000, 0x43080000];
        uint8[4] memory counts = [7, 8, 9, 16];
        for (uint256 i = 0; i < 4; ++i) {
            expect(sum(counted(counts[i]), 1, 1, expected[i]), Verdict.NoFault);
            expect(sum(counted(counts[i]), 1, 1, expected[i] + 1), Verdict.BeyondSound);
            expect(sum(counted(counts[i]), 1, 1, expected[i] - 1), Verdict.BeyondSound);
        }
        // A mean of 1 to 16 is 8.5.
        expect(sum(counted(16), 16, 1, 0x41080000), Verdict.NoFault);
        expect(sum(counted(16), 16, 1, 0x41080001), Verdict.BeyondSound);
    }

    function test_sum_boundsOfF32() public {
        // 18 u of 136 are 18 half ulps.
        Case memory all = sum(counted(16), 1, 0, 0x43080000 + 9);
        expect(all, Verdict.NoFault);
        all.factor = 256;
        expect(all, Verdict.BeyondCalibrated);
        all.result = abi.encodePacked(uint32(0x43080000 + 1));
        expect(all, Verdict.NoFault);
        expect(sum(counted(16), 1, 0, 0x43080000 + 11), Verdict.BeyondSound);
    }

    function test_sum_special_amongOrdinary() public {
        bytes memory row = bytes.concat(counted(7), bytes4(uint32(1)), counted(8));
        expect(sum(row, 1, 1, 0x42800000), Verdict.NoFault);
        expect(sum(row, 1, 1, 0x42800001), Verdict.BeyondSound);
        expect(sum(bytes.concat(row, bytes4(MINUS_INF)), 1, 1, 0), Verdict.NoFault);
        expect(sum(bytes.concat(row, bytes4(uint32(0x7fc00000))), 1, 1, 0), Verdict.NoFault);
        expect(sum(row, 1, 1, INF), Verdict.BeyondSound);
    }

    function test_spread_variancesAndNorms() public {
        bytes memory mean = abi.encodePacked(uint32(0x41080000));
        // Σ (i − 8.5)² = 340.
        expect(shown(OP_SPREAD, counted(16), mean, [int64(16), 0, 0, 1], 0x41aa0000), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(16), mean, [int64(16), 0, 0, 1], 0x41aa0001), Verdict.BeyondSound);
        expect(shown(OP_SPREAD, counted(16), mean, [int64(340), 0, 2, 1], ONE), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(16), mean, [int64(340), 0, 2, 1], ONE + 1), Verdict.BeyondSound);
        // Σ i² = 204 for 8: with 21 more the root is 15.
        int64 more = 0x41a80000;
        expect(shown(OP_SPREAD, counted(8), "", [int64(1), more, 1, 1], 0x41700000), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(8), "", [int64(1), more, 1, 1], 0x41700001), Verdict.BeyondSound);
        expect(shown(OP_SPREAD, counted(8), "", [int64(1), more, 1, 0], 0x41700001), Verdict.NoFault);
        expect(shown(OP_SPREAD, counted(8), "", [int64(1), more, 1, 0], 0x41700020), Verdict.BeyondSound);
    }

    function test_spread_negativesAndSubnormals() public {
        bytes memory row = bytes.concat(bytes4(0xbf800000), bytes4(uint32(1)), counted(7), bytes4(uint32(0)));
        // 1 + 140, from nothing.
        expect(shown(OP_SPREAD, row, "", [int64(1), 0, 0, 1], 0x430d0000), Verdict.NoFault);
        expect(shown(OP_SPREAD, row, "", [int64(1), 0, 0, 1], 0x430d0001), Verdict.BeyondSound);
        // From −1: 0 + 1 + 4 + 9 + ... + 64 + 1.
        bytes memory mean = abi.encodePacked(uint32(0xbf800000));
        expect(shown(OP_SPREAD, row, mean, [int64(1), 0, 0, 1], 0x434d0000), Verdict.NoFault);
        expect(shown(OP_SPREAD, row, mean, [int64(1), 0, 0, 1], 0x434d0001), Verdict.BeyondSound);
    }

    function test_spread_overflow_acquitsInF32Only() public {
        Case memory all = shown(OP_SPREAD, abi.encodePacked(uint32(0x60ad78ec)), "", [int64(1), 0, 1, 0], ONE);
        all.hint = 200;
        expect(all, Verdict.NoFault);
        all = shown(OP_SPREAD, abi.encodePacked(uint32(0x60ad78ec)), "", [int64(1), 0, 1, 1], ONE);
        all.hint = 200;
        expect(all, Verdict.BeyondSound);
    }

    function test_expsum() public {
        bytes memory row = abi.encodePacked(uint32(0), MINUS_INF, uint32(0xff7fffff), uint32(0));
        expect(shown(OP_EXPSUM, row, abi.encodePacked(uint32(0)), [int64(1), 0, 0, 0], 0x40000000), Verdict.NoFault);
        expect(shown(OP_EXPSUM, row, abi.encodePacked(uint32(0)), [int64(1), 0, 0, 0], 0x40000001), Verdict.BeyondSound);
        // 2/e is 0.7357589.
        expect(shown(OP_EXPSUM, row, abi.encodePacked(ONE), [int64(1), 0, 0, 0], 0x3f3c5ab2), Verdict.NoFault);
        expect(shown(OP_EXPSUM, row, abi.encodePacked(ONE), [int64(1), 0, 0, 0], 0x3f3c5ab4), Verdict.BeyondSound);
        expect(shown(OP_EXPSUM, row, abi.encodePacked(uint32(0xc1880000)), [int64(1), 0, 0, 0], 0), Verdict.NoFault);
        expect(shown(OP_EXPSUM, row, abi.encodePacked(MINUS_INF), [int64(1), 0, 0, 0], 0), Verdict.NoFault);
        expect(shown(OP_EXPSUM, abi.encodePacked(INF), abi.encodePacked(ONE), [int64(1), 0, 0, 0], 0), Verdict.NoFault);
    }

    /// @dev 1, 2, −0.5, the least subnormal, in each dtype of 16 bits.
    function test_amax_and_sum_ofSixteenBits() public {
        uint8[2] memory dtypes = [F16, BF16];
        bytes[2] memory rows = [bytes(hex"3c004000b8000001"), hex"3f804000bf000001"];
        for (uint256 i = 0; i < 2; ++i) {
            Case memory all = sum(counted(4), 1, 1, 0x40200000);
            all.record[36 + 5] = bytes1(dtypes[i]);
            all.operands[0] = rows[i];
            // The subnormal of f16 is seen in f32: 2^-24 is a quarter of the last place of 2.5.
            expect(all, Verdict.NoFault);
            all.result = abi.encodePacked(uint32(0x40200001));
            expect(all, Verdict.BeyondSound);
            all = shown(OP_AMAX, counted(4), "", [int64(0), 0, 0, 0], 0);
            (all.record[4], all.record[36 + 5]) = (bytes1(dtypes[i]), bytes1(dtypes[i]));
            (all.operands[0], all.result) = (rows[i], hex"4000");
            expect(all, Verdict.NoFault);
            all.result = hex"4001";
            expect(all, Verdict.BeyondSound);
        }
    }

    function test_contract_fitsTheCodeLimit() public view {
        assertLe(address(judge).code.length, 24_576);
    }
}
