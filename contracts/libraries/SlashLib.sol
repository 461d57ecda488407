// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Where a refuted claim's bond goes, wei. The parts sum to the bond.
/// @param senderWei its gas and its part
/// @param demanderWei the part of each demand page
struct Shares {
    uint256 burnedWei;
    uint256 challengerWei;
    uint256 senderWei;
    uint256 demanderWei;
}

/// @title The split of a slashed bond (PROTOCOL.md, "The game")
/// @notice Arithmetic only: knows no account and pays nobody.
library SlashLib {
    /// @param gasWei the sender's metered gas, honoured up to a quarter of the bond
    /// @param pages demand pages, each with one part
    /// @param challenged false for an eager proof: the challenger's quarter is burned
    /// @param early whether the sender's part belongs to the challenger
    function split(uint256 bondWei, uint256 gasWei, uint256 pages, bool challenged, bool early)
        internal
        pure
        returns (Shares memory shares)
    {
        uint256 quarter = bondWei / 4;
        if (gasWei > quarter) gasWei = quarter;
        uint256 part = (bondWei / 2 - quarter - gasWei) / (pages + 1);

        shares.senderWei = gasWei;
        shares.demanderWei = part;
        if (challenged) shares.challengerWei = quarter;
        if (challenged && early) shares.challengerWei += part;
        else shares.senderWei += part;
        shares.burnedWei = bondWei - shares.challengerWei - shares.senderWei - part * pages;
    }
}
