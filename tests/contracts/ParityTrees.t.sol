// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";
import {MerkleLib} from "../../contracts/libraries/MerkleLib.sol";
import {ShaPath} from "../../contracts/libraries/ShaPath.sol";
import {ShaTree} from "../../contracts/libraries/ShaTree.sol";
import {BundleRoot, GraphRoot, NumericsRoot, TensorHeader, TensorRoot} from "../../contracts/types/Roots.sol";

/// @notice Trees and roots on the vectors that Python made (tests/parity/generate.py).
contract ParityTreesTest is Harness {
    string private constant FOLDER = "tests/parity/vectors/";

    function runTop(uint256 first, uint256 size, bytes32[] memory nodes, bytes32[] calldata siblings)
        external
        view
        returns (bytes32)
    {
        bytes32[] memory spaced = new bytes32[](nodes.length + 2);
        for (uint256 i = 0; i < nodes.length; ++i) {
            spaced[i + 1] = nodes[i];
        }
        return ShaTree.runTop(spaced, first, size, siblings);
    }

    function pathTop(bytes32 node, uint256 index, uint256 size, bytes32[] calldata path)
        external
        view
        returns (bytes32)
    {
        return ShaPath.pathTop(node, index, size, path);
    }

    function keccakTop(bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata path)
        external
        pure
        returns (bytes32)
    {
        return KeccakTree.keccakPath(leaf, index, size, path);
    }

    function tensorRoot(TensorHeader header, bytes calldata data) external view returns (TensorRoot) {
        MerkleLib.requireHeader(header);
        return MerkleLib.tensorRoot(header, data);
    }

    function requireHeader(TensorHeader header) external pure {
        MerkleLib.requireHeader(header);
    }

    function graphRoot(bytes calldata record, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        external
        view
        returns (GraphRoot)
    {
        return MerkleLib.graphPath(record, step, steps, header, path);
    }

    function numericsRoot(uint256 factor, uint256 step, uint256 steps, bytes32 header, bytes32[] calldata path)
        external
        view
        returns (NumericsRoot)
    {
        return MerkleLib.numericsPath(factor, step, steps, header, path);
    }

    function test_runTop_spoiltProofs_revert() public view {
        bytes[] memory spoilt = vm.parseJsonBytesArray(_read("trees"), ".spoilt");
        assertTrue(spoilt.length > 50, "many ways to spoil a proof");
        for (uint256 i = 0; i < spoilt.length; ++i) {
            (uint256 first, uint256 size, bytes32[] memory nodes, bytes32[] memory siblings) =
                abi.decode(spoilt[i], (uint256, uint256, bytes32[], bytes32[]));
            try this.runTop(first, size, nodes, siblings) {
                assertTrue(false, "a spoilt proof was taken");
            } catch {}
        }
    }

    function test_requireHeader_badHeaders_revert() public view {
        bytes32[] memory headers = vm.parseJsonBytes32Array(_read("roots"), ".badHeaders");
        for (uint256 i = 0; i < headers.length; ++i) {
            try this.requireHeader(TensorHeader.wrap(headers[i])) {
                revert MerkleLib.BadHeader(headers[i]);
            } catch {}
        }
    }

    function test_runTop_runsOfPython_haveItsTops() public view {
        string memory json = _read("trees");
        bytes[] memory runs = vm.parseJsonBytesArray(json, ".runs");
        bytes32[] memory tops = vm.parseJsonBytes32Array(json, ".tops");
        for (uint256 i = 0; i < runs.length; ++i) {
            (uint256 first, uint256 size, bytes32[] memory nodes, bytes32[] memory siblings) =
                abi.decode(runs[i], (uint256, uint256, bytes32[], bytes32[]));
            assertEq(this.runTop(first, size, nodes, siblings), tops[i]);
            if (nodes.length == 1) assertEq(this.pathTop(nodes[0], first, size, siblings), tops[i]);
        }
    }

    function test_keccakPath_pathsOfPython_haveItsTops() public view {
        string memory json = _read("trees");
        bytes[] memory paths = vm.parseJsonBytesArray(json, ".keccakPaths");
        bytes32[] memory tops = vm.parseJsonBytes32Array(json, ".keccakTops");
        for (uint256 i = 0; i < paths.length; ++i) {
            (bytes32 leaf, uint256 index, uint256 size, bytes32[] memory path) =
                abi.decode(paths[i], (bytes32, uint256, uint256, bytes32[]));
            assertEq(this.keccakTop(leaf, index, size, path), tops[i]);
        }
    }

    function test_tensorRoot_tensorsOfPython_haveItsRoots() public view {
        string memory json = _read("roots");
        bytes[] memory tensors = vm.parseJsonBytesArray(json, ".tensors");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".tensorRoots");
        for (uint256 i = 0; i < tensors.length; ++i) {
            (TensorHeader header, bytes memory data) = abi.decode(tensors[i], (TensorHeader, bytes));
            assertEq(TensorRoot.unwrap(this.tensorRoot(header, data)), roots[i]);
        }
    }

    function test_bundleRoot_bundlesOfPython_haveItsRoots() public view {
        string memory json = _read("roots");
        bytes[] memory bundles = vm.parseJsonBytesArray(json, ".bundles");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".bundleRoots");
        for (uint256 i = 0; i < bundles.length; ++i) {
            TensorRoot[] memory tensors = abi.decode(bundles[i], (TensorRoot[]));
            assertEq(BundleRoot.unwrap(MerkleLib.bundleRoot(tensors)), roots[i]);
        }
    }

    function test_graphPath_stepsOfPython_haveItsRoot() public view {
        string memory json = _read("roots");
        bytes[] memory steps = vm.parseJsonBytesArray(json, ".steps");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".graphRoots");
        for (uint256 i = 0; i < steps.length; ++i) {
            (bytes memory record, uint256 step, uint256 count, bytes32 header, bytes32[] memory path) =
                abi.decode(steps[i], (bytes, uint256, uint256, bytes32, bytes32[]));
            assertEq(GraphRoot.unwrap(this.graphRoot(record, step, count, header, path)), roots[i]);
        }
    }

    function test_numericsPath_factorsOfPython_haveItsRoot() public view {
        string memory json = _read("roots");
        bytes[] memory factors = vm.parseJsonBytesArray(json, ".factors");
        bytes32[] memory roots = vm.parseJsonBytes32Array(json, ".numericsRoots");
        for (uint256 i = 0; i < factors.length; ++i) {
            (uint256 factor, uint256 step, uint256 count, bytes32 header, bytes32[] memory path) =
                abi.decode(factors[i], (uint256, uint256, uint256, bytes32, bytes32[]));
            assertEq(NumericsRoot.unwrap(this.numericsRoot(factor, step, count, header, path)), roots[i]);
        }
    }

    function _read(string memory name) private view returns (string memory) {
        return vm.readFile(string.concat(FOLDER, name, ".json"));
    }
}
