// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ITrainings} from "../../contracts/interfaces/ITrainings.sol";
import {MaskLib} from "../../contracts/libraries/MaskLib.sol";
import {PoolLib} from "../../contracts/libraries/PoolLib.sol";
import {Harness} from "./Harness.sol";
import {Pool, Pools} from "./mocks/Pool.sol";

/// @notice The draw of a pool and the mask of its items, against the plain words of PROTOCOL.md 7.1.
contract PoolLibTest is Harness {
    using Pools for Pool;

    uint256 private constant MOST_SEALED = 2_048;

    /// @dev Strata and their size, in the ranges that a request may have.
    function _shape(uint256 strata, uint256 size) private pure returns (uint32, uint32) {
        strata = bound(strata, 1, 64);
        return (uint32(strata), uint32(bound(size, 2, MOST_SEALED / strata + 1)));
    }

    function sealedIndex(uint32 poolCount, uint32 openCount, uint32 item) external pure returns (uint32) {
        return PoolLib.sealedIndex(0, poolCount, openCount, item);
    }

    function unmasks(bytes32 key, uint256 tensor, uint256 leaf, bytes calldata masked, bytes calldata claimed)
        external
        pure
        returns (bool)
    {
        return MaskLib.unmasks(key, tensor, leaf, masked, claimed);
    }

    function testFuzz_sealedIndex_beyondTheSealedItems_reverts(uint256 strata, uint256 size, uint32 item) external {
        (uint32 open, uint32 each) = _shape(strata, size);
        item = uint32(bound(item, open * (each - 1), type(uint32).max));
        vm.expectRevert(abi.encodeWithSelector(ITrainings.NotAnItem.selector, item));
        this.sealedIndex(open * each, open, item);
    }

    function testFuzz_drawnIndex_isOneOfEachStratum(bytes32 seed, uint256 strata, uint256 size) external pure {
        (uint32 open, uint32 each) = _shape(strata, size);
        for (uint256 s = 0; s < open; ++s) {
            assertEq(PoolLib.drawnIndex(seed, s, each) / each, s);
        }
    }

    /// forge-config: default.fuzz.runs = 64
    /// @dev Drawn and sealed items together are the whole pool, each once, and sealed ones are in the order of the pool.
    function testFuzz_sealedIndex_isABijectionOntoWhatWasNotOpened(bytes32 seed, uint256 strata, uint256 size)
        external
        pure
    {
        (uint32 open, uint32 each) = _shape(strata, size);
        bool[] memory isDrawn = new bool[](open * each);
        for (uint256 s = 0; s < open; ++s) {
            isDrawn[PoolLib.drawnIndex(seed, s, each)] = true;
        }
        uint32 item = 0;
        for (uint32 index = 0; index < open * each; ++index) {
            if (!isDrawn[index]) assertEq(PoolLib.sealedIndex(seed, open * each, open, item++), index);
        }
        assertEq(item, open * (each - 1));
    }

    /// @dev Every item of a stratum is drawn now and then: in 400 draws of four the rarest comes 60 times at least.
    function test_drawnIndex_isEven() external pure {
        uint256[4] memory counts;
        for (uint256 i = 0; i < 400; ++i) {
            ++counts[PoolLib.drawnIndex(keccak256(abi.encode(i)), 3, 4) - 12];
        }
        for (uint256 i = 0; i < 4; ++i) {
            assertLe(60, counts[i]);
        }
    }

    /// forge-config: default.fuzz.runs = 64
    /// @dev The leaf is any that a tensor may have: its blocks go on counting from one leaf to the next.
    function testFuzz_unmasks_whatWasMasked(bytes32 key, uint32 tensor, uint256 length, bytes32 content) external view {
        bytes memory plain = new bytes(bound(length, 1, 1_500));
        for (uint256 i = 0; i < plain.length; ++i) {
            plain[i] = bytes1(uint8(uint256(keccak256(abi.encode(content, i)))));
        }
        Pool memory pool = Pools.make(key, 2, 1);
        bytes memory masked = pool.mask(1, tensor, plain);
        uint256 first = plain.length < 1_024 ? plain.length : 1_024;
        bytes32 itemKey = PoolLib.itemKeyOf(key, 1);
        assertTrue(this.unmasks(itemKey, tensor, 0, _cut(masked, 0, first), _cut(plain, 0, first)), "the first leaf");
        if (plain.length <= 1_024) return;
        bytes memory rest = _cut(plain, 1_024, plain.length);
        assertTrue(this.unmasks(itemKey, tensor, 1, _cut(masked, 1_024, plain.length), rest), "the second leaf");
        assertTrue(!this.unmasks(itemKey, tensor, 2, _cut(masked, 1_024, plain.length), rest), "not as a third leaf");
    }

    function _cut(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = data[from + i];
        }
    }
}
