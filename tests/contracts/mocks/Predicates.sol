// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProperty} from "../../../contracts/interfaces/IProperty.sol";

/// @notice Says yes to one subject and one list of scores, and to nothing else.
contract Expecting is IProperty {
    bytes32 private immutable EXPECTED;

    constructor(bytes32 subject, bytes memory scores) {
        EXPECTED = keccak256(abi.encode(subject, scores));
    }

    function holds(bytes32 subject, bytes calldata scores) external view returns (bool) {
        return keccak256(abi.encode(subject, scores)) == EXPECTED;
    }
}

/// @notice Says yes where it was given no more and not much less than the gas it was promised.
contract Frugal is IProperty {
    uint256 private immutable PROMISED;

    constructor(uint256 promised) {
        PROMISED = promised;
    }

    function holds(bytes32, bytes calldata) external view returns (bool) {
        uint256 left = gasleft();
        return left <= PROMISED && left + 1_000 > PROMISED;
    }
}

/// @notice Answers with bytes of a test's choosing, or fails with them.
contract Blunt {
    bytes private _answer;
    bool private _reverting;

    function set(bytes calldata answer, bool reverting) external {
        (_answer, _reverting) = (answer, reverting);
    }

    fallback() external {
        bytes memory answer = _answer;
        bool reverting = _reverting;
        assembly ("memory-safe") {
            if reverting { revert(add(answer, 32), mload(answer)) }
            return(add(answer, 32), mload(answer))
        }
    }
}

/// @notice Answers yes, and then as many bytes as its gas pays for.
contract Bomb {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 300000)
        }
    }
}

/// @notice Uses up all its gas.
contract Endless is IProperty {
    function holds(bytes32, bytes calldata) external pure returns (bool) {
        while (true) {}
        return true;
    }
}

/// @notice Wants to write, which a question does not let it.
contract Writer {
    uint256 private _count;

    function holds(bytes32, bytes calldata) external returns (bool) {
        ++_count;
        return true;
    }
}
