// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {RequestBatchId, RequestId} from "../../../contracts/types/Ids.sol";
import {currentInstant} from "../../../contracts/types/Time.sol";

/// @notice The two calls that Inbox makes, answered as ClaimChain does: a bit is set once, and not before the deadline.
contract ClaimChainMock {
    mapping(RequestBatchId => uint256[2]) public emptyBits;
    mapping(RequestId => bool) public retired;

    function logEmpty(RequestBatchId requests, uint256[2] calldata bits) external {
        emptyBits[requests] = bits;
    }

    function retire(RequestBatch calldata batch, uint32 index, RequestId request) external {
        if (currentInstant().isBefore(batch.deadline)) revert IClaimChain.NotYetRefundable(batch.deadline);
        if (retired[request]) revert IClaimChain.ClaimIsLive(RequestBatchId.wrap(0), index);
        retired[request] = true;
    }
}
