// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {TraceWorld} from "./reference/TraceWorld.sol";
import {OP_CAT, OP_PATCHES, OP_STRIDED} from "../../contracts/libraries/ConstantsLib.sol";
import {Movement} from "../../contracts/operators/Movement.sol";
import {BF16, F16, F32, I64} from "../../contracts/types/Roots.sol";

contract MovementCalls {
    function sourceOf(bytes calldata record, uint256 element) external pure returns (bool, uint256, uint256) {
        return Movement.sourceOf(record, element);
    }

    function fillOf(bytes calldata record) external pure returns (uint32) {
        return Movement.fillOf(record);
    }
}

contract MovementTest is Harness, TraceWorld {
    MovementCalls internal calls = new MovementCalls();

    /// @dev `count` numbers from `list` as attributes.
    function attributes(int64[16] memory list, uint256 count) internal pure returns (int64[] memory numbers) {
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

    function strided(int64[16] memory list, uint32 size) internal view returns (bytes memory) {
        return record(OP_STRIDED, 2, shape(F32, size), operand(0, 0), attributes(list, 5));
    }

    function test_strided() public {
        add(0, shape(F32, 12), "");
        int64[16] memory list;
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
        int64[16] memory list;
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
    function patches(int64[16] memory list, uint32 size) internal view returns (bytes memory) {
        return record(OP_PATCHES, 0, shape(F32, size), operand(0, 0), attributes(list, 16));
    }

    function test_patches_contradicting_isUnknown() public {
        add(0, shape(F32, 96), "");
        int64[16] memory list = [int64(0), 2, 4, 4, 3, 2, 2, 2, 1, 1, 0, 0, 1, 1, 3, 2];
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
    }

    /// @dev Every element of `[2, 2, 6, 8]`, walked in the order of the table in PROTOCOL.md, 3.
    function test_patches_everyElement() public {
        add(0, shape(F32, 96), "");
        int64[16] memory list = [int64(0xff800000), 2, 4, 4, 3, 2, 2, 2, 1, 2, 1, 2, 2, 1, 4, 3];
        bytes memory step = patches(list, 2 * 2 * 12 * 8);
        assertEq(calls.fillOf(step), 0xff800000);
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

    function test_fault_isAnyOtherBit_exceptBetweenNaNs() public pure {
        assertTrue(!Movement.isFault(F32, 7, 7) && Movement.isFault(F32, 0, 0x80000000), "bits, not values");
        assertTrue(!Movement.isFault(F32, 0x7fc00000, 0xff800001), "two NaNs");
        assertTrue(Movement.isFault(F32, 0x7fc00000, 0x7f800000), "a NaN and an infinity");
        assertTrue(!Movement.isFault(F16, 0x7e00, 0xfc01) && Movement.isFault(F16, 0x7e00, 0x7c00), "f16");
        assertTrue(!Movement.isFault(BF16, 0x7fc0, 0xff81) && Movement.isFault(BF16, 0x7fc0, 0x7f80), "bf16");
        assertTrue(Movement.isFault(I64, 0x7fc00000, 0x7fc00001), "integers have no NaN");
    }
}
