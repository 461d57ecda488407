// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PropertyJudge} from "../../contracts/PropertyJudge.sol";
import {Aggregate, Comparison, IPropertyJudge, Property} from "../../contracts/interfaces/IPropertyJudge.sol";
import {Harness} from "./Harness.sol";
import {Blunt, Bomb, Endless, Expecting, Frugal, Writer} from "./mocks/Predicates.sol";

/// @notice Contracts that are asked what is right, and what they can do about it: say yes or no.
contract PredicatesTest is Harness {
    uint32 private constant ONE = 0x3f800000;
    uint32 private constant TWO = 0x40000000;
    uint32 private constant GAS = 50_000;
    bytes32 private constant SUBJECT = keccak256("subject");

    PropertyJudge private judge;
    Blunt private blunt;

    function setUp() public {
        judge = new PropertyJudge();
        blunt = new Blunt();
    }

    function test_predicate_tooLittleGasLeft_reverts() public {
        Property memory property = _asking(address(new Frugal(1_000_000)), 1_000_000);
        assertTrue(_holds(property), "with plenty");
        bytes memory call_ = abi.encodeCall(judge.judge, (property, SUBJECT, _scores()));
        (bool success, bytes memory answer) = address(judge).call{gas: 1_050_000}(call_);
        assertTrue(!success && bytes4(answer) == IPropertyJudge.InsufficientGas.selector, "refused, not answered with no");
    }

    /// @dev Whatever gas there is: the predicate gets all that it was promised, or is not asked.
    function testFuzz_predicate_getsExactlyItsGas(uint256 gas_) public {
        Property memory property = _asking(address(new Frugal(200_000)), 200_000);
        bytes memory call_ = abi.encodeCall(judge.judge, (property, SUBJECT, _scores()));
        (bool success, bytes memory answer) = address(judge).call{gas: bound(gas_, 100_000, 400_000)}(call_);
        if (success) assertEq(uint256(bytes32(answer)), 1);
        else assertTrue(bytes4(answer) == IPropertyJudge.InsufficientGas.selector, "refused");
    }

    function test_predicate_isAskedWithSubjectAndScores() public {
        assertTrue(_holds(_asking(address(new Expecting(SUBJECT, _scores())), GAS)), "yes");
        assertTrue(!_holds(_asking(address(new Expecting(0, _scores())), GAS)), "another subject");
        assertTrue(!_holds(_asking(address(new Expecting(SUBJECT, "scores")), GAS)), "other scores");
    }

    function test_predicate_isNotAskedWhereTheThresholdIsMissed() public {
        Property memory property = _asking(address(new Endless()), 1_000_000);
        property.threshold = TWO;
        uint256 left = gasleft();
        assertTrue(!_holds(property), "missed");
        assertLe(left - gasleft(), 100_000);
    }

    function test_predicate_withoutCode_saysNo() public view {
        assertTrue(!_holds(_asking(address(0xDEAD), GAS)), "nobody there");
    }

    function test_predicate_thatFails_saysNo() public {
        assertTrue(!_holds(_asking(address(new Endless()), GAS)), "out of gas");
        assertTrue(!_holds(_asking(address(new Writer()), GAS)), "writes");
        blunt.set(abi.encode(true), true);
        assertTrue(!_holds(_asking(address(blunt), GAS)), "reverts with yes");
    }

    function test_predicate_answersAnythingButTrue_saysNo() public {
        bytes[5] memory answers =
            [bytes(""), hex"01", abi.encode(2), abi.encode(false), bytes(hex"ff00000000000000000000000000000000000000000000000000000000000001")];
        for (uint256 i = 0; i < answers.length; ++i) {
            blunt.set(answers[i], false);
            assertTrue(!_holds(_asking(address(blunt), GAS)), "no");
        }
        // 31 bytes of what would be a yes.
        blunt.set(new bytes(31), false);
        assertTrue(!_holds(_asking(address(blunt), GAS)), "a byte too few");
        blunt.set(abi.encode(true), false);
        assertTrue(_holds(_asking(address(blunt), GAS)), "true is yes");
        blunt.set(abi.encode(true, "and more"), false);
        assertTrue(_holds(_asking(address(blunt), GAS)), "and what follows is not read");
    }

    function test_predicate_returnsALot_costsOnlyItsGas() public {
        Property memory property = _asking(address(new Bomb()), 400_000);
        uint256 left = gasleft();
        assertTrue(_holds(property), "yes");
        // Its memory costs 200,000; a copy of it would cost as much again.
        assertLe(left - gasleft(), 300_000);
    }

    function _asking(address predicate, uint32 gas_) private pure returns (Property memory) {
        return Property(Aggregate.Mean, Comparison.AtLeast, ONE, predicate, gas_);
    }

    function _scores() private pure returns (bytes memory) {
        return abi.encodePacked(ONE, TWO);
    }

    function _holds(Property memory property) private view returns (bool) {
        return judge.judge(property, SUBJECT, _scores()).holds;
    }
}
