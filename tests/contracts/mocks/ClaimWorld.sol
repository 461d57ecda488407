// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../../contracts/interfaces/IClaimChain.sol";
import {ClaimId, RequestBatchId} from "../../../contracts/types/Ids.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {Attempt, ClaimStage, Made, Order} from "./ClaimStage.sol";
import {Listener} from "./Consumers.sol";

/// @notice Two executors, a keeper and a dispute game that act at random on two batches of six requests, one of them
/// with callbacks. They choose moves that are mostly legal, and keep books of their own.
contract ClaimWorld is ClaimStage {
    uint32 public constant REQUESTS = 6;

    /// @dev Encoded, because arrays of structs cannot be copied to storage.
    bytes[2] private _orders;
    bytes[] private _mades;
    Listener private _listener;

    uint256 public attempts;
    uint256 public successes;
    uint256 public gameWei;
    uint256 public burnedWei;
    mapping(ClaimId => bool) public wasFinal;
    mapping(ClaimId => bool) public wasSettled;
    mapping(ClaimId => bool) public hasFailed;
    mapping(uint256 which => mapping(uint256 index => bool)) public wasRefunded;

    function setUp() public override {
        super.setUp();
        _listener = new Listener();
        _orders[0] = abi.encode(_order(REQUESTS));
        _orders[1] = abi.encode(_order(REQUESTS, address(_listener), 400_000));
    }

    // Moves.

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 40));
    }

    function lease(uint256 which, uint256 who, uint256 scope) external {
        Order memory order = orderOf(which % 2);
        uint32 chosen = uint32(scope % 4 == 0 ? 1 + scope % REQUESTS : 0);
        (,, uint256 leftWei) = chain.leaseOf(_id(order), chosen);
        if (who % 16 != 7 && !_leasable(order, chosen, leftWei)) return;
        if (_try(_executor(who), abi.encodeCall(chain.lease, (order.batch, chosen)))) burnedWei += leftWei;
    }

    function claim(uint256 which, uint256 from, uint256 length, uint256 mask, bool eager) external {
        Order memory order = orderOf(which % 2);
        uint32 first = uint32(from % REQUESTS);
        (address lessee,,) = chain.leaseOf(_id(order), first + 1);
        uint32 count = lessee != address(0) ? 1 : uint32(1 + length % (REQUESTS - first));
        if (lessee == address(0)) (lessee,,) = chain.leaseOf(_id(order), 0);
        if (lessee == address(0) || (mask % 16 != 7 && !_claimable(order, first, count))) return;
        (uint32 refutations,) = chain.attemptsOf(_id(order), first);
        uint96 bondWei = uint96(chain.minimumBond(order.batch, count == 1 ? refutations : 0));
        Attempt memory attempt = Attempt(first, count, _below(count), eager, bondWei, mask);
        if (mask % 4 == 0) attempt.presence[0] &= mask | 1;
        ++attempts;
        try this.claimAs(lessee, order, attempt) {
            ++successes;
        } catch {}
    }

    function claimAs(address executor, Order memory order, Attempt memory attempt) external {
        _mades.push(abi.encode(_claim(executor, order, attempt)));
    }

    function finalise(uint256 which) external {
        if (_mades.length == 0) return;
        Made memory made = madeOf(which % _mades.length);
        if (which % 16 != 7 && !_finalisable(made)) return;
        _try(keeper, abi.encodeCall(chain.finalise, (made.order.batch, made.claims)));
    }

    function finaliseContested(uint256 which) external {
        (Made memory made, uint32 index, bool found) = _find(which, Certainty.Provisional, true);
        if (!found) return;
        (, uint256 secondsLeft) = chain.certaintyOf(made.claims, index);
        if (which % 16 != 7 && secondsLeft != 0) return;
        _try(keeper, abi.encodeCall(chain.finaliseContested, (_witness(made, index))));
    }

    function settle(uint256 which) external {
        (Made memory made, uint32 index, bool found) = _find(which, Certainty.Final, false);
        ClaimId id = _claimId(made, index);
        if (!found || !made.order.batch.callback || (wasSettled[id] && which % 16 != 7)) return;
        bool refusing = which % 3 == 0;
        _listener.setRefusing(refusing);
        ClaimWitness[] memory page = new ClaimWitness[](1);
        page[0] = _witness(made, index);
        if (_try(keeper, abi.encodeCall(chain.settle, (page)))) {
            assertTrue(!wasSettled[id], "settled once");
            wasSettled[id] = true;
            hasFailed[id] = refusing;
        }
    }

    function retry(uint256 which) external {
        (Made memory made, uint32 index, bool found) = _find(which, Certainty.Final, false);
        ClaimId id = _claimId(made, index);
        if (!found || (which % 16 != 7 && !hasFailed[id])) return;
        _listener.setRefusing(false);
        if (_try(keeper, abi.encodeCall(chain.retry, (_witness(made, index))))) {
            assertTrue(hasFailed[id], "only what failed is sent again");
            hasFailed[id] = false;
        }
    }

    function contest(uint256 which) external {
        (Made memory made, uint32 index, bool found) = _find(which, Certainty.Provisional, false);
        if (!found) return;
        (, uint256 secondsLeft) = chain.certaintyOf(made.claims, index);
        if (which % 16 != 7 && secondsLeft == 0 && !made.claims.eager) return;
        _try(address(this), abi.encodeCall(chain.contest, (_witness(made, index))));
    }

    function judge(uint256 which, uint256 verdict, uint256 costWei) external {
        (Made memory made, uint32 index, bool found) = _find(which, Certainty.Challenged, true);
        if (!found) return;
        ClaimWitness memory witness = _witness(made, index);
        uint256 before = vault.escrowOf(address(this));
        costWei = bound(costWei, 0, 2 * BOND);
        if (verdict % 3 == 0) {
            uint40 finalAt = uint40(block.timestamp + costWei % 200);
            _try(address(this), abi.encodeCall(chain.acquit, (witness, Instant.wrap(finalAt))));
        } else if (verdict % 3 == 1) {
            if (_try(address(this), abi.encodeCall(chain.refute, (witness)))) gameWei += made.claims.bondWei;
        } else if (_try(address(this), abi.encodeCall(chain.reject, (witness, costWei)))) {
            gameWei += costWei < made.claims.bondWei ? costWei : made.claims.bondWei;
        }
        assertTrue(vault.escrowOf(address(this)) >= before, "a verdict takes nothing from the game");
    }

    function refund(uint256 which, uint256 index) external {
        Order memory order = orderOf(which % 2);
        index %= REQUESTS;
        bool taken = (chain.claimedBits(_id(order), 0) >> index) & 1 == 1;
        if (which % 16 != 7 && (taken || block.timestamp < DEADLINE)) return;
        uint32 scope = _isFresh(order, uint32(index)) ? 0 : uint32(index) + 1;
        (,, uint256 leftWei) = chain.leaseOf(_id(order), scope);
        ++attempts;
        try inbox.refund(order.batch, uint32(index), order.requests[index]) {
            ++successes;
            wasRefunded[which % 2][index] = true;
            if (leftWei != 0) burnedWei += DEPOSIT;
        } catch {}
    }

    // Books, for the invariants.

    function orderOf(uint256 which) public view returns (Order memory) {
        return abi.decode(_orders[which], (Order));
    }

    function madeOf(uint256 which) public view returns (Made memory) {
        return abi.decode(_mades[which], (Made));
    }

    /// @notice Which batch of requests claim batch `which` lies in.
    function orderIndexOf(Made memory made) public view returns (uint256) {
        return RequestBatchId.unwrap(made.claims.requests) == RequestBatchId.unwrap(_id(orderOf(0))) ? 0 : 1;
    }

    /// @notice Checks the claims one by one, and returns what they and the leases must hold in escrow.
    /// @return chainWei in ClaimChain's escrow
    /// @return inboxWei in Inbox's escrow
    function audit() external returns (uint256 chainWei, uint256 inboxWei) {
        uint256[6][2] memory live;
        uint256[6][2] memory final_;
        for (uint256 m = 0; m < _mades.length; ++m) {
            Made memory made = madeOf(m);
            uint256 which = orderIndexOf(made);
            for (uint32 i = 0; i < made.claims.count; ++i) {
                (Certainty certainty,) = chain.certaintyOf(made.claims, i);
                ClaimId id = _claimId(made, i);
                bool isFinal = certainty == Certainty.Final;
                assertTrue(isFinal || !wasFinal[id], "finality never goes back");
                wasFinal[id] = isFinal;
                if (isFinal) ++final_[which][made.claims.first + i];
                if (isFinal && made.order.batch.callback && !wasSettled[id]) chainWei += TIP;
                if (certainty == Certainty.Provisional || certainty == Certainty.Challenged) {
                    ++live[which][made.claims.first + i];
                    chainWei += made.claims.bondWei + FEE + TIP;
                }
            }
        }
        for (uint256 which = 0; which < 2; ++which) {
            RequestBatchId requests = _id(orderOf(which));
            for (uint32 scope = 0; scope <= REQUESTS; ++scope) {
                (,, uint256 depositWei) = chain.leaseOf(requests, scope);
                chainWei += depositWei;
            }
            for (uint256 i = 0; i < REQUESTS; ++i) {
                uint256 ends = live[which][i] + final_[which][i] + (wasRefunded[which][i] ? 1 : 0);
                assertLe(ends, 1);
                assertEq((chain.claimedBits(requests, 0) >> i) & 1, ends);
                if (live[which][i] + final_[which][i] == 0 && !wasRefunded[which][i]) inboxWei += FEE + TIP;
            }
        }
    }

    /// @notice The Vault's books: of the chain, the Inbox and the game, what was burned, and what accounts own.
    function books() external view returns (uint256, uint256, uint256, uint256, uint256) {
        uint256 owned =
            vault.balanceOf(honest) + vault.balanceOf(liar) + vault.balanceOf(keeper) + vault.balanceOf(asker);
        return (
            vault.escrowOf(address(chain)),
            vault.escrowOf(address(inbox)),
            vault.escrowOf(address(this)),
            vault.burned(),
            owned
        );
    }

    function vaultWei() external view returns (uint256) {
        return address(vault).balance;
    }

    // Choices.

    function _executor(uint256 who) private pure returns (address) {
        return who % 2 == 0 ? honest : liar;
    }

    function _leasable(Order memory order, uint32 scope, uint256 leftWei) private view returns (bool) {
        (, Instant until,) = chain.leaseOf(_id(order), scope);
        if (leftWei != 0 && block.timestamp < Instant.unwrap(until)) return false;
        if (scope == 0) return block.timestamp < DEADLINE && _hasFresh(order, 0, REQUESTS);
        return !_isFresh(order, scope - 1) && (chain.claimedBits(_id(order), 0) >> (scope - 1)) & 1 == 0;
    }

    function _claimable(Order memory order, uint32 first, uint32 count) private view returns (bool) {
        (, Instant until,) = chain.leaseOf(_id(order), _isFresh(order, first) ? 0 : first + 1);
        if (block.timestamp >= Instant.unwrap(until)) return false;
        return count == 1 || (block.timestamp < DEADLINE && _hasFresh(order, first, count));
    }

    function _hasFresh(Order memory order, uint32 first, uint32 count) private view returns (bool) {
        uint256 claimed = chain.claimedBits(_id(order), 0);
        for (uint32 i = first; i < first + count; ++i) {
            if ((claimed >> i) & 1 == 0 && _isFresh(order, i)) return true;
        }
        return false;
    }

    /// @dev Nobody's claim on it ever fell.
    function _isFresh(Order memory order, uint32 index) private view returns (bool) {
        (uint32 refutations, uint32 rejections) = chain.attemptsOf(_id(order), index);
        return refutations + rejections == 0;
    }

    function _finalisable(Made memory made) private view returns (bool) {
        if (block.timestamp < Instant.unwrap(made.claims.claimedAt) + WINDOW) return false;
        for (uint32 i = 0; i < made.claims.count; ++i) {
            (Certainty certainty,) = chain.certaintyOf(made.claims, i);
            bool isContested = chain.contested(_claimId(made, i)).certainty != Certainty.None;
            if (certainty == Certainty.Provisional && !isContested) return true;
        }
        return false;
    }

    /// @dev A claim of this certainty, contested or not, if there is one; now and then any claim at all.
    function _find(uint256 seed, Certainty wanted, bool contested)
        private
        view
        returns (Made memory made, uint32 index, bool found)
    {
        for (uint256 m = 0; m < _mades.length; ++m) {
            made = madeOf((seed % _mades.length + m) % _mades.length);
            for (uint32 i = 0; i < made.claims.count; ++i) {
                index = uint32((seed % made.claims.count + i) % made.claims.count);
                if (seed % 16 == 7) return (made, index, true);
                (Certainty certainty,) = chain.certaintyOf(made.claims, index);
                bool isContested = chain.contested(_claimId(made, index)).certainty != Certainty.None;
                if (certainty == wanted && (isContested == contested || wanted == Certainty.Final)) {
                    return (made, index, true);
                }
            }
        }
    }

    function _try(address from, bytes memory data) private returns (bool success) {
        ++attempts;
        vm.prank(from);
        (success,) = address(chain).call(data);
        if (success) ++successes;
    }
}
