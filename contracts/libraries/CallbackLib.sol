// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, IClaimChain} from "../interfaces/IClaimChain.sol";
import {IConsumer} from "../interfaces/IConsumer.sol";
import {ClaimId, RequestId} from "../types/Ids.sol";

/// @notice What a consumer is told.
struct Message {
    RequestId request;
    ClaimId claim;
    Certainty certainty;
    uint64 sequence;
    bytes output;
}

/// @title A call to a contract that nobody trusts
/// @notice It gets exactly the gas it asked for, and nothing that it returns is read or copied.
library CallbackLib {
    /// @dev Gas for everything between the check and the call, and for recording a failure after it.
    uint256 internal constant RESERVE_GAS = 60_000;

    /// @notice Reverts unless a call with `callbackGas` would get all of it. To be called before the claim is marked.
    /// @dev The EVM keeps back a 64th of what is left (EIP-150) and lowers a larger request silently.
    function requireGas(uint32 callbackGas) internal view {
        uint256 required = uint256(callbackGas) + callbackGas / 63 + 1 + RESERVE_GAS;
        uint256 available = gasleft();
        if (available < required) revert IClaimChain.InsufficientGas(available, required);
    }

    /// @notice Returns whether the call succeeded.
    function send(address consumer, uint32 callbackGas, Message memory message) internal returns (bool success) {
        bytes memory payload = abi.encodeCall(
            IConsumer.onResult, (message.request, message.claim, message.certainty, message.sequence, message.output)
        );
        assembly ("memory-safe") {
            success := call(callbackGas, consumer, 0, add(payload, 32), mload(payload), 0, 0)
        }
    }
}
