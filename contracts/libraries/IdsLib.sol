// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimBatch} from "../interfaces/IClaimChain.sol";
import {IInbox, Request, RequestBatch} from "../interfaces/IInbox.sol";
import {ClaimBatchId, RequestBatchId, RequestId} from "../types/Ids.sol";
import {CLAIM_BATCH_TAG, REQUEST_BATCH_TAG} from "./ConstantsLib.sol";

bytes32 constant REQUEST_TYPEHASH = keccak256(
    "Request(address requester,uint64 nonce,uint8 kind,bytes32 model,bytes32 inputsRoot,bytes32 property,bytes32 parents,uint96 feeWei,uint96 tipWei,uint96 minBondWei,uint40 deadline,address callback,uint32 callbackGas)"
);

/// @title Names of records that come back as calldata (PROTOCOL.md, "Batches and ids")
/// @notice Hashes records as they lie in calldata, where each field is one word. A word that is no value of its field's
/// type is hashed like any other and makes a name that nothing has; whoever reads the field still finds it refused.
/// @dev `abi.encode` gives the same names; it checks and copies each field, which costs more than the hashing.
library IdsLib {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    function idOf(IInbox inbox, RequestBatch calldata batch) internal view returns (RequestBatchId id) {
        bytes32 tag = REQUEST_BATCH_TAG;
        assembly ("memory-safe") {
            let record := mload(0x40)
            mstore(record, tag)
            mstore(add(record, 0x20), chainid())
            mstore(add(record, 0x40), inbox)
            calldatacopy(add(record, 0x60), batch, 0x140)
            id := keccak256(record, 0x1a0)
        }
    }

    /// @notice Id of a claim batch of the calling contract.
    function idOf(ClaimBatch calldata claims) internal view returns (ClaimBatchId id) {
        bytes32 tag = CLAIM_BATCH_TAG;
        assembly ("memory-safe") {
            let record := mload(0x40)
            mstore(record, tag)
            mstore(add(record, 0x20), chainid())
            mstore(add(record, 0x40), address())
            calldatacopy(add(record, 0x60), claims, 0x120)
            id := keccak256(record, 0x180)
        }
    }

    /// @notice The EIP-712 digest of `request` under `inbox`'s domain.
    function idOf(IInbox inbox, Request calldata request) internal view returns (RequestId) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("ANH"), keccak256("1"), block.chainid, inbox));
        bytes32 typehash = REQUEST_TYPEHASH;
        bytes32 content;
        assembly ("memory-safe") {
            let record := mload(0x40)
            mstore(record, typehash)
            calldatacopy(add(record, 0x20), request, 0x1a0)
            content := keccak256(record, 0x1c0)
        }
        return RequestId.wrap(keccak256(abi.encodePacked(hex"1901", domain, content)));
    }
}
