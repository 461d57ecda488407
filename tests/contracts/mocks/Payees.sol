// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IVault} from "../../../contracts/interfaces/IVault.sol";

/// @notice Refuses every wei.
contract RefusingPayee {
    error NoThanks();

    receive() external payable {
        revert NoThanks();
    }
}

/// @notice Withdraws again while it is being paid, and keeps what that call reverted with.
contract ReenteringPayee {
    IVault private immutable VAULT;
    bytes public refusal;

    constructor(IVault vault) {
        VAULT = vault;
    }

    function withdraw(uint256 amountWei) external {
        VAULT.withdraw(address(this), amountWei);
    }

    receive() external payable {
        try VAULT.withdraw(address(this), msg.value) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}

/// @notice Answers a payment with a megabyte.
contract VerbosePayee {
    receive() external payable {
        assembly {
            return(0, 1048576)
        }
    }
}
