// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "./IClaimChain.sol";
import {ClaimId, RequestId} from "../types/Ids.sol";

/// @title A contract that asked
/// @notice Implementations must check that the caller is ClaimChain, and drop a sequence number not above the last
/// one they heard for the request.
interface IConsumer {
    /// @notice Told when a claim on the request becomes `Final`, or `Undefined`: nothing follows, and there is no output,
    /// since an honest run overflows; and when one is `Refuted` (a new claim may follow).
    /// @param sequence rises with every claim on the request that ends
    /// @param output canonical bytes of the output (up to 64 bytes), or its 32-byte tensor root; empty when refuted or
    /// undefined
    function onResult(RequestId request, ClaimId claim, Certainty certainty, uint64 sequence, bytes calldata output)
        external;
}
