// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TrainingBounty} from "../../../contracts/examples/TrainingBounty.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";

/// @notice Contributes all it has; while it is paid it asks for its share again, and keeps what that call reverted with.
contract ReenteringFunder {
    TrainingBounty private immutable BOUNTY;
    IVault private immutable VAULT;
    bytes public refusal;

    constructor(TrainingBounty bounty, IVault vault) {
        (BOUNTY, VAULT) = (bounty, vault);
    }

    function fund() external {
        BOUNTY.fund{value: address(this).balance}();
    }

    function withdraw() external {
        VAULT.withdraw(address(this), VAULT.balanceOf(address(this)));
    }

    receive() external payable {
        try BOUNTY.share(0) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}
