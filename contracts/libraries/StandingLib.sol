// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibBit} from "solady/utils/LibBit.sol";

/// @dev Not a claim, or one that was contested and now has a record of its own.
uint256 constant NOT_HERE = 0;
/// @dev Live and not yet final.
uint256 constant LIVE = 1;
/// @dev Final, nothing more to do.
uint256 constant SETTLED = 2;
/// @dev Final, its callback not yet fired.
uint256 constant UNSETTLED = 3;

/// @title Where each claim of a batch stands, in two bits
/// @notice A word holds 128 claims: bit i of its low half and bit i of its high half are the low and the high bit of
/// claim i's standing. So a whole batch becomes final with one write for 128 claims.
library StandingLib {
    uint256 private constant HALF = type(uint128).max;

    /// @notice Makes the claims in `live` live. The batch must be new.
    function open(uint256[4] storage words, uint256[2] memory live) internal {
        for (uint256 word = 0; word < 4; ++word) {
            uint256 half = (live[word >> 1] >> ((word & 1) << 7)) & HALF;
            if (half != 0) words[word] = half;
        }
    }

    /// @notice Makes every live claim final, to be settled yet if `callback`. Returns how many there were.
    function close(uint256[4] storage words, uint256 count, bool callback) internal returns (uint256 closed) {
        for (uint256 word = 0; word << 7 < count; ++word) {
            uint256 packed = words[word];
            uint256 live = packed & HALF & ~(packed >> 128);
            if (live == 0) continue;
            closed += LibBit.popCount(live);
            words[word] = (callback ? packed : packed ^ live) | (live << 128);
        }
    }

    function read(uint256[4] storage words, uint256 index) internal view returns (uint256) {
        uint256 pair = words[index >> 7] >> (index & 127);
        return (pair & 1) | ((pair >> 127) & 2);
    }

    function write(uint256[4] storage words, uint256 index, uint256 standing) internal {
        uint256 bit = index & 127;
        uint256 cleared = words[index >> 7] & ~((1 << bit) | (1 << (bit + 128)));
        words[index >> 7] = cleared | ((standing & 1) << bit) | ((standing >> 1) << (bit + 128));
    }
}
