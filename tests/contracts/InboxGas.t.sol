// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./mocks/InboxFixture.sol";
import {IInbox} from "../../contracts/interfaces/IInbox.sol";

/// @notice Gas of a whole transaction that asks with 32 bytes of inline inputs, with every account and slot cold.
contract InboxGasTest is InboxFixture {
    uint256 private constant BUDGET = 130_000;
    /// @dev A transaction's start, and EIP-2028's price of its bytes; EIP-7623's floor does not bind here.
    uint256 private constant START_GAS = 21_000;
    /// @dev What a call pays and a transaction does not: a cold account, and the transfer of wei less its stipend.
    uint256 private constant CALL_GAS = 2_600 + 9_000 - 2_300;

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    /// @dev Bob has asked before, so the lane has a length; each test is a transaction of its own.
    function setUp() public override {
        super.setUp();
        vm.prank(bob);
        inbox.request{value: FEE + TIP}(_wish());
    }

    function test_request_byANewcomer_isWithinBudget() public {
        uint256 used = _requestGas(alice);
        emit log_named_uint("request of 32 bytes, requester's first, gas", used);
        assertLe(used, BUDGET);
    }

    function test_request_byAKnownRequester_isWithinBudget() public {
        uint256 used = _requestGas(bob);
        emit log_named_uint("request of 32 bytes, gas", used);
        assertLe(used, BUDGET - 17_000);
    }

    function _requestGas(address requester) private returns (uint256 used) {
        bytes memory data = abi.encodeCall(IInbox.request, (_wish()));
        used = START_GAS;
        for (uint256 i = 0; i < data.length; ++i) {
            used += data[i] == 0 ? 4 : 16;
        }
        vm.prank(requester);
        uint256 before = gasleft();
        (bool success,) = address(inbox).call{value: FEE + TIP}(data);
        used += before - gasleft() - CALL_GAS;
        assertTrue(success, "the request is taken");
    }
}
