// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IVault} from "./interfaces/IVault.sol";

/// @title Vault
/// @notice Keeps every wei of the system: accounts' balances, modules' escrows, and what was burned. It knows nothing of
/// requests, claims or disputes; a module that moves its own escrow is believed.
/// @dev Burned wei stay here for ever and are only counted, so conservation can be read off this one contract. There is
/// no `receive`: wei can be forced in, but then they belong to nobody.
contract Vault is IVault {
    /// @dev One slot, so that who may hold escrow is read with what is held, and is never written from zero.
    /// @param escrowWei cannot overflow: it is at most the wei there are, below 2^90
    struct Module {
        bool known;
        uint248 escrowWei;
    }

    mapping(address account => uint256 amountWei) public balanceOf;
    uint256 public burned;
    mapping(address account => Module) private _modules;

    /// @param modules the only contracts that may hold escrow. They need no code yet: they point at this contract, so
    /// their addresses are computed before they are deployed.
    constructor(address[] memory modules) {
        for (uint256 i = 0; i < modules.length; ++i) {
            if (modules[i] == address(0)) revert ZeroAccount();
            _modules[modules[i]].known = true;
        }
    }

    modifier onlyModule() {
        if (!_modules[msg.sender].known) revert NotAModule(msg.sender);
        _;
    }

    /// @inheritdoc IVault
    function deposit(address account) external payable {
        if (account == address(0)) revert ZeroAccount();
        balanceOf[account] += msg.value;
        emit Deposited(account, msg.sender, msg.value);
    }

    /// @inheritdoc IVault
    function withdraw(address to, uint256 amountWei) external {
        if (to == address(0)) revert ZeroAccount();
        _debit(msg.sender, amountWei);
        emit Withdrawn(msg.sender, to, amountWei);
        (bool success,) = to.call{value: amountWei}("");
        if (!success) revert TransferFailed(to, amountWei);
    }

    /// @inheritdoc IVault
    function lock(address account, uint256 amountWei) external onlyModule {
        _debit(account, amountWei);
        _modules[msg.sender].escrowWei += uint248(amountWei);
        emit Locked(msg.sender, account, amountWei);
    }

    /// @inheritdoc IVault
    /// @dev Announced as locked by the module from itself: the only `Locked` that no balance pays for.
    function escrow() external payable onlyModule {
        _modules[msg.sender].escrowWei += uint248(msg.value);
        emit Locked(msg.sender, msg.sender, msg.value);
    }

    /// @inheritdoc IVault
    function pay(address account, uint256 amountWei) external onlyModule {
        if (account == address(0)) revert ZeroAccount();
        _take(amountWei);
        balanceOf[account] += amountWei;
        emit Paid(msg.sender, account, amountWei);
    }

    /// @inheritdoc IVault
    function move(address module, uint256 amountWei) external onlyModule {
        if (!_modules[module].known) revert NotAModule(module);
        _take(amountWei);
        _modules[module].escrowWei += uint248(amountWei);
        emit Moved(msg.sender, module, amountWei);
    }

    /// @inheritdoc IVault
    function burn(uint256 amountWei) external onlyModule {
        _take(amountWei);
        burned += amountWei;
        emit Burned(msg.sender, amountWei);
    }

    /// @inheritdoc IVault
    function escrowOf(address module) external view returns (uint256 amountWei) {
        return _modules[module].escrowWei;
    }

    /// @inheritdoc IVault
    function isModule(address account) external view returns (bool) {
        return _modules[account].known;
    }

    function _debit(address account, uint256 amountWei) private {
        uint256 available = balanceOf[account];
        if (available < amountWei) revert InsufficientBalance(account, available, amountWei);
        unchecked {
            balanceOf[account] = available - amountWei; // compared above
        }
    }

    function _take(uint256 amountWei) private {
        uint256 available = _modules[msg.sender].escrowWei;
        if (available < amountWei) revert InsufficientEscrow(msg.sender, available, amountWei);
        unchecked {
            _modules[msg.sender].escrowWei = uint248(available - amountWei); // compared above
        }
    }
}
