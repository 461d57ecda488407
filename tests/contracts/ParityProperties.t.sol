// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {PropertyJudge} from "../../contracts/PropertyJudge.sol";
import {Generation} from "../../contracts/interfaces/IGenerations.sol";
import {InputSpec} from "../../contracts/interfaces/IModels.sol";
import {Outcome, Property} from "../../contracts/interfaces/IPropertyJudge.sol";
import {Training, TrainingId, TrainingTerms} from "../../contracts/interfaces/ITrainings.sol";
import {DRAW_TAG, SEED_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {MaskLib} from "../../contracts/libraries/MaskLib.sol";
import {PoolLib} from "../../contracts/libraries/PoolLib.sol";
import {PropertyIds} from "../../contracts/libraries/PropertyIds.sol";
import {RangeLib} from "../../contracts/libraries/RangeLib.sol";
import {ScoredLib} from "../../contracts/libraries/ScoredLib.sol";
import {Uniforms} from "../../contracts/libraries/Uniforms.sol";
import {RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";

/// @notice The libraries of properties at whatever address they are asked for: ids bind their contract.
contract PropertyNames {
    function idOf(Training calldata training) external view returns (TrainingId) {
        return PropertyIds.idOf(training);
    }

    function idOf(Generation calldata generation) external view returns (RequestId) {
        return PropertyIds.idOf(generation);
    }

    function unmasks(bytes32 key, uint256 tensor, uint256 leaf, bytes calldata masked, bytes calldata plain)
        external
        pure
        returns (bool)
    {
        return MaskLib.unmasks(key, tensor, leaf, masked, plain);
    }

    function elementOf(bytes32 key, uint256 tensor, uint256 leaf, bytes calldata masked, uint256 start, uint256 width)
        external
        pure
        returns (uint256)
    {
        return MaskLib.elementOf(key, tensor, leaf, masked, start, width);
    }

    function requireInPool(
        TrainingTerms calldata terms,
        uint256 index,
        bytes32 keyHash,
        BundleRoot maskedRoot,
        bytes32[] calldata path
    ) external pure {
        PoolLib.requireInPool(terms, index, keyHash, maskedRoot, path);
    }
}

/// @notice What Python (tests/parity/properties.py) hashed, masked, drew and added up, done again by the contracts.
contract ParityPropertiesTest is Harness {
    string private _json;
    string private _aggregates;
    PropertyNames private _names;
    PropertyJudge private _judge;

    function setUp() public {
        _json = vm.readFile("tests/parity/vectors/properties.json");
        _aggregates = vm.readFile("tests/parity/vectors/aggregates.json");
        (_names, _judge) = (new PropertyNames(), new PropertyJudge());
    }

    function test_idOf_requestsOfPython_haveTheirIds() public {
        (uint256 chain, address place, Training memory training) =
            abi.decode(_only(".trainings"), (uint256, address, Training));
        assertEq(TrainingId.unwrap(_namesAt(chain, place).idOf(training)), _onlyWord(".trainingIds"));
        Generation memory generation;
        (chain, place, generation) = abi.decode(_only(".generations"), (uint256, address, Generation));
        assertEq(RequestId.unwrap(_namesAt(chain, place).idOf(generation)), _onlyWord(".generationIds"));
    }

    function test_commitmentOf_commitmentOfPython_isTheSame() public view {
        (TrainingId id, address executor, BundleRoot weightsRoot, bytes32 salt) =
            abi.decode(_only(".commitments"), (TrainingId, address, BundleRoot, bytes32));
        assertEq(PropertyIds.commitmentOf(id, executor, weightsRoot, salt), _onlyWord(".commitmentHashes"));
    }

    function test_subjectOf_subjectsOfPython_areTheSame() public view {
        (TrainingId id, uint32 number, address executor, BundleRoot weightsRoot) =
            abi.decode(_only(".scored"), (TrainingId, uint32, address, BundleRoot));
        assertEq(PropertyIds.subjectOf(id, number, executor, weightsRoot), _onlyWord(".scoredSubjects"));
        (RequestId request, uint32 attempts, address author, bytes memory tokens) =
            abi.decode(_only(".texts"), (RequestId, uint32, address, bytes));
        assertEq(PropertyIds.subjectOf(request, attempts, author, keccak256(tokens)), _onlyWord(".textSubjects"));
    }

    function test_itemIdOf_itemOfPython_hasItsId() public view {
        (address source, bytes32 subject, uint256 index, BundleRoot inputsRoot) =
            abi.decode(_only(".items"), (address, bytes32, uint256, BundleRoot));
        RequestId id = ScoredLib.itemIdOf(source, subject, index, inputsRoot);
        assertEq(RequestId.unwrap(id), _onlyWord(".itemIds"));
    }

    function test_itemKeyOf_keysOfPython_areTheSame() public view {
        bytes32[] memory keys = vm.parseJsonBytes32Array(_json, ".poolKeys");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(_json, ".keyHashes");
        for (uint256 i = 0; i < keys.length; ++i) {
            assertEq(PoolLib.keyHashOf(keys[i]), hashes[i]);
        }
        bytes[] memory places = vm.parseJsonBytesArray(_json, ".itemPlaces");
        bytes32[] memory itemKeys = vm.parseJsonBytes32Array(_json, ".itemKeys");
        for (uint256 i = 0; i < places.length; ++i) {
            (bytes32 poolKey, uint256 index) = abi.decode(places[i], (bytes32, uint256));
            assertEq(PoolLib.itemKeyOf(poolKey, index), itemKeys[i]);
        }
    }

    function test_unmasks_leavesThatPythonMasked_andNoOthers() public view {
        bytes[] memory cases = vm.parseJsonBytesArray(_json, ".masked");
        for (uint256 i = 0; i < cases.length; ++i) {
            (bytes32 key, uint256 tensor, uint256 leaf, bytes memory masked, bytes memory plain) =
                abi.decode(cases[i], (bytes32, uint256, uint256, bytes, bytes));
            assertTrue(_names.unmasks(key, tensor, leaf, masked, plain), "unmasks");
            assertTrue(!_names.unmasks(key, tensor + 1, leaf, masked, plain), "another tensor");
            plain[plain.length - 1] ^= 0x01;
            assertTrue(!_names.unmasks(key, tensor, leaf, masked, plain), "another byte");
        }
    }

    function test_elementOf_leavesThatPythonMasked_isTheElement() public view {
        bytes[] memory cases = vm.parseJsonBytesArray(_json, ".elements");
        for (uint256 i = 0; i < cases.length; ++i) {
            (bytes32 key, uint256 tensor, uint256 leaf, bytes memory masked, uint256 start, uint256 width, uint256 bits) =
                abi.decode(cases[i], (bytes32, uint256, uint256, bytes, uint256, uint256, uint256));
            assertEq(_names.elementOf(key, tensor, leaf, masked, start, width), bits);
        }
    }

    function test_isWithin_elementsOfPython_areTheSame() public view {
        bytes[] memory cases = vm.parseJsonBytesArray(_json, ".ranges");
        for (uint256 i = 0; i < cases.length; ++i) {
            (InputSpec memory spec, uint256 bits, bool inside) = abi.decode(cases[i], (InputSpec, uint256, bool));
            assertTrue(RangeLib.isWithin(spec, bits) == inside, "inside for both or for neither");
        }
    }

    function test_requireInPool_itemsOfPython_areInTheirPools() public view {
        bytes[] memory cases = vm.parseJsonBytesArray(_json, ".pooled");
        TrainingTerms memory terms;
        for (uint256 i = 0; i < cases.length; ++i) {
            uint256 index;
            bytes32 keyHash;
            BundleRoot maskedRoot;
            bytes32[] memory path;
            (terms.poolRoot, terms.poolCount, index, keyHash, maskedRoot, path) =
                abi.decode(cases[i], (bytes32, uint32, uint256, bytes32, BundleRoot, bytes32[]));
            _names.requireInPool(terms, index, keyHash, maskedRoot, path);
        }
    }

    function test_draw_itemsThatPythonDrew_areTheSame() public view {
        (TrainingId id, bytes32 beacon) = abi.decode(_only(".draws"), (TrainingId, bytes32));
        assertEq(PoolLib.seedOf(id, beacon), _onlyWord(".drawSeeds"));
        assertEq(keccak256(abi.encode(DRAW_TAG, id, beacon)), _onlyWord(".drawSeeds"));
        bytes[] memory cases = vm.parseJsonBytesArray(_json, ".opened");
        for (uint256 i = 0; i < cases.length; ++i) {
            (bytes32 seed, uint256 stratum, uint256 size, uint256 expected) =
                abi.decode(cases[i], (bytes32, uint256, uint256, uint256));
            assertEq(PoolLib.drawnIndex(seed, stratum, size), expected);
        }
        cases = vm.parseJsonBytesArray(_json, ".sealed");
        for (uint256 i = 0; i < cases.length; ++i) {
            (bytes32 seed, uint32 poolCount, uint32 openCount, uint32 item, uint32 expected) =
                abi.decode(cases[i], (bytes32, uint32, uint32, uint32, uint32));
            assertEq(PoolLib.sealedIndex(seed, poolCount, openCount, item), expected);
        }
    }

    function test_uniforms_ofASeedOfPython_areTheSame() public view {
        (RequestId id, bytes32 beacon) = abi.decode(_only(".beacons"), (RequestId, bytes32));
        assertEq(keccak256(abi.encode(SEED_TAG, id, beacon)), _onlyWord(".textSeeds"));
        (bytes32 seed, uint256 count, bytes memory expected) = abi.decode(_only(".uniforms"), (bytes32, uint256, bytes));
        assertEq(Uniforms.bytesOf(seed, count), expected);
    }

    function test_judge_scoresThatPythonAddedUp_comeToTheSame() public view {
        bytes[] memory cases = vm.parseJsonBytesArray(_aggregates, ".cases");
        bytes[] memory answers = vm.parseJsonBytesArray(_aggregates, ".answers");
        for (uint256 i = 0; i < cases.length; ++i) {
            (Property memory property, bytes memory scores, uint32 full) =
                abi.decode(cases[i], (Property, bytes, uint32));
            try this.judged(property, scores, full) returns (bytes memory answer) {
                assertEq(answer, answers[i]);
            } catch {
                assertEq(answers[i].length, 0);
            }
        }
    }

    function judged(Property calldata property, bytes calldata scores, uint32 full)
        external
        view
        returns (bytes memory)
    {
        Outcome memory outcome = _judge.judge(property, 0, scores);
        uint256 progress = _judge.progress(property, full, outcome.total, outcome.count);
        return abi.encode(outcome.holds, outcome.total, outcome.count, progress);
    }

    function _namesAt(uint256 chain, address place) private returns (PropertyNames) {
        vm.etch(place, address(_names).code);
        vm.chainId(chain);
        return PropertyNames(place);
    }

    function _only(string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytesArray(_json, key)[0];
    }

    function _onlyWord(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32Array(_json, key)[0];
    }
}
