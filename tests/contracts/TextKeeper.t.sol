// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {TextKeeper} from "../../contracts/examples/TextKeeper.sol";
import {Certainty} from "../../contracts/interfaces/IClaimChain.sol";
import {GenerationTerms, IGenerations} from "../../contracts/interfaces/IGenerations.sol";
import {ClaimId, RequestId} from "../../contracts/types/Ids.sol";

/// @dev The test itself plays Generations.
contract TextKeeperTest is Harness {
    address private constant STRANGER = address(0xBAD);
    RequestId private constant ID = RequestId.wrap(bytes32(uint256(7)));
    ClaimId private constant CLAIM = ClaimId.wrap(bytes32(uint256(9)));

    TextKeeper private teller;
    address private callback;
    uint256 private paidWei;

    function setUp() public {
        teller = new TextKeeper(IGenerations(address(this)));
        vm.deal(address(this), 1 ether);
    }

    function request(GenerationTerms calldata terms) external payable returns (RequestId) {
        (callback, paidWei) = (terms.callback, msg.value);
        return ID;
    }

    function test_onResult_byAStranger_reverts() public {
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(TextKeeper.NotGenerations.selector, STRANGER, address(this)));
        teller.onResult(ID, CLAIM, Certainty.Final, 1, "lies");
        assertEq(teller.textOf(ID).length, 0);
    }

    function test_ask_withAnotherCallback_isToldItself() public {
        GenerationTerms memory terms;
        (terms.callback, terms.feeWei) = (STRANGER, 5);
        RequestId id = teller.ask{value: 5}(terms);
        assertEq(RequestId.unwrap(id), RequestId.unwrap(ID));
        assertEq(callback, address(teller));
        assertEq(paidWei, 5);
    }

    function test_onResult_isWrittenDown() public {
        teller.onResult(ID, CLAIM, Certainty.Final, 1, "once upon a time");
        assertEq(teller.textOf(ID), bytes("once upon a time"));
    }
}
