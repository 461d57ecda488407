// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Verdict} from "../interfaces/IStepJudge.sol";
import {Approx, Approximate} from "../math/Approx.sol";
import {Bound, BoundLib} from "../math/Bound.sol";
import {Float} from "../math/Float.sol";

/// @title Division of floats (PROTOCOL.md, section 5, "Div")
library Quotient {
    /// @dev Units of `u·|y*|`: 2 ulp.
    int256 private constant COUNT = 4;

    /// @notice A divisor that is zero, or may be flushed to it, acquits; a dividend that may be flushed gives 0 too.
    /// @param dtype of the result; `y` the committed element, as f32 bits
    function judge(uint8 dtype, uint32 a, uint32 b, uint32 y, uint256 factor) internal pure returns (Verdict) {
        if (!Float.isFinite(a) || !Float.isFinite(b) || Float.isTiny(b)) return Verdict.NoFault;
        if (Float.isSubnormal(a) && Float.order(y) == 0) return Verdict.NoFault;
        Approx quotient = Approximate.ofFloat(a) / Approximate.ofFloat(b);
        Approx scale = quotient.abs().scaled(-24);
        Bound memory bound = Bound(scale, scale * Approximate.make(COUNT, 0), Approximate.make(1, -126));
        return BoundLib.judge(dtype, y, quotient, bound, factor);
    }
}
