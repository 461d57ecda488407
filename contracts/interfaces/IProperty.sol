// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A contract's own idea of what is right
/// @notice Asked once, in the executor's claim transaction, with exactly the gas that the request names; its answer is
/// final. So a predicate that changes its mind, runs dry or reads an oracle slashes nobody, and it is never disputed: what
/// is disputed are the scores that it was shown.
/// @dev Called by STATICCALL. One that reverts or returns anything but `true` has said no.
interface IProperty {
    /// @param subject what is claimed: binds request, executor and the claimed result
    /// @param scores one big-endian f32 an item, in order
    function holds(bytes32 subject, bytes calldata scores) external view returns (bool);
}
