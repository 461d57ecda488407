// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Models} from "./mocks/Models.sol";
import {ModelRegistry} from "../../contracts/ModelRegistry.sol";
import {IModelRegistry, InputSpec, Model, Terms, Windows} from "../../contracts/interfaces/IModelRegistry.sol";
import {IModels} from "../../contracts/interfaces/IModels.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {BF16, BOOL, BundleRoot, F16, F32, I32, I64, TensorHeader, U8} from "../../contracts/types/Roots.sol";
import {Duration} from "../../contracts/types/Time.sol";

contract ModelRegistryTest is Harness {
    uint32 private constant LEAST = 15;
    uint32 private constant MOST = 7 days;
    int64 private constant INFINITY = 0x7f800000;

    ModelRegistry private registry;

    function setUp() public {
        registry = Models.registry(Models.windows(LEAST), Models.windows(MOST), Models.MIN_BOND_GAS);
    }

    // Refusals.

    function test_register_twice_reverts() public {
        ModelId id = registry.register(Models.digits());
        _refuses(Models.digits(), abi.encodeWithSelector(IModelRegistry.AlreadyRegistered.selector, id));
    }

    function test_register_badGraphHeader_reverts() public {
        uint256[3] memory headers = [
            uint256(6) << 160, // no inputs
            uint256(1) << 224, // no steps
            (uint256(1) << 224) | (uint256(6) << 160) | 1 // reserved bits
        ];
        for (uint256 i = 0; i < headers.length; ++i) {
            Model memory model = Models.digits();
            model.graphHeader = bytes32(headers[i]);
            _refuses(model, abi.encodeWithSelector(IModelRegistry.BadGraphHeader.selector, headers[i]));
        }
    }

    function test_register_inputsUnlikeTheGraph_reverts() public {
        Model memory model = Models.digits();
        model.graphHeader = bytes32((uint256(2) << 224) | (uint256(6) << 160));
        _refuses(model, abi.encodeWithSelector(IModelRegistry.WrongInputs.selector, 1, 2));
    }

    function test_register_badNumericsHeader_reverts() public {
        bytes4[7] memory headers = [
            bytes4(0x00000000), // no profile
            0x04000000, // an unknown one
            0x01020000, // fp32 that cuts operands
            0x02060000, // TF32 that cuts them in an unknown way
            0x02080000, // an unknown flag
            0x01000100,
            0x01000001
        ];
        for (uint256 i = 0; i < headers.length; ++i) {
            Model memory model = Models.digits();
            model.numericsHeader = bytes32(headers[i]);
            _refuses(model, abi.encodeWithSelector(IModelRegistry.BadNumericsHeader.selector, bytes32(headers[i])));
        }
    }

    function test_register_everyProfile_isTaken() public {
        bytes4[6] memory headers = [bytes4(0x01000000), 0x01010000, 0x02000000, 0x02050000, 0x03000000, 0x03010000];
        for (uint256 i = 0; i < headers.length; ++i) {
            Model memory model = Models.digits();
            // Samples and the digest of the calibration's document are free.
            model.numericsHeader = bytes32(headers[i]) | bytes32(uint256(type(uint224).max));
            assertTrue(registry.exists(registry.register(model)), "registered");
        }
    }

    function test_register_badTensorHeaders_revert() public {
        TensorHeader[4] memory headers = [
            Models.header(9, 1, 10),
            Models.header(F32, 0, 10),
            Models.header(F32, 65536, 65536),
            Models.header(I64, 65535, 65537) // 2^32 - 1 elements, 2^35 - 8 bytes
        ];
        for (uint256 i = 0; i < headers.length; ++i) {
            Model memory model = Models.digits();
            model.outputHeader = headers[i];
            _refuses(model, abi.encodeWithSelector(IModelRegistry.BadHeader.selector, headers[i]));
        }
        Model memory zeroDim = Models.single(F32, 0, 0, 1);
        _refuses(zeroDim, abi.encodeWithSelector(IModelRegistry.BadHeader.selector, zeroDim.inputs[0].header));
    }

    function test_register_halfPrecisionInput_reverts() public {
        uint8[2] memory dtypes = [F16, BF16];
        for (uint256 i = 0; i < dtypes.length; ++i) {
            Model memory model = Models.single(dtypes[i], 4, 0, 1);
            _refuses(model, abi.encodeWithSelector(IModelRegistry.BadHeader.selector, model.inputs[0].header));
        }
    }

    function test_register_badRange_reverts() public {
        _refusesRange(F32, 0x3f800000, 0); // 1 .. 0
        _refusesRange(F32, 0, 0xbf800000); // 0 .. -1
        _refusesRange(F32, 0, INFINITY);
        _refusesRange(F32, 0xff800000, 0); // -Inf .. 0
        _refusesRange(F32, 0x7fc00000, 0x7fc00000); // NaN
        _refusesRange(F32, -1, 0);
        _refusesRange(F32, 0, 1 << 32);
        _refusesRange(I64, 1, 0);
        _refusesRange(I32, int64(type(int32).min) - 1, 0);
        _refusesRange(I32, 0, int64(type(int32).max) + 1);
        _refusesRange(U8, -1, 0);
        _refusesRange(U8, 0, 256);
        _refusesRange(BOOL, 1, 0);
        _refusesRange(BOOL, 0, 2);
    }

    function test_register_badBands_revert() public {
        _refusesBands(0x3a83126f, 0x3b03126e); // one ulp below twice
        _refusesBands(0x00400001, 0x00800001); // subnormal, doubled into the normal numbers
        _refusesBands(0x7f000000, 0x7f7fffff); // twice is infinite
        _refusesBands(0, 0x7f800000); // Inf
        _refusesBands(0x7fc00000, 0x7fc00000); // NaN
        _refusesBands(0x80000000, 0); // a sign
        _refusesBands(0, 0xbf800000);
    }

    function test_register_windowsOutOfLimits_revert() public {
        for (uint256 period = 0; period < 5; ++period) {
            Model memory model = Models.digits();
            _setPeriod(model.windows, period, LEAST - 1);
            bytes4 selector = IModelRegistry.WindowTooShort.selector;
            _refuses(model, abi.encodeWithSelector(selector, period, LEAST - 1, LEAST));
            _setPeriod(model.windows, period, MOST + 1);
            selector = IModelRegistry.WindowTooLong.selector;
            _refuses(model, abi.encodeWithSelector(selector, period, MOST + 1, MOST));
        }
    }

    function test_register_minBondGasTooLow_reverts() public {
        Model memory model = Models.digits();
        model.minBondGas = Models.MIN_BOND_GAS - 1;
        bytes4 selector = IModelRegistry.MinBondGasTooLow.selector;
        _refuses(model, abi.encodeWithSelector(selector, Models.MIN_BOND_GAS - 1, Models.MIN_BOND_GAS));
    }

    function test_views_unknownModel_revert() public view {
        ModelId id = registry.idOf(Models.digits());
        bytes[4] memory calls = [
            abi.encodeCall(IModels.model, (id)),
            abi.encodeCall(IModels.terms, (id)),
            abi.encodeCall(IModelRegistry.registrantOf, (id)),
            abi.encodeCall(IModelRegistry.commitInputs, (id, new bytes(256)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory reason) = address(registry).staticcall(calls[i]);
            assertTrue(!success, "an unknown model has no views");
            assertEq(reason, abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, id));
        }
        assertTrue(!registry.exists(id), "not registered");
    }

    function test_commitInputs_wrongLength_reverts() public {
        ModelId id = registry.register(Models.digits());
        uint256[3] memory lengths = [uint256(0), 255, 257];
        for (uint256 i = 0; i < lengths.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.WrongInputLength.selector, lengths[i], 256));
            registry.commitInputs(id, new bytes(lengths[i]));
        }
    }

    function test_commitInputs_outOfRange_namesTheElement() public {
        ModelId id = registry.register(Models.everyDtype());
        int64 one = 0x3f800000;
        _refusesInputs(id, _inputs(0x3f800001, 0, -1, -1, 1, 1), 0, 0x3f800001, 0xbf800000, one);
        _refusesInputs(id, _inputs(0xbf800001, 0, -1, -1, 1, 1), 0, 0xbf800001, 0xbf800000, one);
        _refusesInputs(id, _inputs(0x7fc00000, 0, -1, -1, 1, 1), 0, 0x7fc00000, 0xbf800000, one);
        _refusesInputs(id, _inputs(0xffc00001, 0, -1, -1, 1, 1), 0, 0xffc00001, 0xbf800000, one);
        _refusesInputs(id, _inputs(0xff800000, 0, -1, -1, 1, 1), 0, 0xff800000, 0xbf800000, one);
        _refusesInputs(id, _inputs(0, -6, -1, -1, 1, 1), 2, -6, -5, type(int64).max);
        _refusesInputs(id, _inputs(0, 0, -1, 0, 1, 1), 4, 0, type(int32).min, -1);
        _refusesInputs(id, _inputs(0, 0, -1, -1, 0, 1), 5, 0, 1, 255);
        _refusesInputs(id, _inputs(0, 0, -1, -1, 1, 2), 8, 2, 0, 1);
    }

    // Successes.

    function test_register_keepsEveryParameter() public {
        Model memory model = Models.everyDtype();
        ModelId id = registry.idOf(model);
        assertEq(ModelId.unwrap(id), keccak256(abi.encode(keccak256("anh.v1.model"), model)));
        vm.expectEmit(true, true, false, true, address(registry));
        emit IModelRegistry.Registered(id, address(this), model);
        registry.register(model);
        assertEq(abi.encode(registry.model(id)), abi.encode(model));
        assertEq(registry.registrantOf(id), address(this));
        assertTrue(registry.exists(id), "registered");
        Terms memory expected = Terms({outputBytes: 40, minBondGas: Models.MIN_BOND_GAS, windows: Models.windows(60)});
        assertEq(abi.encode(registry.terms(id)), abi.encode(expected));
    }

    function test_register_atTheLimits_isTaken() public {
        Model memory model = Models.digits();
        (model.outputBand, model.slashBand) = (0x00400001, 0x00800002);
        model.windows = Models.windows(LEAST);
        registry.register(model);
        (model.outputBand, model.slashBand) = (0x7effffff, 0x7f7fffff);
        model.windows = Models.windows(MOST);
        registry.register(model);
        (model.outputBand, model.slashBand) = (0, 0);
        registry.register(model);
    }

    /// @dev Built from the protocol's words alone: tags, header, leaves of 1,024 bytes, zero words for missing leaves.
    function test_commitInputs_isTheProtocolsBundleRoot() public {
        ModelId id = registry.register(Models.single(F32, 513, 0, int64(uint64(Models.ONE))));
        bytes memory inputs = new bytes(2052);
        (inputs[0], inputs[1023], inputs[1024], inputs[2051]) = (0x3e, 0x01, 0x3d, 0x02);
        bytes32 leafTag = keccak256("anh.v1.leaf");
        bytes32 left = sha256(
            bytes.concat(
                sha256(bytes.concat(leafTag, _slice(inputs, 0, 1024))),
                sha256(bytes.concat(leafTag, _slice(inputs, 1024, 2048)))
            )
        );
        bytes32 right = sha256(bytes.concat(sha256(bytes.concat(leafTag, _slice(inputs, 2048, 2052))), bytes32(0)));
        bytes32 top = sha256(bytes.concat(left, right));
        bytes32 header = TensorHeader.unwrap(Models.header(F32, 1, 513));
        bytes32 tensor = sha256(bytes.concat(keccak256("anh.v1.tensor"), header, top));
        bytes32 bundle = sha256(bytes.concat(keccak256("anh.v1.bundle"), bytes32(uint256(1)), tensor));
        assertEq(BundleRoot.unwrap(registry.commitInputs(id, inputs)), bundle);
    }

    function test_commitInputs_everyDtypeAtItsEnds_isTaken() public {
        ModelId id = registry.register(Models.everyDtype());
        BundleRoot low = registry.commitInputs(id, _inputs(0xbf800000, -5, type(int32).min, -1, 1, 0));
        BundleRoot high = registry.commitInputs(id, _inputs(0x3f800000, type(int64).max, -1, -1, 255, 1));
        assertTrue(BundleRoot.unwrap(low) != BundleRoot.unwrap(high), "roots name what is in them");
    }

    function test_commitInputs_minusZeroEqualsZero() public {
        ModelId id = registry.register(Models.digits());
        bytes memory inputs = new bytes(256);
        inputs[0] = 0x80;
        registry.commitInputs(id, inputs);
    }

    // Fuzz.

    function testFuzz_commitInputs_f32OrderMatchesASlowReference(uint32 lo, uint32 hi, uint32 value) public {
        vm.assume(_finite(lo) && _finite(hi));
        if (_above(lo, hi)) (lo, hi) = (hi, lo);
        _compare(
            F32, int64(uint64(lo)), int64(uint64(hi)), value, !_finite(value) || _above(lo, value) || _above(value, hi)
        );
    }

    /// @dev Random words are seldom near each other: here all three share their upper bits.
    function testFuzz_commitInputs_f32OrderOfNeighbours(uint32 base, uint8 a, uint8 b, uint8 c) public {
        base &= 0xffffff00;
        testFuzz_commitInputs_f32OrderMatchesASlowReference(base ^ (uint32(a & 1) << 31) ^ (a >> 1), base ^ b, base ^ c);
    }

    function testFuzz_commitInputs_i32Order(int32 lo, int32 hi, int32 value) public {
        if (lo > hi) (lo, hi) = (hi, lo);
        _compare(I32, lo, hi, uint32(value), value < lo || value > hi);
    }

    function _compare(uint8 dtype, int64 lo, int64 hi, uint32 bits, bool refused) private {
        ModelId id = registry.register(Models.single(dtype, 1, lo, hi));
        int64 shown = dtype == F32 ? int64(uint64(bits)) : int64(int32(bits));
        if (refused) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InputOutOfRange.selector, 0, shown, lo, hi));
        }
        registry.commitInputs(id, abi.encodePacked(bits));
    }

    /// @dev The value times 2^149 as an integer of two words, compared as such.
    function _above(uint32 a, uint32 b) private pure returns (bool) {
        (bool minusA, uint256 highA, uint256 lowA) = _decode(a);
        (bool minusB, uint256 highB, uint256 lowB) = _decode(b);
        if (highA | lowA | highB | lowB == 0) return false;
        if (minusA != minusB) return minusB;
        bool greater = highA != highB ? highA > highB : lowA > lowB;
        bool equal = highA == highB && lowA == lowB;
        return minusA ? !greater && !equal : greater;
    }

    function _decode(uint32 bits) private pure returns (bool minus, uint256 high, uint256 low) {
        uint256 exponent = (bits >> 23) & 0xff;
        uint256 mantissa = (bits & 0x7fffff) + (exponent > 0 ? 1 << 23 : 0);
        uint256 shift = exponent > 0 ? exponent - 1 : 0;
        minus = bits >> 31 == 1;
        high = shift < 128 ? (mantissa << shift) >> 128 : mantissa << (shift - 128);
        low = shift < 128 ? (mantissa << shift) & type(uint128).max : 0;
    }

    function _finite(uint32 bits) private pure returns (bool) {
        return (bits >> 23) & 0xff != 0xff;
    }

    function _refuses(Model memory model, bytes memory reason) private {
        vm.expectRevert(reason);
        registry.register(model);
    }

    function _refusesRange(uint8 dtype, int64 lo, int64 hi) private {
        Model memory model = Models.single(dtype, 4, lo, hi);
        _refuses(model, abi.encodeWithSelector(IModelRegistry.BadRange.selector, 0, lo, hi));
    }

    function _refusesBands(uint32 outputBand, uint32 slashBand) private {
        Model memory model = Models.digits();
        (model.outputBand, model.slashBand) = (outputBand, slashBand);
        _refuses(model, abi.encodeWithSelector(IModelRegistry.BadBand.selector, outputBand, slashBand));
    }

    function _refusesInputs(ModelId id, bytes memory inputs, uint256 element, int64 value, int64 lo, int64 hi) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InputOutOfRange.selector, element, value, lo, hi));
        registry.commitInputs(id, inputs);
    }

    /// @dev Inputs of `Models.everyDtype`: the elements that are not arguments are well within their ranges.
    function _inputs(uint32 real, int64 long, int32 first, int32 second, uint8 small, uint8 flag)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(real, uint32(0), long, first, second, small, uint8(1), uint8(1), flag);
    }

    function _setPeriod(Windows memory windows, uint256 period, uint32 length) private pure {
        assembly ("memory-safe") {
            mstore(add(windows, shl(5, period)), length)
        }
    }

    function _slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = data[i];
        }
    }
}
