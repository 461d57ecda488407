// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Shares, SlashLib} from "../../contracts/libraries/SlashLib.sol";
import {Harness} from "./Harness.sol";

contract SlashLibTest is Harness {
    function testFuzz_split_anyBond_sumsUpAndBurnsHalf(
        uint96 bondWei,
        uint256 gasWei,
        uint8 pages,
        bool challenged,
        bool early
    ) public pure {
        Shares memory shares = SlashLib.split(bondWei, gasWei, pages, challenged, early);
        uint256 demandersWei = shares.demanderWei * pages;
        assertEq(shares.burnedWei + shares.challengerWei + shares.senderWei + demandersWei, bondWei);
        assertTrue(shares.burnedWei * 2 >= bondWei, "at least half is burned");
        if (challenged) assertTrue(shares.challengerWei >= bondWei / 4, "the challenger's quarter is its own");
        else assertEq(shares.challengerWei, 0);
        uint256 gasPart = gasWei < bondWei / 4 ? gasWei : bondWei / 4;
        assertTrue(shares.senderWei >= gasPart, "the sender's gas comes before all parts");
    }

    function testFuzz_split_ofAnAccomplice_losesHalf(uint96 bondWei, uint256 gasWei, uint8 pages, bool early)
        public
        pure
    {
        Shares memory shares = SlashLib.split(bondWei, gasWei, pages, true, early);
        uint256 backWei = shares.challengerWei + shares.senderWei + shares.demanderWei * pages;
        assertLe(backWei, bondWei / 2);
    }

    function test_split_late_givesTheSenderGasAndPart() public pure {
        _assertShares(SlashLib.split(800, 50, 2, true, false), Shares(400, 200, 100, 50));
    }

    function test_split_early_givesTheSenderOnlyGas() public pure {
        _assertShares(SlashLib.split(800, 50, 2, true, true), Shares(400, 250, 50, 50));
    }

    function test_split_gasAboveAQuarter_isCut() public pure {
        _assertShares(SlashLib.split(800, 1e30, 2, true, false), Shares(400, 200, 200, 0));
    }

    function test_split_eager_burnsTheChallengersQuarter() public pure {
        _assertShares(SlashLib.split(800, 50, 0, false, true), Shares(600, 0, 200, 150));
    }

    function test_split_remainders_areBurned() public pure {
        _assertShares(SlashLib.split(807, 50, 2, true, false), Shares(406, 201, 100, 50));
    }

    function _assertShares(Shares memory received, Shares memory expected) private pure {
        assertEq(received.burnedWei, expected.burnedWei);
        assertEq(received.challengerWei, expected.challengerWei);
        assertEq(received.senderWei, expected.senderWei);
        assertEq(received.demanderWei, expected.demanderWei);
    }
}
