// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {Judges} from "./mocks/Judges.sol";
import {StepJudge} from "../../contracts/StepJudge.sol";
import {LeafRef, StepProof} from "../../contracts/interfaces/IDisputeGame.sol";
import {Committed, FaultProof, Opening, Verdict} from "../../contracts/interfaces/IStepJudge.sol";

/// @notice Verdicts of the contract on the cases that its Python twin decided (tests/parity/generate.py).
contract ParityJudgeTest is Harness {
    error OtherVerdict(string file, uint256 number, uint256 received, uint256 expected);
    error NotRefused(string file, uint256 number);
    error Refused(string file, uint256 number, bytes reason);

    StepJudge private _judge;

    function setUp() public {
        _judge = new Judges().JUDGE();
    }

    function test_judge_malformedProofs_revert() public view {
        _compare("malformed");
    }

    function test_judge_contractions_areJudgedAsByTheTwin() public view {
        _compare("contract");
        _compare("cancelling");
    }

    function test_judge_contractionsOfOtherProfiles_areJudgedAsByTheTwin() public view {
        _compare("profiles");
    }

    function test_judge_pairsOfElements_areJudgedAsByTheTwin() public view {
        string[9] memory files = ["add", "sub", "mul", "div", "maximum", "minimum", "compare", "logical", "where"];
        for (uint256 i = 0; i < files.length; ++i) {
            _compare(files[i]);
        }
    }

    function test_judge_singleElements_areJudgedAsByTheTwin() public view {
        string[11] memory files =
            ["relu", "neg", "abs", "clamp", "floor", "ceil", "round", "trunc", "sign", "not", "cast"];
        for (uint256 i = 0; i < files.length; ++i) {
            _compare(files[i]);
        }
    }

    function test_judge_rows_areJudgedAsByTheTwin() public view {
        string[3] memory files = ["sum", "spread", "expsum"];
        for (uint256 i = 0; i < files.length; ++i) {
            _compare(files[i]);
        }
    }

    function test_judge_maxima_areJudgedAsByTheTwin() public view {
        _compare("amax");
    }

    function test_judge_argmaxes_areJudgedAsByTheTwin() public view {
        _compare("argmax");
    }

    function test_judge_movements_areJudgedAsByTheTwin() public view {
        _compare("movement");
    }

    function test_judge_functions_areJudgedAsByTheTwin() public view {
        string[14] memory names = [
            "exp",
            "log",
            "tanh",
            "sigmoid",
            "sqrt",
            "rsqrt",
            "erf",
            "gelu",
            "gelu_tanh",
            "silu",
            "sin",
            "cos",
            "expm1",
            "log1p"
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            _compare(names[i]);
        }
    }

    function test_judge_powers_areJudgedAsByTheTwin() public view {
        _compare("pow");
    }

    function test_judge_tailsOfRows_areJudgedAsByTheTwin() public view {
        _compare("softmax");
        _compare("log_softmax");
        _compare("norm");
    }

    function test_judge_links_areJudgedAsByTheTwin() public view {
        _compare("link");
    }

    function test_judge_overflows_areJudgedAsByTheTwin() public view {
        _compare("undefined");
        _compare("misplaced");
    }

    function test_judge_everyStepOfANetwork_isJudgedAsByTheTwin() public view {
        _compare("network");
    }

    function test_judge_rowsOverSeveralLeaves_areJudgedAsByTheTwin() public view {
        _compare("wide");
    }

    function test_requireLeaf_everyNameAndOpening_isTakenAsByTheTwin() public view {
        string memory json = vm.readFile("tests/parity/vectors/leaves.json");
        bytes[] memory cases = vm.parseJsonBytesArray(json, ".cases");
        uint256[] memory reverts = vm.parseJsonUintArray(json, ".reverts");
        assertTrue(cases.length > 32, "a file has cases");
        assertEq(reverts.length, cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            try this.requireLeaf(cases[i]) {
                if (reverts[i] == 1) revert NotRefused("leaves", i);
            } catch (bytes memory reason) {
                if (reverts[i] == 0) revert Refused("leaves", i, reason);
            }
        }
    }

    function requireLeaf(bytes calldata encoded) external view {
        (Committed memory committed, LeafRef memory ref, StepProof memory step, Opening memory opening) =
            abi.decode(encoded, (Committed, LeafRef, StepProof, Opening));
        _judge.requireLeaf(committed, ref.step, step.record, step.path, ref.slot, ref.leaf, opening);
    }

    function _compare(string memory file) private view {
        string memory json = vm.readFile(string.concat("tests/parity/vectors/", file, ".json"));
        bytes[] memory cases = vm.parseJsonBytesArray(json, ".cases");
        uint256[] memory verdicts = vm.parseJsonUintArray(json, ".verdicts");
        uint256[] memory reverts = vm.parseJsonUintArray(json, ".reverts");
        assertTrue(cases.length > 4, "a file has cases");
        assertEq(verdicts.length, cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            (Committed memory committed, FaultProof memory proof) = abi.decode(cases[i], (Committed, FaultProof));
            try _judge.judge(committed, proof) returns (Verdict verdict) {
                if (reverts[i] == 1) revert NotRefused(file, i);
                if (uint256(verdict) != verdicts[i]) revert OtherVerdict(file, i, uint256(verdict), verdicts[i]);
            } catch (bytes memory reason) {
                if (reverts[i] == 0) revert Refused(file, i, reason);
            }
        }
    }
}
