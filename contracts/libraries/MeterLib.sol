// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

/// @title What a transaction costs its sender
/// @notice Meters a call as if it were the whole transaction: intrinsic gas, calldata, execution, and the calldata floor.
/// Source: EIP-2028 (4 and 16 gas a byte) and EIP-7623 (floor of 10 and 40).
library MeterLib {
    uint256 private constant INTRINSIC_GAS = 21_000;

    /// @notice Wei for what was used since `startGas` was left, and `tailGas` that is still to be used.
    /// @param data the call's own calldata
    function costWei(uint256 startGas, uint256 tailGas, bytes calldata data) internal view returns (uint256) {
        uint256 zeros = LibBit.countZeroBytesCalldata(data);
        return transactionGas(zeros, data.length - zeros, startGas - gasleft() + tailGas) * priceWei();
    }

    function transactionGas(uint256 zeros, uint256 nonzeros, uint256 executionGas) internal pure returns (uint256) {
        uint256 standard = 4 * zeros + 16 * nonzeros + executionGas;
        uint256 floor = 10 * zeros + 40 * nonzeros;
        return INTRINSIC_GAS + (standard < floor ? floor : standard);
    }

    /// @notice Never above twice the base fee, so that a sender cannot spend a bond on its own priority fee.
    function priceWei() internal view returns (uint256) {
        uint256 most = 2 * block.basefee;
        return tx.gasprice < most ? tx.gasprice : most;
    }
}
