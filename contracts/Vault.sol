// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IVault} from "./interfaces/IVault.sol";

/// @title Vault
/// @notice Keeps every wei of the system: accounts' balances, modules' escrows, and what was burned. It knows nothing of
/// requests, claims or disputes; a module that moves its own escrow is believed.
/// @dev Burned wei stay here for ever and are only counted, so conservation can be read off this one contract. There is
/// no `receive`: wei can be forced in, but then they belong to nobody.
contract Vault is IVault {
    mapping(address account => uint256 amountWei) public balanceOf;
    mapping(address module => uint256 amountWei) public escrowOf;
    mapping(address account => bool) public isModule;
    uint256 public burned;

    /// @param modules the only contracts that may hold escrow. They need no code yet: they point at this contract, so
    /// their addresses are computed before they are deployed.
    constructor(address[] memory modules) {
        for (uint256 i = 0; i < modules.length; ++i) {
            if (modules[i] == address(0)) revert ZeroAccount();
            isModule[modules[i]] = true;
        }
    }

    modifier onlyModule() {
        if (!isModule[msg.sender]) revert NotAModule(msg.sender);
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
        escrowOf[msg.sender] += amountWei;
        emit Locked(msg.sender, account, amountWei);
    }

    /// @inheritdoc IVault
    /// @dev Announced as a deposit by the module that is locked at once, so that the events alone add up.
    function escrow() external payable onlyModule {
        escrowOf[msg.sender] += msg.value;
        emit Deposited(msg.sender, msg.sender, msg.value);
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
        if (!isModule[module]) revert NotAModule(module);
        _take(amountWei);
        escrowOf[module] += amountWei;
        emit Moved(msg.sender, module, amountWei);
    }

    /// @inheritdoc IVault
    function burn(uint256 amountWei) external onlyModule {
        _take(amountWei);
        burned += amountWei;
        emit Burned(msg.sender, amountWei);
    }

    function _debit(address account, uint256 amountWei) private {
        uint256 available = balanceOf[account];
        if (available < amountWei) revert InsufficientBalance(account, available, amountWei);
        unchecked {
            balanceOf[account] = available - amountWei; // compared above
        }
    }

    function _take(uint256 amountWei) private {
        uint256 available = escrowOf[msg.sender];
        if (available < amountWei) revert InsufficientEscrow(msg.sender, available, amountWei);
        unchecked {
            escrowOf[msg.sender] = available - amountWei; // compared above
        }
    }
}
