// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClaimWitness} from "../../contracts/interfaces/IContestable.sol";
import {IScoreClaims, Scoring} from "../../contracts/interfaces/IScoreClaims.sol";
import {KeccakTree} from "../../contracts/libraries/KeccakTree.sol";
import {ClaimBatchId, ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {ScoreStage} from "./mocks/ScoreStage.sol";

/// @notice A witness of an item is checked whole: whatever field of it is another one, it is refused.
contract ScoreWitnessTest is ScoreStage {
    Scoring private _scoring;

    function setUp() public override {
        super.setUp();
        _scoring = scoringOf(honest(5));
        make(_scoring);
    }

    function test_requireWitness_sound_isTaken() public view {
        for (uint32 i = 0; i < 5; ++i) {
            scoreClaims.requireWitness(witnessOf(_scoring, i));
        }
    }

    function test_requireWitness_anotherRequestField_reverts() public {
        for (uint256 field = 0; field < 13; ++field) {
            ClaimWitness memory witness = _witness();
            if (field == 0) witness.request.requester = generations;
            if (field == 1) witness.request.nonce = 3;
            if (field == 2) witness.request.kind = 0;
            if (field == 3) witness.request.model = scorer;
            if (field == 4) witness.request.inputsRoot = BundleRoot.wrap(keccak256("other inputs"));
            if (field == 5) witness.request.property = 0;
            if (field == 6) witness.request.parents = keccak256("parents");
            if (field == 7) witness.request.feeWei = 1;
            if (field == 8) witness.request.tipWei = 1;
            if (field == 9) witness.request.minBondWei = 1;
            if (field == 10) witness.request.deadline = Instant.wrap(1);
            if (field == 11) witness.request.callback = EXECUTOR;
            if (field == 12) witness.request.callbackGas = 1;
            _expectRefused(witness, IScoreClaims.NotAnItem.selector);
        }
    }

    function test_requireWitness_anotherRequestBatchField_reverts() public {
        for (uint256 field = 0; field < 10; ++field) {
            ClaimWitness memory witness = _witness();
            if (field == 0) witness.requests.lane = 1;
            if (field == 1) witness.requests.first = 1;
            if (field == 2) witness.requests.count = 6;
            if (field == 3) witness.requests.root = keccak256("root");
            if (field == 4) witness.requests.model = scorer;
            if (field == 5) witness.requests.feeWei = 1;
            if (field == 6) witness.requests.tipWei = 1;
            if (field == 7) witness.requests.minBondWei = 1;
            if (field == 8) witness.requests.deadline = Instant.wrap(1);
            if (field == 9) witness.requests.callback = true;
            _expectRefused(witness, IScoreClaims.UnknownRequestBatch.selector);
        }
    }

    /// @dev Another record of claims is another claim, which nobody made.
    function test_contest_anotherClaimBatchField_reverts() public {
        for (uint256 field = 0; field < 6; ++field) {
            ClaimWitness memory witness = _witness();
            if (field == 0) witness.claims.executor = CHALLENGER;
            if (field == 1) witness.claims.first = 1;
            if (field == 2) witness.claims.bondWei += 1;
            if (field == 3) witness.claims.claimedAt = Instant.wrap(uint40(START - 1));
            if (field == 4) witness.claims.eager = true;
            if (field == 5) witness.claims.undefined = true;
            ClaimBatchId id = scoreClaims.claimBatchIdOf(witness.claims);
            vm.expectRevert(abi.encodeWithSelector(IScoreClaims.UnknownClaim.selector, id));
            vm.prank(address(scoreGame));
            scoreClaims.contest(witness);
        }
    }

    function test_requireWitness_anotherEntryOrPath_reverts() public {
        ClaimWitness memory witness = _witness();
        witness.entry[0] ^= 0x01;
        _expectRefused(witness, IScoreClaims.NotInClaims.selector);
        witness = _witness();
        witness.entry = bytes.concat(witness.entry, hex"00");
        _expectRefused(witness, IScoreClaims.NotInClaims.selector);
        witness = _witness();
        witness.entryPath[1] ^= bytes32(uint256(1));
        _expectRefused(witness, IScoreClaims.NotInClaims.selector);
        witness = _witness();
        witness.requestPath[0] ^= bytes32(uint256(1));
        _expectRefused(witness, IScoreClaims.NotAnItem.selector);
        witness = _witness();
        witness.requestPath = new bytes32[](4);
        _expectRefused(witness, KeccakTree.WrongPathLength.selector);
        witness = _witness();
        witness.entryPath = new bytes32[](4);
        _expectRefused(witness, KeccakTree.WrongPathLength.selector);
    }

    function test_requireWitness_anotherIndex_reverts() public {
        ClaimWitness memory witness = _witness();
        // Its neighbour has the same score, and so the same path.
        witness.index = 3;
        _expectRefused(witness, IScoreClaims.NotAnItem.selector);
        witness.index = 4;
        _expectRefused(witness, KeccakTree.WrongPathLength.selector);
        witness.index = 5;
        _expectRefused(witness, KeccakTree.IndexOutOfTree.selector);
    }

    /// @dev The scores of one item do not fit the name of another: equal entries, other inputs.
    function test_requireWitness_itemOfAnotherPlace_reverts() public {
        (ClaimWitness memory witness, ClaimWitness memory other) = (_witness(), witnessOf(_scoring, 3));
        (witness.request, witness.requestPath) = (other.request, other.requestPath);
        _expectRefused(witness, IScoreClaims.NotAnItem.selector);
    }

    /// @dev A record by the rules of another contract or chain names nothing here.
    function test_requireWitness_onAnotherChain_reverts() public {
        ClaimWitness memory witness = _witness();
        vm.chainId(7);
        _expectRefused(witness, IScoreClaims.UnknownRequestBatch.selector);
    }

    function _witness() private view returns (ClaimWitness memory) {
        return witnessOf(_scoring, 2);
    }

    function _expectRefused(ClaimWitness memory witness, bytes4 selector) private {
        (bool taken, bytes memory answer) =
            address(scoreClaims).call(abi.encodeCall(scoreClaims.requireWitness, (witness)));
        assertTrue(!taken && bytes4(answer) == selector, "refused, and for this reason");
        vm.prank(address(scoreGame));
        (taken, answer) = address(scoreClaims).call(abi.encodeCall(scoreClaims.contest, (witness)));
        assertTrue(!taken && bytes4(answer) == selector, "and so is a challenge");
    }
}
