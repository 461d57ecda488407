// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {Request, RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {Terms, Windows} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {REQUEST_BATCH_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {REQUEST_TYPEHASH} from "../../../contracts/libraries/IdsLib.sol";
import {ModelId, RequestBatchId, RequestId} from "../../../contracts/types/Ids.sol";
import {Duration} from "../../../contracts/types/Time.sol";
import {SlowTree} from "./SlowTree.sol";

/// @notice The registry's part that claims need; its terms are the test's to choose.
contract ModelsMock {
    uint32 public outputBytes = 40;
    uint64 public minBondGas = 1_000_000;

    function setOutputBytes(uint32 outputBytes_) external {
        outputBytes = outputBytes_;
    }

    function setMinBondGas(uint64 minBondGas_) external {
        minBondGas = minBondGas_;
    }

    function terms(ModelId) external view returns (Terms memory) {
        Duration day = Duration.wrap(1 days);
        return Terms(outputBytes, minBondGas, Windows(Duration.wrap(100), day, day, day, day));
    }
}

/// @notice Orders whatever it is given against fees and tips sent along, and asks nothing.
contract InboxMock is EIP712 {
    IVault private immutable VAULT;
    IClaimChain private immutable CLAIM_CHAIN;
    mapping(RequestBatchId => bool) public isOrdered;

    constructor(IVault vault, IClaimChain claimChain) EIP712("ANH", "1") {
        (VAULT, CLAIM_CHAIN) = (vault, claimChain);
    }

    /// @notice Orders a batch; sets its root and count.
    function order(RequestBatch memory batch, Request[] memory requests)
        external
        payable
        returns (RequestBatch memory)
    {
        bytes32[] memory ids = new bytes32[](requests.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = RequestId.unwrap(requestIdOf(requests[i]));
        }
        batch.count = uint32(ids.length);
        batch.root = SlowTree.root(ids);
        isOrdered[batchIdOf(batch)] = true;
        VAULT.escrow{value: msg.value}();
        return batch;
    }

    function logEmpty(RequestBatchId id, uint256[2] calldata bits) external {
        CLAIM_CHAIN.logEmpty(id, bits);
    }

    function refund(RequestBatch calldata batch, uint32 index, Request calldata request) external {
        CLAIM_CHAIN.retire(batch, index, requestIdOf(request));
        VAULT.pay(request.requester, uint256(batch.feeWei) + batch.tipWei);
    }

    function release(uint256 amountWei) external {
        require(msg.sender == address(CLAIM_CHAIN));
        VAULT.move(msg.sender, amountWei);
    }

    function batchIdOf(RequestBatch memory batch) public view returns (RequestBatchId) {
        return RequestBatchId.wrap(keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, address(this), batch)));
    }

    function requestIdOf(Request memory request) public view returns (RequestId) {
        return RequestId.wrap(_hashTypedDataV4(keccak256(abi.encode(REQUEST_TYPEHASH, request))));
    }
}
