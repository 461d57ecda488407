// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {BrokenWeight, IScoreClaims, Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {IStepJudge, Opening} from "../../contracts/interfaces/IStepJudge.sol";
import {LEAF_TAG, REQUEST_BATCH_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {MerkleLib} from "../../contracts/libraries/MerkleLib.sol";
import {ShaTree} from "../../contracts/libraries/ShaTree.sol";
import {BF16, F16, F32, I64, TensorHeader} from "../../contracts/types/Roots.sol";
import {Models} from "./mocks/Models.sol";
import {ScoreStage} from "./mocks/ScoreStage.sol";

/// @notice Claimed weights against those that the scorer was registered with: an f32 tensor of two leaves, one of f16, one of
/// bf16, one of i64. Element 7 of the first is -Inf from the start: a mask.
contract ScoreWeightsTest is ScoreStage {
    uint32 private constant MASKED = 7;
    uint32 private constant NAN = 0x7fc00000;
    uint32 private constant MINUS_INFINITY = 0xff800000;

    ClaimWitness private _witness;
    bytes[4] private _own;
    bytes[4] private _claimed;

    function setUp() public override {
        super.setUp();
        bytes memory wide = new bytes(1_200);
        for (uint256 i = 0; i < 1_200; i += 4) {
            (wide[i], wide[i + 1]) = (0x3f, bytes1(uint8(i / 4)));
        }
        _own = [wide, abi.encodePacked(uint16(0x3c00)), abi.encodePacked(uint16(0x3f80)), abi.encodePacked(uint64(9))];
        _write(_own, 0, MASKED * 4, abi.encodePacked(MINUS_INFINITY));
        Model memory model = template();
        model.graphHeader = bytes32((uint256(1) << 224) | (uint256(4) << 192) | (uint256(6) << 160));
        model.weightsRoot = bundle(_roots(_own));
        scorer = registry.register{value: REGISTRANT_BOND}(model);
        _claimed = _own;
    }

    function _write(bytes[4] storage weights, uint256 tensor, uint256 place, bytes memory data) private {
        for (uint256 i = 0; i < data.length; ++i) {
            weights[tensor][place + i] = data[i];
        }
    }

    function _header(uint256 tensor) private pure returns (TensorHeader) {
        if (tensor == 0) return Models.header(F32, 1, 300);
        return Models.header(tensor == 1 ? F16 : tensor == 2 ? BF16 : I64, 1, 1);
    }

    function _roots(bytes[4] memory weights) private pure returns (bytes32[] memory roots) {
        roots = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) {
            roots[i] = tensorOf(_header(i), topOf(_leaves(weights[i])));
        }
    }

    function _leaves(bytes memory data) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[]((data.length + 1023) / 1024);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = sha256(bytes.concat(LEAF_TAG, _leafOf(data, i)));
        }
    }

    function _leafOf(bytes memory data, uint256 leaf) private pure returns (bytes memory part) {
        uint256 end = (leaf + 1) * 1024 < data.length ? (leaf + 1) * 1024 : data.length;
        part = new bytes(end - leaf * 1024);
        for (uint256 i = 0; i < part.length; ++i) {
            part[i] = data[leaf * 1024 + i];
        }
    }

    function _opening(bytes[4] memory weights, uint32 tensor, uint256 leaf) private pure returns (Opening memory) {
        return Opening({
            leaves: _leafOf(weights[tensor], leaf),
            siblings: siblingsOf(_leaves(weights[tensor]), leaf, leaf),
            bundlePath: siblingsOf(_roots(weights), tensor, tensor)
        });
    }

    function _shown(uint32 tensor, uint32 element) private view returns (BrokenWeight memory shown) {
        (shown.header, shown.tensor, shown.element) = (_header(tensor), tensor, element);
        uint256 leaf = tensor == 0 ? element / 256 : 0;
        shown.own = _opening(_own, tensor, leaf);
        shown.claimed = _opening(_claimed, tensor, leaf);
    }

    /// @notice A claim of two items with `_claimed`.
    function _score() private {
        Scoring memory scoring = scoringOf(honest(2));
        scoring.weightsRoot = bundle(_roots(_claimed));
        make(scoring);
        _witness = witnessOf(scoring, 0);
    }

    function _breakAndScore(uint32 tensor, uint32 place, bytes memory data) private {
        _write(_claimed, tensor, place, data);
        _score();
    }

    function _refused(BrokenWeight memory shown, bytes memory reason) private {
        vm.expectRevert(reason);
        scoreClaims.condemn(_witness.requests, _witness.claims, shown);
    }

    function _sound(uint32 tensor, uint32 element) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IScoreClaims.WeightIsSound.selector, tensor, element);
    }

    // Refusals.

    function test_condemn_finiteWeights_revert() external {
        _breakAndScore(0, 0, abi.encodePacked(uint32(0x7f7fffff)));
        uint32[2][5] memory places = [[uint32(0), 0], [uint32(0), 299], [uint32(1), 0], [uint32(2), 0], [uint32(3), 0]];
        for (uint256 i = 0; i < places.length; ++i) {
            _refused(_shown(places[i][0], places[i][1]), _sound(places[i][0], places[i][1]));
        }
    }

    /// @dev A mask of the architecture's own is no fault of whoever trained beside it.
    function test_condemn_maskThatStayedOne_reverts() external {
        _breakAndScore(0, 0, abi.encodePacked(uint32(0x3f800000)));
        _refused(_shown(0, MASKED), _sound(0, MASKED));
    }

    /// @dev Nothing could be judged of such a scorer, whoever trained it.
    function test_condemn_weightThatWasNoNumberBefore_reverts() external {
        _write(_own, 0, 44, abi.encodePacked(NAN));
        Model memory broken = registry.model(scorer);
        broken.weightsRoot = bundle(_roots(_own));
        scorer = registry.register{value: REGISTRANT_BOND}(broken);
        _breakAndScore(0, 44, abi.encodePacked(NAN + 1));
        _refused(_shown(0, 11), _sound(0, 11));
    }

    /// @dev Else a liar would make a NaN of a mask, and everything after it would acquit.
    function test_condemn_maskThatBecameAnother_refutesItsClaim() external {
        uint32[2] memory others = [NAN, uint32(0x7f800000)];
        for (uint256 i = 0; i < 2; ++i) {
            _claimed = _own;
            uint256 snapshot = vm.snapshotState();
            _breakAndScore(0, MASKED * 4, abi.encodePacked(others[i]));
            scoreClaims.condemn(_witness.requests, _witness.claims, _shown(0, MASKED));
            assertStanding(_witness, Certainty.Refuted, 0);
            vm.revertToState(snapshot);
        }
    }

    function test_condemn_integers_revert() external {
        _breakAndScore(3, 0, abi.encodePacked(type(uint64).max));
        _refused(_shown(3, 0), _sound(3, 0));
    }

    function test_condemn_leavesOfOtherWeights_revert() external {
        _breakAndScore(0, 0, abi.encodePacked(NAN));
        BrokenWeight memory shown = _shown(0, 0);
        (shown.own, shown.claimed) = (shown.claimed, shown.own);
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
        shown = _shown(0, 0);
        shown.claimed.leaves[9] ^= 0x01;
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 1));
        shown = _shown(0, 0);
        shown.header = Models.header(F32, 2, 150);
        _refused(shown, abi.encodeWithSelector(IStepJudge.NotInBundle.selector, 0));
    }

    function test_condemn_beyondTheWeights_reverts() external {
        _breakAndScore(0, 0, abi.encodePacked(NAN));
        BrokenWeight memory shown = _shown(0, 0);
        shown.tensor = 4;
        _refused(shown, abi.encodeWithSelector(ShaTree.IndexOutOfTree.selector, 4, 4));
        shown = _shown(0, 0);
        shown.element = 300;
        _refused(shown, abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 300, 300));
        shown.header = TensorHeader.wrap(0);
        _refused(shown, abi.encodeWithSelector(MerkleLib.BadHeader.selector, 0));
    }

    function test_condemn_ownWeights_revert() external {
        _score();
        _refused(_shown(0, MASKED), _sound(0, MASKED));
    }

    function test_condemn_otherRecords_revert() external {
        _breakAndScore(0, 0, abi.encodePacked(NAN));
        BrokenWeight memory shown = _shown(0, 0);
        ClaimWitness memory witness = _witness;
        ++witness.requests.count;
        bytes32 named = keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, scoreClaims, witness.requests));
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownRequestBatch.selector, named));
        scoreClaims.condemn(witness.requests, witness.claims, shown);
        witness = _witness;
        ++witness.claims.bondWei;
        vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownClaim.selector, batchIdOf(witness)));
        scoreClaims.condemn(witness.requests, witness.claims, shown);
    }

    function test_condemn_twice_reverts() external {
        _breakAndScore(0, 0, abi.encodePacked(NAN));
        BrokenWeight memory shown = _shown(0, 0);
        scoreClaims.condemn(_witness.requests, _witness.claims, shown);
        _refused(
            shown,
            abi.encodeWithSelector(IScoreClaims.WrongCertainty.selector, Certainty.Refuted, Certainty.Provisional)
        );
    }

    // Broken weights.

    function test_condemn_nan_refutesItsClaim() external {
        _breakAndScore(0, 299 * 4, abi.encodePacked(NAN));
        BrokenWeight memory shown = _shown(0, 299);
        (uint256 burnedWei, uint256 senderWei) = (vault.burned(), vault.balanceOf(SENDER));
        vm.expectEmit(true, true, true, true, address(scoreClaims));
        emit IScoreClaims.WeightsCondemned(batchIdOf(_witness), SENDER, 0, 299);
        vm.prank(SENDER);
        scoreClaims.condemn(_witness.requests, _witness.claims, shown);
        assertStanding(_witness, Certainty.Refuted, 0);
        assertEq(vault.balanceOf(SENDER) - senderWei, BOND / 4);
        assertEq(vault.burned() - burnedWei, BOND - BOND / 4);
    }

    function test_condemn_sixteenBits_refuteTheirClaim() external {
        bytes[2] memory broken = [abi.encodePacked(uint16(0x7c00)), abi.encodePacked(uint16(0xff80))];
        for (uint32 i = 0; i < 2; ++i) {
            _claimed = _own;
            uint256 snapshot = vm.snapshotState();
            _breakAndScore(i + 1, 0, broken[i]);
            scoreClaims.condemn(_witness.requests, _witness.claims, _shown(i + 1, 0));
            assertStanding(_witness, Certainty.Refuted, 0);
            vm.revertToState(snapshot);
        }
    }
}
