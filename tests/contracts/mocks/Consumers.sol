// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../../contracts/interfaces/IClaimChain.sol";
import {IConsumer} from "../../../contracts/interfaces/IConsumer.sol";
import {ClaimId, RequestId} from "../../../contracts/types/Ids.sol";

/// @notice Remembers what it was told and with how much gas; refuses while told to.
contract Listener is IConsumer {
    uint256 public calls;
    uint256 public gasSeen;
    uint64 public sequence;
    Certainty public certainty;
    RequestId public request;
    ClaimId public claim;
    bytes public output;
    bool public refusing;

    error NotNow();

    function setRefusing(bool refusing_) external {
        refusing = refusing_;
    }

    function onResult(
        RequestId request_,
        ClaimId claim_,
        Certainty certainty_,
        uint64 sequence_,
        bytes calldata output_
    ) external {
        uint256 gasNow = gasleft();
        if (refusing) revert NotNow();
        ++calls;
        (gasSeen, request, claim) = (gasNow, request_, claim_);
        (certainty, sequence, output) = (certainty_, sequence_, output_);
    }
}

/// @notice Runs until its gas is gone.
contract Burner is IConsumer {
    function onResult(RequestId, ClaimId, Certainty, uint64, bytes calldata) external pure {
        while (true) {}
    }
}

/// @notice Returns, or reverts with, a megabyte; it needs 2.3 million gas for that.
contract Flooder is IConsumer {
    bool private immutable REVERTING;

    constructor(bool reverting) {
        REVERTING = reverting;
    }

    function onResult(RequestId, ClaimId, Certainty, uint64, bytes calldata) external view {
        bool reverting = REVERTING;
        assembly {
            if reverting { revert(0, 1048576) }
            return(0, 1048576)
        }
    }
}

/// @notice Destroys itself when it is called.
contract Vanisher is IConsumer {
    function onResult(RequestId, ClaimId, Certainty, uint64, bytes calldata) external {
        selfdestruct(payable(address(1)));
    }
}

/// @notice Makes prepared calls from inside its callback, and remembers how each ended.
contract Reenterer is IConsumer {
    address private immutable TARGET;
    bytes[] private _calls;
    bytes[] public outcomes;

    constructor(address target) {
        TARGET = target;
    }

    function prepare(bytes calldata payload) external {
        _calls.push(payload);
    }

    function onResult(RequestId, ClaimId, Certainty, uint64, bytes calldata) external {
        for (uint256 i = 0; i < _calls.length; ++i) {
            (bool success, bytes memory reason) = TARGET.call(_calls[i]);
            outcomes.push(success ? bytes("") : reason);
        }
    }

    function outcomeCount() external view returns (uint256) {
        return outcomes.length;
    }
}
