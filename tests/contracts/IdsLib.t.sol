// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {ClaimBatch} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox, Request, RequestBatch} from "../../contracts/interfaces/IInbox.sol";
import {CLAIM_BATCH_TAG, REQUEST_BATCH_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {IdsLib} from "../../contracts/libraries/IdsLib.sol";
import {ClaimBatchId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {Harness} from "./Harness.sol";

/// @notice Names as `abi.encode` and OpenZeppelin's EIP-712 give them, beside the fast ones.
contract Names is EIP712("ANH", "1") {
    bytes32 private constant TYPEHASH = keccak256(
        "Request(address requester,uint64 nonce,uint8 kind,bytes32 model,bytes32 inputsRoot,bytes32 property,bytes32 parents,uint96 feeWei,uint96 tipWei,uint96 minBondWei,uint40 deadline,address callback,uint32 callbackGas)"
    );

    function fastBatch(RequestBatch calldata batch) external view returns (bytes32) {
        return RequestBatchId.unwrap(IdsLib.idOf(IInbox(address(this)), batch));
    }

    function slowBatch(RequestBatch calldata batch) external view returns (bytes32) {
        return keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, address(this), batch));
    }

    function fastClaims(ClaimBatch calldata claims) external view returns (bytes32) {
        return ClaimBatchId.unwrap(IdsLib.idOf(claims));
    }

    function slowClaims(ClaimBatch calldata claims) external view returns (bytes32) {
        return keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, address(this), claims));
    }

    function fastRequest(Request calldata request) external view returns (bytes32) {
        return RequestId.unwrap(IdsLib.idOf(IInbox(address(this)), request));
    }

    function slowRequest(Request calldata request) external view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TYPEHASH, request)));
    }
}

contract IdsLibTest is Harness {
    Names private names;

    function setUp() external {
        names = new Names();
    }

    function test_requestBatch_isNamedAsEncoded(RequestBatch calldata batch, uint32 chain) external {
        vm.chainId(uint256(chain) + 1);
        assertEq(names.fastBatch(batch), names.slowBatch(batch));
    }

    function test_claimBatch_isNamedAsEncoded(ClaimBatch calldata claims, uint32 chain) external {
        vm.chainId(uint256(chain) + 1);
        assertEq(names.fastClaims(claims), names.slowClaims(claims));
    }

    function test_request_isNamedByItsDigest(Request calldata request, uint32 chain) external {
        vm.chainId(uint256(chain) + 1);
        assertEq(names.fastRequest(request), names.slowRequest(request));
    }

    function test_requestBatch_withDirtyWord_hasAnotherName() external view {
        RequestBatch memory batch;
        bytes memory payload = abi.encodeCall(names.fastBatch, (batch));
        payload[4] = 0x01;
        (bool success, bytes memory named) = address(names).staticcall(payload);
        assertTrue(success, "hashed as it lies");
        assertTrue(bytes32(named) != names.slowBatch(batch), "no second spelling of a name");
    }
}
