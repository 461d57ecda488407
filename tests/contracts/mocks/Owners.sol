// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Storyteller} from "../../../contracts/examples/Storyteller.sol";

/// @notice Owns story 0; while it is paid it gives the same story up again, and keeps what that call reverted with.
contract ReenteringOwner {
    Storyteller private immutable TELLER;
    bytes public refusal;

    constructor(Storyteller teller) {
        TELLER = teller;
    }

    function mint(uint256 feeWei) external {
        TELLER.mint{value: feeWei}("");
    }

    function giveUp() external {
        TELLER.giveUp(0, address(this));
    }

    receive() external payable {
        try TELLER.giveUp(0, address(this)) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}
