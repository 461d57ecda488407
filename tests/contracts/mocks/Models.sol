// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {ILimitsJudge} from "../../../contracts/interfaces/ILimitsJudge.sol";
import {InputSpec, Model, Windows} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {
    BOOL, BundleRoot, F32, GraphRoot, I32, I64, NumericsRoot, TensorHeader, U8
} from "../../../contracts/types/Roots.sol";
import {Duration} from "../../../contracts/types/Time.sol";

/// @notice Well-formed models for tests to bend.
library Models {
    uint32 internal constant ONE = 0x3f800000;
    uint64 internal constant MIN_BOND_GAS = 2_000_000;

    /// @notice A registry that takes no bonds, and so needs neither a Vault nor a judge.
    function registry(Windows memory least, Windows memory most, uint64 minBondGas) internal returns (ModelRegistry) {
        return new ModelRegistry(IVault(address(0)), ILimitsJudge(address(0)), address(0), least, most, minBondGas, 0);
    }

    /// @notice 64 pixels in 0..1 in, ten logits out: the shape of a network that reads digits.
    function digits() internal pure returns (Model memory) {
        InputSpec[] memory inputs = new InputSpec[](1);
        inputs[0] = InputSpec({header: header(F32, 1, 64), lo: 0, hi: int64(uint64(ONE))});
        return taking(inputs);
    }

    /// @notice One input of `count` elements.
    function single(uint8 dtype, uint32 count, int64 lo, int64 hi) internal pure returns (Model memory) {
        InputSpec[] memory inputs = new InputSpec[](1);
        inputs[0] = InputSpec({header: header(dtype, 1, count), lo: lo, hi: hi});
        return taking(inputs);
    }

    /// @notice f32 [1, 2], i64 [1, 1], i32 [1, 2], u8 [1, 3], bool [1, 1]: 31 bytes.
    function everyDtype() internal pure returns (Model memory) {
        InputSpec[] memory inputs = new InputSpec[](5);
        inputs[0] = InputSpec({header: header(F32, 1, 2), lo: 0xbf800000, hi: int64(uint64(ONE))});
        inputs[1] = InputSpec({header: header(I64, 1, 1), lo: -5, hi: type(int64).max});
        inputs[2] = InputSpec({header: header(I32, 1, 2), lo: type(int32).min, hi: -1});
        inputs[3] = InputSpec({header: header(U8, 1, 3), lo: 1, hi: 255});
        inputs[4] = InputSpec({header: header(BOOL, 1, 1), lo: 0, hi: 1});
        return taking(inputs);
    }

    function taking(InputSpec[] memory inputs) internal pure returns (Model memory) {
        return Model({
            graphRoot: GraphRoot.wrap(keccak256("graph")),
            graphHeader: bytes32((inputs.length << 224) | (uint256(4) << 192) | (uint256(6) << 160)),
            weightsRoot: BundleRoot.wrap(keccak256("weights")),
            numericsRoot: NumericsRoot.wrap(keccak256("numerics")),
            numericsHeader: bytes32(uint256(1) << 248),
            inputs: inputs,
            outputHeader: header(F32, 1, 10),
            outputBand: 0x3a83126f, // 0.001
            slashBand: 0x3b03126f, // twice that
            minBondGas: MIN_BOND_GAS,
            windows: windows(60)
        });
    }

    function windows(uint32 each) internal pure returns (Windows memory) {
        Duration length = Duration.wrap(each);
        return Windows({challenge: length, open: length, collect: length, supply: length, prove: length});
    }

    /// @notice Header of a tensor of shape [rows, columns].
    function header(uint8 dtype, uint32 rows, uint32 columns) internal pure returns (TensorHeader) {
        uint256 word = (uint256(dtype) << 248) | (uint256(2) << 240);
        return TensorHeader.wrap(bytes32(word | (uint256(rows) << 192) | (uint256(columns) << 160)));
    }
}
