// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MeterLib} from "../../contracts/libraries/MeterLib.sol";
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

    function testFuzz_costWei_countsEveryByteOfTheCall(bytes calldata data) public {
        vm.fee(1 gwei);
        vm.txGasPrice(1 gwei);
        uint256 zeros = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] == 0) ++zeros;
        }
        uint256 most = MeterLib.transactionGas(zeros, data.length - zeros, 2_000_000);
        uint256 cost = MeterLib.costWei(gasleft(), 1_900_000, data) / 1 gwei;
        assertTrue(cost <= most && cost + 100_000 >= most, "calldata by its bytes, execution by gas left");
    }
}
