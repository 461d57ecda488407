// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RiskOracle} from "../../../contracts/examples/RiskOracle.sol";
import {RequestId} from "../../../contracts/types/Ids.sol";

/// @notice Feeds an oracle with its own wei; while it is paid it takes back again, and keeps what that call reverted with.
contract ReenteringFeeder {
    RiskOracle private _oracle;
    RequestId private _question;
    bytes public refusal;

    function serve(RiskOracle oracle) external {
        _oracle = oracle;
    }

    function addDay(uint32 dailyReturn) external payable {
        _oracle.addDay{value: address(this).balance}(dailyReturn);
    }

    function expect(RequestId question) external {
        _question = question;
    }

    receive() external payable {
        try _oracle.takeBack(_question) {}
        catch (bytes memory reason) {
            refusal = reason;
        }
    }
}
