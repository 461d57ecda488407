// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {TraceWorld} from "./reference/TraceWorld.sol";
import {OP_CAT, OP_GATHER, OP_PAD, OP_PATCHES, OP_STRIDED} from "../../contracts/libraries/ConstantsLib.sol";
import {Movement} from "../../contracts/operators/Movement.sol";
import {BF16, F16, F32, I64} from "../../contracts/types/Roots.sol";

contract MovementCalls {
    function sourceOf(bytes calldata record, uint256 element) external pure returns (bool, uint256, uint256) {
        return Movement.sourceOf(record, element);
    }

    function lookedUp(bytes calldata record, uint256 element, int256 index) external pure returns (bool, uint256) {
        return Movement.lookedUp(record, element, index);
    }

    function isFillFault(bytes calldata record, uint8 dtype, uint256 committed) external pure returns (bool) {
        return Movement.isFillFault(record, dtype, committed);
    }
}

contract MovementTest is Harness, TraceWorld {
    MovementCalls internal calls = new MovementCalls();

    /// @dev `count` numbers from `list` as attributes.
    function attributes(int64[18] memory list, uint256 count) internal pure returns (int64[] memory numbers) {
        numbers = new int64[](count);
        for (uint256 i = 0; i < count; ++i) {
            numbers[i] = list[i];
        }
    }

    function from(bytes memory step, uint256 element, uint256 slot, uint256 index) internal view {
        (bool known, uint256 gotSlot, uint256 gotIndex) = calls.sourceOf(step, element);
        assertTrue(known, "known");
        assertEq(gotSlot, slot);
        if (slot != 0) assertEq(gotIndex, index);
    }

    function refuse(bytes memory step) internal view {
        (bool known,,) = calls.sourceOf(step, 0);
        assertTrue(!known, "contradicts itself");
    }

    function strided(int64[18] memory list, uint32 size) internal view returns (bytes memory) {
        return record(OP_STRIDED, 2, shape(F32, size), operand(0, 0), attributes(list, 5));
    }

    function test_strided() public {
        add(0, shape(F32, 12), "");
        int64[18] memory list;
        // [4, 3] seen as its transpose, from element 0.
        (list[1], list[2], list[3], list[4]) = (3, 4, 1, 3);
        from(strided(list, 12), 5, 1, 4);
        from(strided(list, 12), 11, 1, 11);
        refuse(strided(list, 11));
        list[0] = -1;
        refuse(strided(list, 12));
        (list[0], list[1]) = (0, 0);
        refuse(strided(list, 12));
    }

    function test_cat() public {
        add(0, shape(F32, 8), "");
        add(0, shape(F32, 4), "");
        bytes memory both = bytes.concat(operand(0, 0), operand(0, 1));
        int64[18] memory list;
        // [2, 2, 2] and [2, 1, 2] along the middle axis.
        (list[0], list[1], list[2]) = (2, 2, 1);
        bytes memory step = record(OP_CAT, 0, shape(F32, 12), both, attributes(list, 3));
        uint8[12] memory slots = [1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2];
        uint8[12] memory places = [0, 1, 2, 3, 0, 1, 4, 5, 6, 7, 2, 3];
        for (uint256 i = 0; i < 12; ++i) {
            from(step, i, slots[i], places[i]);
        }
        refuse(record(OP_CAT, 0, shape(F32, 13), both, attributes(list, 3)));
        refuse(record(OP_CAT, 0, shape(F32, 12), both, attributes(list, 2)));
        list[1] = 0;
        refuse(record(OP_CAT, 0, shape(F32, 12), both, attributes(list, 3)));
    }

    /// @dev N, C, H, W, groups, then kernel, stride, padding, dilation, size of the result: two each.
    function patches(int64[18] memory list, uint32 size) internal view returns (bytes memory) {
        return record(OP_PATCHES, 0, shape(F32, size), operand(0, 0), attributes(list, 18));
    }

    function test_patches_contradicting_isUnknown() public {
        add(0, shape(F32, 96), "");
        int64[18] memory list = [int64(0), 2, 4, 4, 3, 2, 2, 2, 1, 1, 0, 0, 1, 1, 3, 2, 1, 1];
        from(patches(list, 192), 0, 1, 0);
        refuse(patches(list, 191));
        list[5] = 3;
        refuse(patches(list, 192));
        (list[5], list[3]) = (2, 5);
        refuse(patches(list, 192));
        (list[3], list[10]) = (4, -1);
        refuse(patches(list, 192));
        (list[10], list[0]) = (0, 1 << 32);
        refuse(patches(list, 192));
        (list[0], list[16]) = (0, 0);
        refuse(patches(list, 192));
    }

    /// @dev Every element of `[2, 2, 6, 8]`, walked in the order of the table in PROTOCOL.md, 3.
    function test_patches_everyElement() public {
        add(0, shape(F32, 96), "");
        int64[18] memory list = [int64(0xff800000), 2, 4, 4, 3, 2, 2, 2, 1, 2, 1, 2, 2, 1, 4, 3, 1, 1];
        bytes memory step = patches(list, 2 * 2 * 12 * 8);
        assertTrue(!calls.isFillFault(step, F32, 0xff800000) && calls.isFillFault(step, F32, 0), "its fill");
        uint256 element = 0;
        for (int256 image = 0; image < 2; ++image) {
            for (int256 group = 0; group < 2; ++group) {
                for (int256 spot = 0; spot < 12; ++spot) {
                    for (int256 part = 0; part < 8; ++part) {
                        int256 channel = group * 2 + part / 4;
                        int256 row = (spot / 3) - 1 + ((part / 2) % 2) * 2;
                        int256 column = (spot % 3) * 2 - 2 + part % 2;
                        bool inside = row >= 0 && row < 4 && column >= 0 && column < 3;
                        int256 index = ((image * 4 + channel) * 4 + row) * 3 + column;
                        from(step, element++, inside ? 1 : 0, inside ? uint256(index) : 0);
                    }
                }
            }
        }
    }

    /// @dev A row of two spread by three under a window of one: elements 0 and 3, fill between and after.
    function test_patches_spreadPicture_hasFillBetween() public {
        add(0, shape(F32, 2), "");
        int64[18] memory list = [int64(7), 1, 1, 1, 2, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 6, 1, 3];
        bytes memory step = patches(list, 6);
        for (uint256 i = 0; i < 6; ++i) {
            from(step, i, i == 1 || i == 4 ? 1 : 0, i / 4);
        }
    }

    function pad(int64[18] memory list, uint32 size) internal view returns (bytes memory) {
        return record(OP_PAD, 2, shape(F32, size), operand(0, 0), attributes(list, 7));
    }

    function test_pad_contradicting_isUnknown() public {
        add(0, shape(F32, 6), "");
        int64[18] memory list;
        (list[1], list[2], list[3], list[4]) = (2, 4, 2, 3);
        from(pad(list, 8), 0, 1, 0);
        refuse(pad(list, 7));
        list[3] = 3;
        refuse(pad(list, 8));
        list[3] = 0;
        refuse(pad(list, 8));
        refuse(record(OP_PAD, 2, shape(F32, 8), operand(0, 0), attributes(list, 6)));
    }

    /// @dev [2, 3] between one column of fill and none, its first row cut off.
    function test_pad_everyElement() public {
        add(0, shape(F32, 6), "");
        int64[18] memory list;
        (list[1], list[2], list[3], list[4], list[5], list[6]) = (2, 4, 2, 3, -1, 1);
        for (uint256 i = 0; i < 8; ++i) {
            bool inside = i == 1 || i == 2 || i == 3;
            from(pad(list, 8), i, inside ? 1 : 0, inside ? i + 2 : 0);
        }
    }

    function test_fill_isOfTheResultsDtype() public {
        add(0, shape(F32, 6), "");
        int64[18] memory list;
        list[0] = 0x3dcccccd;
        assertTrue(!calls.isFillFault(pad(list, 8), F16, 0x2e66), "a tenth in f16");
        assertTrue(calls.isFillFault(pad(list, 8), F16, 0x2e67), "no other");
        list[0] = 0x7fc00000;
        assertTrue(!calls.isFillFault(pad(list, 8), BF16, 0xff81), "two NaNs");
        list[0] = 1 << 32;
        assertTrue(!calls.isFillFault(pad(list, 8), F32, 5), "no float at all");
        list[0] = -1;
        bytes memory integers = record(OP_PAD, 0, shape(I64, 8), operand(0, 0), attributes(list, 1));
        assertTrue(!calls.isFillFault(integers, I64, type(uint64).max), "minus one");
        assertTrue(calls.isFillFault(integers, I64, type(uint32).max), "in all its bits");
    }

    function test_lookedUp() public {
        add(0, shape(I64, 2), "");
        add(0, shape(F32, 15), "");
        int64[18] memory list;
        // Rows of three from a table of five.
        (list[0], list[1], list[2], list[5], list[6], list[7]) = (2, 3, 1, 1, 3, 5);
        bytes memory both = bytes.concat(operand(0, 0), operand(0, 1));
        bytes memory step = record(OP_GATHER, 2, shape(F32, 6), both, attributes(list, 8));
        (bool known, uint256 index) = calls.lookedUp(step, 5, 4);
        assertTrue(known, "the last row");
        assertEq(index, 14);
        (known,) = calls.lookedUp(step, 5, 5);
        assertTrue(!known, "beyond the table");
        (known,) = calls.lookedUp(step, 5, -1);
        assertTrue(!known, "before it");
    }

    function test_fault_isAnyOtherBit_exceptBetweenNaNs() public pure {
        assertTrue(!Movement.isFault(F32, 7, 7) && Movement.isFault(F32, 0, 0x80000000), "bits, not values");
        assertTrue(!Movement.isFault(F32, 0x7fc00000, 0xff800001), "two NaNs");
        assertTrue(Movement.isFault(F32, 0x7fc00000, 0x7f800000), "a NaN and an infinity");
        assertTrue(!Movement.isFault(F16, 0x7e00, 0xfc01) && Movement.isFault(F16, 0x7e00, 0x7c00), "f16");
        assertTrue(!Movement.isFault(BF16, 0x7fc0, 0xff81) && Movement.isFault(BF16, 0x7fc0, 0x7f80), "bf16");
        assertTrue(Movement.isFault(I64, 0x7fc00000, 0x7fc00001), "integers have no NaN");
    }
}
