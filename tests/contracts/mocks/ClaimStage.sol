// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";

import {ClaimChain} from "../../../contracts/ClaimChain.sol";
import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {IInbox, Request, RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {IModelRegistry} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {CLAIM_LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ClaimId, RequestBatchId, RequestId} from "../../../contracts/types/Ids.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Harness} from "../Harness.sol";
import {InboxMock, ModelsMock} from "./ClaimMocks.sol";
import {SlowTree} from "./SlowTree.sol";

/// @notice Requests as the test ordered them.
struct Order {
    RequestBatch batch;
    Request[] requests;
    bytes32[] ids;
}

/// @notice What one `claim` call is to say.
struct Attempt {
    uint32 first;
    uint32 count;
    uint256[2] presence;
    bool eager;
    uint96 bondWei;
    uint256 salt;
}

/// @notice What one `claim` call made, with all that witnesses need.
struct Made {
    Order order;
    ClaimBatch claims;
    ClaimBatchId id;
    bytes[] entries;
    bytes32[] leaves;
}

/// @title Stage and cast for tests of ClaimChain
/// @notice A real Vault, mocks of Inbox and registry; the test itself is the dispute game. The honest executor and the
/// liar are rich, the thief has nothing. Times: window 100 s, lease 50 s, requests live for 1,000 s.
abstract contract ClaimStage is Harness {
    uint96 internal constant FEE = 0.01 ether;
    uint96 internal constant TIP = 0.001 ether;
    uint96 internal constant DEPOSIT = 0.002 ether;
    uint96 internal constant BOND = 0.05 ether;
    /// @dev What ClaimChain holds for a live claim.
    uint96 internal constant HELD = BOND + FEE + TIP;
    uint40 internal constant WINDOW = 100;
    uint40 internal constant TERM = 50;
    uint40 internal constant START = 1_000_000;
    uint40 internal constant DEADLINE = START + 1_000;

    address internal constant honest = address(0x1001);
    address internal constant liar = address(0x1002);
    address internal constant thief = address(0x1003);
    address internal constant keeper = address(0x1004);
    address internal constant asker = address(0x1005);

    Vault internal vault;
    ModelsMock internal models;
    InboxMock internal inbox;
    ClaimChain internal chain;
    uint64 private _nonce;

    function setUp() public virtual {
        vm.warp(START);
        vm.fee(1 gwei);
        address[] memory modules = new address[](3);
        (modules[0], modules[1]) = (_created(3), _created(4));
        modules[2] = address(this);
        vault = new Vault(modules);
        models = new ModelsMock();
        inbox = new InboxMock(vault, IClaimChain(modules[1]));
        chain = new ClaimChain(
            vault,
            IInbox(address(inbox)),
            IModelRegistry(address(models)),
            address(this),
            Duration.wrap(uint32(TERM)),
            DEPOSIT
        );
        assertEq(address(chain), modules[1]);
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: 200 ether}(honest);
        vault.deposit{value: 200 ether}(liar);
    }

    function _created(uint256 nonce) private view returns (address) {
        return LibRLP.computeAddress(address(this), nonce);
    }

    // Requests.

    function _order(uint256 count) internal returns (Order memory) {
        return _order(count, address(0), 0);
    }

    function _order(uint256 count, address callback, uint32 callbackGas) internal returns (Order memory order) {
        order.requests = new Request[](count);
        order.ids = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            Request memory request = order.requests[i];
            (request.requester, request.nonce) = (asker, _nonce++);
            (request.feeWei, request.tipWei, request.minBondWei) = (FEE, TIP, BOND);
            (request.deadline, request.callback, request.callbackGas) = (Instant.wrap(DEADLINE), callback, callbackGas);
            order.ids[i] = RequestId.unwrap(inbox.requestIdOf(request));
        }
        RequestBatch memory batch = order.batch;
        (batch.first, batch.feeWei, batch.tipWei, batch.minBondWei) = (_nonce, FEE, TIP, BOND);
        (batch.lane, batch.deadline, batch.callback) = (1, Instant.wrap(DEADLINE), callback != address(0));
        order.batch = inbox.order{value: (FEE + TIP) * count}(batch, order.requests);
    }

    function _id(Order memory order) internal view returns (RequestBatchId) {
        return inbox.batchIdOf(order.batch);
    }

    // Claims.

    function _lease(address executor, Order memory order) internal {
        vm.prank(executor);
        chain.lease(order.batch, 0);
    }

    /// @dev All of `order`, lazily, at the least bond.
    function _all(Order memory order) internal pure returns (Attempt memory) {
        return Attempt(0, order.batch.count, _below(order.batch.count), false, BOND, 1);
    }

    function _single(uint32 index, uint96 bondWei) internal pure returns (Attempt memory) {
        return Attempt(index, 1, _below(1), false, bondWei, 1);
    }

    function _below(uint256 count) internal pure returns (uint256[2] memory bits) {
        bits[0] = count >= 256 ? type(uint256).max : (1 << count) - 1;
        if (count > 256) bits[1] = count == 512 ? type(uint256).max : (1 << (count - 256)) - 1;
    }

    function _leaseAndClaim(address executor, Order memory order) internal returns (Made memory) {
        _lease(executor, order);
        return _claim(executor, order, _all(order));
    }

    function _claim(address executor, Order memory order, Attempt memory attempt) internal returns (Made memory made) {
        made.order = order;
        bytes memory data;
        (made.entries, data) = _entriesOf(attempt);
        made.leaves = _leavesOf(attempt, made.entries, _id(order));
        made.claims = ClaimBatch({
            requests: _id(order),
            executor: executor,
            first: attempt.first,
            count: attempt.count,
            root: SlowTree.root(made.leaves),
            bondWei: attempt.bondWei,
            claimedAt: Instant.wrap(uint40(block.timestamp)),
            eager: attempt.eager,
            undefined: false
        });
        made.id = _send(executor, order, attempt, data);
        assertEq(ClaimBatchId.unwrap(made.id), ClaimBatchId.unwrap(chain.claimBatchIdOf(made.claims)));
    }

    function _send(address executor, Order memory order, Attempt memory attempt, bytes memory data)
        internal
        returns (ClaimBatchId)
    {
        vm.prank(executor);
        return
            chain.claim(
                order.batch, attempt.first, attempt.count, attempt.presence, data, attempt.eager, attempt.bondWei
            );
    }

    /// @dev An entry for every place, and the data that hold those of the present ones.
    function _entriesOf(Attempt memory attempt) internal view returns (bytes[] memory entries, bytes memory data) {
        entries = new bytes[](attempt.count);
        uint256 outputBytes = models.outputBytes();
        uint256 length = (outputBytes > 64 ? 32 : outputBytes) + (attempt.eager ? 32 : 0);
        uint256 present = 0;
        for (uint256 i = 0; i < attempt.count; ++i) {
            entries[i] = _bytes(uint256(keccak256(abi.encode(attempt.salt, attempt.first + i))), length);
            if (_has(attempt.presence, i)) ++present;
        }
        data = new bytes(present * length);
        uint256 place = 0;
        for (uint256 i = 0; i < attempt.count; ++i) {
            if (!_has(attempt.presence, i)) continue;
            for (uint256 j = 0; j < length; ++j) {
                data[place++] = entries[i][j];
            }
        }
    }

    function _leavesOf(Attempt memory attempt, bytes[] memory entries, RequestBatchId requests)
        private
        view
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](attempt.count);
        uint256[2] memory claimed = [chain.claimedBits(requests, 0), chain.claimedBits(requests, 1)];
        for (uint256 i = 0; i < attempt.count; ++i) {
            if (!_has(attempt.presence, i) || _has(claimed, attempt.first + i)) continue;
            leaves[i] = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, entries[i]));
        }
    }

    function _bytes(uint256 seed, uint256 length) private pure returns (bytes memory out) {
        out = new bytes(length);
        for (uint256 j = 0; j < length; ++j) {
            out[j] = bytes1(uint8(seed >> ((j % 32) * 8)));
        }
    }

    function _has(uint256[2] memory bits, uint256 index) internal pure returns (bool) {
        return (bits[index / 256] >> (index % 256)) & 1 == 1;
    }

    // Witnesses.

    function _witness(Made memory made, uint32 index) internal pure returns (ClaimWitness memory) {
        uint32 place = made.claims.first + index;
        return ClaimWitness({
            requests: made.order.batch,
            claims: made.claims,
            index: index,
            entry: made.entries[index],
            entryPath: SlowTree.path(made.leaves, index),
            request: made.order.requests[place],
            requestPath: SlowTree.path(made.order.ids, place)
        });
    }

    function _claimId(Made memory made, uint32 index) internal view returns (ClaimId) {
        return chain.claimIdOf(made.id, index);
    }

    function _assertCertainty(Made memory made, uint32 index, Certainty expected, uint256 expectedSeconds)
        internal
        view
    {
        (Certainty certainty, uint256 secondsLeft) = chain.certaintyOf(made.claims, index);
        assertEq(uint256(certainty), uint256(expected));
        assertEq(secondsLeft, expectedSeconds);
    }

    /// @dev A claim that is contested and refuted at once, as the dispute game would; its request is open again.
    function _refute(Made memory made, uint32 index) internal {
        chain.contest(_witness(made, index));
        chain.refute(_witness(made, index));
    }

    function _wrongCertainty(Certainty received, Certainty expected) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IClaimChain.WrongCertainty.selector, received, expected);
    }

    function _afterWindow() internal {
        vm.warp(block.timestamp + WINDOW);
    }
}
