// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness, Vm} from "../Harness.sol";
import {ClaimChainMock} from "./ClaimChainMock.sol";
import {Models} from "./Models.sol";
import {Inbox} from "../../../contracts/Inbox.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {IInbox, PostTerms, Request, RequestBatch, Signed, Wish} from "../../../contracts/interfaces/IInbox.sol";
import {ModelId, RequestBatchId, RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../../contracts/types/Roots.sol";
import {Instant} from "../../../contracts/types/Time.sol";

/// @notice A Vault, a ModelRegistry with a model of eight f32 in 0..1, an Inbox before a mocked ClaimChain, and a cast.
abstract contract InboxFixture is Harness {
    uint256 internal constant ALICE_KEY = 0xA11CE;
    uint256 internal constant BOB_KEY = 0xB0B;
    uint96 internal constant FEE = 1e15;
    uint96 internal constant TIP = 1e14;
    uint96 internal constant MIN_FEE = 1e12;
    uint40 internal constant START = 1_800_000_000;
    uint32 internal constant CHALLENGE = 60;
    address internal constant SEQUENCER = address(0x5E0);
    address internal constant CONSUMER = address(0xC0);

    address internal alice = vm.addr(ALICE_KEY);
    address internal bob = vm.addr(BOB_KEY);
    Vault internal vault;
    ModelRegistry internal models;
    ClaimChainMock internal claimChain;
    Inbox internal inbox;
    ModelId internal model;

    function setUp() public virtual {
        vm.warp(START);
        claimChain = new ClaimChainMock();
        models = Models.registry(Models.windows(15), Models.windows(7 days), Models.MIN_BOND_GAS);
        model = models.register(Models.single(F32, 8, 0, int64(uint64(Models.ONE))));
        vault = Vault(_addressOfNextBut(1));
        inbox = new Inbox(vault, models, IClaimChain(address(claimChain)), SEQUENCER, MIN_FEE);
        address[] memory modules = new address[](2);
        (modules[0], modules[1]) = (address(inbox), address(claimChain));
        vault = new Vault(modules);
        vm.deal(alice, 100 ether);
        vm.deal(bob, 100 ether);
    }

    function _wish() internal view returns (Wish memory) {
        return Wish({
            model: model,
            inputs: _inputs(1),
            inputsRoot: BundleRoot.wrap(0),
            feeWei: FEE,
            tipWei: TIP,
            minBondWei: 1e16,
            deadline: Instant.wrap(START + 1 hours),
            callback: CONSUMER,
            callbackGas: 200_000
        });
    }

    function _terms() internal view returns (PostTerms memory) {
        return PostTerms({
            model: model,
            feeWei: FEE,
            tipWei: TIP,
            minBondWei: 1e16,
            deadline: Instant.wrap(START + 1 hours),
            callback: address(0),
            callbackGas: 0
        });
    }

    /// @notice The request that `_wish` or a signature under `terms` makes.
    function _request(PostTerms memory terms, address requester, uint64 nonce, bytes memory inputs)
        internal
        view
        returns (Request memory)
    {
        return Request({
            requester: requester,
            nonce: nonce,
            kind: 0,
            model: terms.model,
            inputsRoot: models.commitInputs(terms.model, inputs),
            property: 0,
            parents: 0,
            feeWei: terms.feeWei,
            tipWei: terms.tipWei,
            minBondWei: terms.minBondWei,
            deadline: terms.deadline,
            callback: terms.callback,
            callbackGas: terms.callbackGas
        });
    }

    function _sign(uint256 key, uint64 nonce, bytes memory inputs) internal view returns (Signed memory) {
        Request memory wanted = _request(_terms(), vm.addr(key), nonce, inputs);
        return Signed({
            requester: wanted.requester,
            nonce: nonce,
            inputs: inputs,
            inputsRoot: BundleRoot.wrap(0),
            signature: _signature(key, inbox.requestIdOf(wanted))
        });
    }

    function _signature(uint256 key, RequestId id) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, RequestId.unwrap(id));
        return abi.encodePacked(r, s, v);
    }

    /// @notice What a batch of these terms and this content is.
    function _batch(PostTerms memory terms, uint8 lane, uint64 first, uint32 count, bytes32 root)
        internal
        pure
        returns (RequestBatch memory)
    {
        return RequestBatch({
            lane: lane,
            first: first,
            count: count,
            root: root,
            model: terms.model,
            feeWei: terms.feeWei,
            tipWei: terms.tipWei,
            minBondWei: terms.minBondWei,
            deadline: terms.deadline,
            callback: terms.callback != address(0)
        });
    }

    /// @notice Eight times the same f32, a little above a quarter: one value for each `k`.
    function _inputs(uint8 k) internal pure returns (bytes memory inputs) {
        inputs = new bytes(32);
        for (uint256 i = 0; i < 32; i += 4) {
            (inputs[i], inputs[i + 1], inputs[i + 3]) = (0x3e, 0x80, bytes1(k));
        }
    }

    function _fund(address account, uint256 amountWei) internal {
        vm.deal(address(this), amountWei);
        vault.deposit{value: amountWei}(account);
    }

    /// @notice Data of the last recorded log that `emitter` made.
    function _lastLogOf(address emitter) internal returns (bytes memory data) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == emitter) data = logs[i].data;
        }
    }

    /// @dev This contract deployed `claimChain` as number 1 and `models` as number 2.
    function _addressOfNextBut(uint256 skipped) private view returns (address) {
        bytes32 hash = keccak256(abi.encodePacked(hex"d694", address(this), bytes1(uint8(3 + skipped))));
        return address(uint160(uint256(hash)));
    }
}
