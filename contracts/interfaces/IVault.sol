// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Who owns what
/// @notice All wei of the system lies here. Accounts hold withdrawable wei; the modules named at construction hold
/// escrow. Conservation: sum of balances + sum of escrows + burned <= the contract's own wei, with equality unless
/// wei was forced in.
/// @dev No owner, no pause, no upgrade. Payments are pulled: nothing here calls a payee except in `withdraw`.
interface IVault {
    event Deposited(address indexed account, address indexed from, uint256 amountWei);
    event Withdrawn(address indexed account, address indexed to, uint256 amountWei);
    event Locked(address indexed module, address indexed account, uint256 amountWei);
    event Paid(address indexed module, address indexed account, uint256 amountWei);
    event Moved(address indexed from, address indexed to, uint256 amountWei);
    event Burned(address indexed module, uint256 amountWei);

    /// @param received the caller
    error NotAModule(address received);
    /// @param available what `account` can withdraw, wei
    /// @param required what was asked for, wei
    error InsufficientBalance(address account, uint256 available, uint256 required);
    error InsufficientEscrow(address module, uint256 available, uint256 required);
    error ZeroAccount();
    error TransferFailed(address to, uint256 amountWei);

    /// @notice Credits `msg.value` to `account`.
    function deposit(address account) external payable;

    /// @notice Sends `amountWei` of the caller's balance to `to`; reverts if `to` refuses it, and nothing is lost.
    function withdraw(address to, uint256 amountWei) external;

    /// @notice Module only: `account`'s balance -> the module's escrow.
    function lock(address account, uint256 amountWei) external;

    /// @notice Module only: wei sent along -> the module's escrow.
    function escrow() external payable;

    /// @notice Module only: the module's escrow -> `account`'s balance.
    function pay(address account, uint256 amountWei) external;

    /// @notice Module only: the module's escrow -> another module's escrow.
    function move(address module, uint256 amountWei) external;

    /// @notice Module only: the module's escrow -> nobody, for ever.
    function burn(uint256 amountWei) external;

    function balanceOf(address account) external view returns (uint256 amountWei);
    function escrowOf(address module) external view returns (uint256 amountWei);
    function burned() external view returns (uint256 amountWei);
    function isModule(address account) external view returns (bool);
}
