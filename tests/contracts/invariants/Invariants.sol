// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "../Harness.sol";

/// @notice Counts the calls that it tries.
interface IPlayer {
    function attempts() external view returns (uint256);
    function successes() external view returns (uint256);
}

/// @notice Base of invariants: forge makes one player move at random, and looks after each move at what must hold.
abstract contract Invariants is Harness {
    /// @dev As forge knows it.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    IPlayer private _player;
    bytes4[] private _moves;

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_player);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_player), _moves);
    }

    /// @notice An invariant over calls that mostly revert would say little.
    function afterInvariant() public virtual {
        (uint256 successes, uint256 attempts) = (_player.successes(), _player.attempts());
        if (attempts < 20) return;
        emit log_named_uint("calls that succeeded, %", 100 * successes / attempts);
        assertTrue(2 * successes > attempts, "more than half of the calls succeed");
    }

    function play(address player) internal {
        _player = IPlayer(player);
    }

    /// @dev What is worth more is named more often.
    function allow(bytes4 move, uint256 times) internal {
        for (uint256 i = 0; i < times; ++i) {
            _moves.push(move);
        }
    }
}
