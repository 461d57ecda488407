// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Meter, MeterLib} from "../../contracts/libraries/MeterLib.sol";
import {Harness} from "./Harness.sol";

contract MeterLibTest is Harness {
    function test_transactionGas_muchExecution_isTheStandardPrice() public pure {
        assertEq(MeterLib.transactionGas(10, 100, 50_000), 21_000 + 40 + 1_600 + 50_000);
    }

    function test_transactionGas_muchCalldata_isTheFloor() public pure {
        assertEq(MeterLib.transactionGas(10, 1_000, 5_000), 21_000 + 100 + 40_000);
    }

    function test_priceWei_highPriorityFee_isTwiceTheBaseFee() public {
        vm.fee(10 gwei);
        vm.txGasPrice(500 gwei);
        assertEq(MeterLib.priceWei(), 20 gwei);
        vm.txGasPrice(11 gwei);
        assertEq(MeterLib.priceWei(), 11 gwei);
    }

    function testFuzz_costWei_countsEveryByteOfTheCall(bytes calldata) public {
        _assertCost(msg.data, msg.data.length);
    }

    function testFuzz_costWei_countsNoByteBeyondTheSize(uint256 size, bytes calldata) public {
        size %= msg.data.length;
        _assertCost(msg.data[:size], size);
    }

    function _assertCost(bytes memory data, uint256 size) private {
        vm.fee(1 gwei);
        vm.txGasPrice(1 gwei);
        uint256 nonzeros = _counted(data);
        uint256 most = MeterLib.transactionGas(data.length - nonzeros, nonzeros, 2_000_000);
        uint256 cost = MeterLib.costWei(Meter(gasleft(), size), 1_900_000) / 1 gwei;
        assertTrue(cost <= most && cost + 100_000 >= most, "calldata by its bytes, execution by gas left");
    }

    function testFuzz_nonzeroBytes_countsEachByte(bytes calldata data) public pure {
        assertEq(MeterLib.nonzeroBytes(data), _counted(data));
    }

    /// @dev Longer than a run of lanes, at every length around its end; what follows in calldata must not count.
    function test_nonzeroBytes_longCalldata_countsEachByte() public view {
        for (uint256 length = 4090; length < 4104; ++length) {
            bytes memory data = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                data[i] = bytes1(uint8(i % 7 == 0 ? 0 : 0x80 >> (i % 8)));
            }
            assertEq(this.count(data, bytes32(type(uint256).max)), _counted(data));
        }
        assertEq(this.count(_full(9000), 0), 9000);
    }

    function count(bytes calldata data, bytes32) external pure returns (uint256) {
        return MeterLib.nonzeroBytes(data);
    }

    function _full(uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = 0xff;
        }
    }

    function _counted(bytes memory data) private pure returns (uint256 nonzeros) {
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] != 0) ++nonzeros;
        }
    }
}
