// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Invariants} from "./Invariants.sol";

/// @notice Four accounts and two modules that move wei at random, mostly within their means, and keep their own books.
contract VaultActor is Harness {
    Vault public immutable VAULT;
    address[2] public modules = [address(0x1B), address(0xC1)];
    address[4] public accounts = [address(0xA1), address(0xA2), address(0xA3), address(0xA4)];

    mapping(address account => uint256) public ghostBalance;
    mapping(address module => uint256) public ghostEscrow;
    uint256 public ghostBurned;
    uint256 public ghostForced;
    uint256 public attempts;
    uint256 public successes;

    constructor() {
        address[] memory named = new address[](2);
        (named[0], named[1]) = (modules[0], modules[1]);
        VAULT = new Vault(named);
        for (uint256 i = 0; i < 4; ++i) {
            vm.deal(address(this), 100 ether);
            VAULT.deposit{value: 100 ether}(accounts[i]);
            ghostBalance[accounts[i]] = 100 ether;
        }
    }

    function deposit(uint256 who, uint256 amountWei) external {
        address account = accounts[who % 4];
        amountWei = bound(amountWei, 0, 10 ether);
        vm.deal(address(this), amountWei);
        if (_try(address(this), amountWei, abi.encodeCall(Vault.deposit, (account)))) ghostBalance[account] += amountWei;
    }

    function withdraw(uint256 who, uint256 amountWei) external {
        address account = accounts[who % 4];
        amountWei = _within(amountWei, ghostBalance[account]);
        if (_try(account, 0, abi.encodeCall(Vault.withdraw, (account, amountWei)))) ghostBalance[account] -= amountWei;
    }

    function lock(uint256 which, uint256 who, uint256 amountWei) external {
        (address module, address account) = (modules[which % 2], accounts[who % 4]);
        amountWei = _within(amountWei, ghostBalance[account]);
        if (!_try(module, 0, abi.encodeCall(Vault.lock, (account, amountWei)))) return;
        ghostBalance[account] -= amountWei;
        ghostEscrow[module] += amountWei;
    }

    function escrow(uint256 which, uint256 amountWei) external {
        address module = modules[which % 2];
        amountWei = bound(amountWei, 0, 10 ether);
        vm.deal(module, amountWei);
        if (_try(module, amountWei, abi.encodeCall(Vault.escrow, ()))) ghostEscrow[module] += amountWei;
    }

    function pay(uint256 which, uint256 who, uint256 amountWei) external {
        (address module, address account) = (modules[which % 2], accounts[who % 4]);
        amountWei = _within(amountWei, ghostEscrow[module]);
        if (!_try(module, 0, abi.encodeCall(Vault.pay, (account, amountWei)))) return;
        ghostEscrow[module] -= amountWei;
        ghostBalance[account] += amountWei;
    }

    function move(uint256 which, uint256 amountWei) external {
        (address from, address to) = (modules[which % 2], modules[(which / 2) % 2]);
        amountWei = _within(amountWei, ghostEscrow[from]);
        if (!_try(from, 0, abi.encodeCall(Vault.move, (to, amountWei)))) return;
        ghostEscrow[from] -= amountWei;
        ghostEscrow[to] += amountWei;
    }

    function burn(uint256 which, uint256 amountWei) external {
        address module = modules[which % 2];
        amountWei = _within(amountWei, ghostEscrow[module]);
        if (!_try(module, 0, abi.encodeCall(Vault.burn, (amountWei)))) return;
        ghostEscrow[module] -= amountWei;
        ghostBurned += amountWei;
    }

    function force(uint256 amountWei) external {
        amountWei = bound(amountWei, 1, 1 ether);
        vm.deal(address(VAULT), address(VAULT).balance + amountWei);
        ghostForced += amountWei;
    }

    /// @dev One try in eight reaches a wei beyond what there is, so that the refusals are exercised too.
    function _within(uint256 seed, uint256 available) private pure returns (uint256) {
        return seed % 8 == 0 ? available + 1 : bound(seed, 0, available);
    }

    function _try(address from, uint256 value, bytes memory data) private returns (bool success) {
        ++attempts;
        vm.prank(from);
        (success,) = address(VAULT).call{value: value}(data);
        if (success) ++successes;
    }
}

contract VaultInvariants is Invariants {
    VaultActor private actor;
    Vault private vault;

    function setUp() public {
        actor = new VaultActor();
        vault = actor.VAULT();
        play(address(actor));
        allow(actor.deposit.selector, 1);
        allow(actor.withdraw.selector, 1);
        allow(actor.lock.selector, 1);
        allow(actor.escrow.selector, 1);
        allow(actor.pay.selector, 1);
        allow(actor.move.selector, 1);
        allow(actor.burn.selector, 1);
        allow(actor.force.selector, 1);
    }

    function invariant_everyBookAgreesWithItsGhost() public view {
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(vault.balanceOf(actor.accounts(i)), actor.ghostBalance(actor.accounts(i)));
        }
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(vault.escrowOf(actor.modules(i)), actor.ghostEscrow(actor.modules(i)));
        }
        assertEq(vault.burned(), actor.ghostBurned());
    }

    function invariant_valueIsConserved() public view {
        uint256 booked = vault.burned();
        for (uint256 i = 0; i < 4; ++i) {
            booked += vault.balanceOf(actor.accounts(i));
        }
        for (uint256 i = 0; i < 2; ++i) {
            booked += vault.escrowOf(actor.modules(i));
        }
        assertEq(booked + actor.ghostForced(), address(vault).balance);
    }
}
