// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Book} from "./mocks/Book.sol";
import {LimitsJudge} from "../../contracts/LimitsJudge.sol";
import {StepPlace} from "../../contracts/interfaces/ILimitsJudge.sol";
import {MeaningLib} from "../../contracts/libraries/MeaningLib.sol";

/// @notice What has a meaning, and where nothing can be judged, as the Python twin says (tests/parity/meanings.py).
contract ParityStrikesTest is Harness, Book {
    uint256 private constant DTYPES = 7;
    uint256 private constant FIRST_DTYPE = 4;
    uint256 private constant FIRST_OPERAND = 41;
    uint256 private constant OPERAND_BYTES = 37;

    error OtherMeaning(bytes record, bool received);
    error OtherStrike(uint256 number, bool received);
    error NotRefused(uint256 number);

    LimitsJudge private _limits = new LimitsJudge();

    function hasMeaning(bytes calldata record) external pure returns (bool) {
        return MeaningLib.hasMeaning(record);
    }

    /// @dev Every choice of seven dtypes for every slot, the last slot's fastest.
    function test_hasMeaning_everyOperatorOnEveryDtypes_isThatOfTheTwin() public view {
        string memory json = vm.readFile("tests/parity/vectors/dtypes.json");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory masks = vm.parseJsonBytesArray(json, ".masks");
        assertTrue(records.length == masks.length && records.length > 50, "all operators");
        for (uint256 i = 0; i < records.length; ++i) {
            uint256 choices = DTYPES ** (uint8(records[i][2]) + 1);
            for (uint256 choice = 0; choice < choices; ++choice) {
                _choose(records[i], choice);
                bool expected = uint8(masks[i][choice / 8]) >> (7 - choice % 8) & 1 == 1;
                if (this.hasMeaning(records[i]) != expected) revert OtherMeaning(records[i], !expected);
            }
        }
    }

    function test_isUnjudgeable_everyRecord_isThatOfTheTwin() public view {
        string memory json = vm.readFile("tests/parity/vectors/strikes.json");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        uint256[] memory elements = vm.parseJsonUintArray(json, ".elements");
        uint256[] memory strikes = vm.parseJsonUintArray(json, ".strikes");
        uint256[] memory reverts = vm.parseJsonUintArray(json, ".reverts");
        assertTrue(records.length > 400, "enough records");
        for (uint256 i = 0; i < records.length; ++i) {
            _compare(i, StepPlace(0, uint32(elements[i]), records[i], new bytes32[](0)), strikes[i] == 1, reverts[i] == 1);
        }
    }

    function _compare(uint256 number, StepPlace memory place, bool isStruck, bool isRefused) private view {
        bytes32 header = graphHeader(3, 0, 1);
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = stepLeaf(place.record);
        try _limits.isUnjudgeable(graph(header, leaves), header, place) returns (bool unjudgeable) {
            if (isRefused) revert NotRefused(number);
            if (unjudgeable != isStruck) revert OtherStrike(number, unjudgeable);
        } catch {
            if (!isRefused) revert OtherStrike(number, false);
        }
    }

    function _choose(bytes memory record, uint256 choice) private pure {
        for (uint256 slot = uint8(record[2]) + 1; slot != 0; --slot) {
            uint256 place = slot == 1 ? FIRST_DTYPE : FIRST_OPERAND + OPERAND_BYTES * (slot - 2);
            record[place] = bytes1(uint8(1 + choice % DTYPES));
            choice /= DTYPES;
        }
    }
}
