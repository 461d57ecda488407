// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @param startGas left when the call began
/// @param size bytes that the call's arguments need; calldata beyond them is not counted
struct Meter {
    uint256 startGas;
    uint256 size;
}

/// @title What a transaction costs its sender
/// @notice Meters a call as if it were the whole transaction: intrinsic gas, calldata, execution, and the calldata floor.
/// Source: EIP-2028 (4 and 16 gas a byte) and EIP-7623 (floor of 10 and 40).
library MeterLib {
    uint256 private constant INTRINSIC_GAS = 21_000;

    /// @notice Wei for the call's own calldata, for what was used since it began, and `tailGas` that is still to be used.
    /// @dev Arguments are decoded wherever they lie, so a call may carry more than them. A contract that calls gets such
    /// bytes for the price of memory; if they were counted at that of calldata, it would earn by padding.
    function costWei(Meter memory meter, uint256 tailGas) internal view returns (uint256) {
        uint256 size = meter.size < msg.data.length ? meter.size : msg.data.length;
        uint256 nonzeros = nonzeroBytes(msg.data[:size]);
        return transactionGas(size - nonzeros, nonzeros, meter.startGas - gasleft() + tailGas) * priceWei();
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

    /// @notice How many bytes of `data` are not zero.
    /// @dev A byte of `x | ((x & 0x7f) + 0x7f)` has its top bit set exactly if it is not zero. These bits are added up lane
    /// by lane over 128 words, which no lane overflows, and then across the lanes. A proof has a thousand words: four a turn.
    function nonzeroBytes(bytes calldata data) internal pure returns (uint256 count) {
        assembly ("memory-safe") {
            function flags(x) -> f {
                let low := 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f
                let one := 0x0101010101010101010101010101010101010101010101010101010101010101
                f := and(shr(7, or(add(and(x, low), low), x)), one)
            }
            function across(lanes) -> sum {
                let even := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                let one := 0x0001000100010001000100010001000100010001000100010001000100010001
                sum := shr(240, mul(add(and(lanes, even), and(shr(8, lanes), even)), one))
            }
            let low := 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f
            let one := 0x0101010101010101010101010101010101010101010101010101010101010101
            let at_ := data.offset
            let rest := data.length
            for {} gt(rest, 0x7f) {} {
                let turns := shr(7, rest)
                if gt(turns, 32) { turns := 32 }
                let lanes := 0
                for { let end := add(at_, shl(7, turns)) } lt(at_, end) { at_ := add(at_, 0x80) } {
                    let x := calldataload(at_)
                    lanes := add(lanes, and(shr(7, or(add(and(x, low), low), x)), one))
                    x := calldataload(add(at_, 0x20))
                    lanes := add(lanes, and(shr(7, or(add(and(x, low), low), x)), one))
                    x := calldataload(add(at_, 0x40))
                    lanes := add(lanes, and(shr(7, or(add(and(x, low), low), x)), one))
                    x := calldataload(add(at_, 0x60))
                    lanes := add(lanes, and(shr(7, or(add(and(x, low), low), x)), one))
                }
                rest := sub(rest, shl(7, turns))
                count := add(count, across(lanes))
            }
            let lanes := 0
            for {} gt(rest, 0x1f) { rest := sub(rest, 0x20) } {
                lanes := add(lanes, flags(calldataload(at_)))
                at_ := add(at_, 0x20)
            }
            // What lies behind the last byte does not count.
            if rest { lanes := add(lanes, flags(and(calldataload(at_), not(shr(shl(3, rest), not(0)))))) }
            count := add(count, across(lanes))
        }
    }
}
