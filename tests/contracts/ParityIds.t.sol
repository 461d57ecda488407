// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {ClaimChain} from "../../contracts/ClaimChain.sol";
import {Inbox} from "../../contracts/Inbox.sol";
import {ModelRegistry} from "../../contracts/ModelRegistry.sol";
import {ClaimBatch, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox, Request, RequestBatch} from "../../contracts/interfaces/IInbox.sol";
import {IModelRegistry, Model, Windows} from "../../contracts/interfaces/IModelRegistry.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestBatchId, RequestId} from "../../contracts/types/Ids.sol";
import {Duration} from "../../contracts/types/Time.sol";
import {Models} from "./mocks/Models.sol";

/// @notice Ids of the records that Python hashed (tests/parity/ids.py), by the contracts that give them out.
contract ParityIdsTest is Harness {
    IVault private constant NO_VAULT = IVault(address(0));
    IModelRegistry private constant NO_MODELS = IModelRegistry(address(0));

    string private _json;

    function setUp() public {
        _json = vm.readFile("tests/parity/vectors/ids.json");
    }

    function test_requestIdOf_requestOfPython_hasItsId() public {
        (uint256 chain, address place, Request memory request) =
            abi.decode(_only(".requests"), (uint256, address, Request));
        assertEq(RequestId.unwrap(_inboxAt(chain, place).requestIdOf(request)), _onlyId(".requestIds"));
    }

    function test_batchIdOf_requestBatchOfPython_hasItsId() public {
        (uint256 chain, address place, RequestBatch memory batch) =
            abi.decode(_only(".requestBatches"), (uint256, address, RequestBatch));
        assertEq(RequestBatchId.unwrap(_inboxAt(chain, place).batchIdOf(batch)), _onlyId(".requestBatchIds"));
    }

    function test_claimBatchIdOf_claimBatchOfPython_hasItsId() public {
        (uint256 chain, address place, ClaimBatch memory claims) =
            abi.decode(_only(".claimBatches"), (uint256, address, ClaimBatch));
        assertEq(ClaimBatchId.unwrap(_claimChainAt(chain, place).claimBatchIdOf(claims)), _onlyId(".claimBatchIds"));
    }

    function test_claimIdOf_claimsOfPython_haveTheirIds() public {
        ClaimChain claimChain = _claimChainAt(1, address(0xc1a1));
        bytes[] memory claims = vm.parseJsonBytesArray(_json, ".claims");
        bytes32[] memory ids = vm.parseJsonBytes32Array(_json, ".claimIds");
        for (uint256 i = 0; i < claims.length; ++i) {
            (ClaimBatchId batchId, uint32 index) = abi.decode(claims[i], (ClaimBatchId, uint32));
            assertEq(ClaimId.unwrap(claimChain.claimIdOf(batchId, index)), ids[i]);
        }
    }

    function test_idOf_modelOfPython_hasItsId() public {
        Windows memory none;
        ModelRegistry registry = Models.registry(none, none, 0);
        Model memory model = abi.decode(_only(".models"), (Model));
        assertEq(ModelId.unwrap(registry.idOf(model)), _onlyId(".modelIds"));
    }

    function _inboxAt(uint256 chain, address place) private returns (Inbox) {
        Inbox inbox = new Inbox(NO_VAULT, NO_MODELS, IClaimChain(address(0)), address(0), 0);
        vm.etch(place, address(inbox).code);
        vm.chainId(chain);
        return Inbox(place);
    }

    function _claimChainAt(uint256 chain, address place) private returns (ClaimChain) {
        ClaimChain claimChain =
            new ClaimChain(NO_VAULT, IInbox(address(0)), NO_MODELS, address(0), Duration.wrap(0), 0);
        vm.etch(place, address(claimChain).code);
        vm.chainId(chain);
        return ClaimChain(place);
    }

    function _only(string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytesArray(_json, key)[0];
    }

    function _onlyId(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32Array(_json, key)[0];
    }
}
