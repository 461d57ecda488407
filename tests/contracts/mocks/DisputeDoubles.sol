// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {Model, Terms, Windows} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Committed, FaultProof, IStepJudge, Opening, Verdict} from "../../../contracts/interfaces/IStepJudge.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestId} from "../../../contracts/types/Ids.sol";
import {Instant} from "../../../contracts/types/Time.sol";

/// @notice Stands in for ClaimChain: every well-formed witness is a claim, its bond is locked by `post`.
contract ToyClaims {
    IVault public vault;
    address public game;
    mapping(ClaimId => Certainty) public certainty;
    mapping(ClaimId => Instant) public finalAt;
    mapping(ClaimId => bytes32) private _witnesses;

    function connect(IVault vault_, address game_) external {
        vault = vault_;
        game = game_;
    }

    /// @notice Locks one bond for each claim of the batch.
    function post(ClaimBatch calldata claims) external {
        vault.lock(claims.executor, uint256(claims.bondWei) * claims.count);
    }

    function contest(ClaimWitness calldata witness) external returns (ClaimId id, RequestId request) {
        id = _step(witness, Certainty.None, Certainty.Challenged);
        _witnesses[id] = keccak256(abi.encode(witness));
        request = RequestId.wrap(keccak256(abi.encode(witness.request)));
    }

    function acquit(ClaimWitness calldata witness, Instant until) external {
        finalAt[_step(witness, Certainty.Challenged, Certainty.Provisional)] = until;
    }

    /// @notice What `finaliseContested` does, without time.
    function finalise(ClaimWitness calldata witness) external {
        _step(witness, Certainty.Provisional, Certainty.Final);
        vault.pay(witness.claims.executor, witness.claims.bondWei);
    }

    function refute(ClaimWitness calldata witness) external returns (uint96 bondWei) {
        _fall(witness, Certainty.Refuted);
        bondWei = witness.claims.bondWei;
        vault.move(game, bondWei);
    }

    function reject(ClaimWitness calldata witness, uint256 costWei) external returns (uint256 movedWei) {
        _fall(witness, Certainty.Rejected);
        movedWei = costWei < witness.claims.bondWei ? costWei : witness.claims.bondWei;
        vault.move(game, movedWei);
        vault.pay(witness.claims.executor, witness.claims.bondWei - movedWei);
    }

    /// @notice The first witness of a contested claim is the right one.
    function requireWitness(ClaimWitness calldata witness) external view returns (ClaimId id, RequestId request) {
        (id, request) = (idOf(witness), RequestId.wrap(keccak256(abi.encode(witness.request))));
        bytes32 known = _witnesses[id];
        if (known != 0 && known != keccak256(abi.encode(witness))) revert IClaimChain.NotInClaims(witness.index);
    }

    function claimBatchIdOf(ClaimBatch calldata claims) public pure returns (ClaimBatchId) {
        return ClaimBatchId.wrap(keccak256(abi.encode(claims)));
    }

    function claimIdOf(ClaimBatchId batchId, uint32 index) public pure returns (ClaimId) {
        return ClaimId.wrap(keccak256(abi.encode(batchId, index)));
    }

    function idOf(ClaimWitness calldata witness) public pure returns (ClaimId) {
        return claimIdOf(claimBatchIdOf(witness.claims), witness.index);
    }

    function _fall(ClaimWitness calldata witness, Certainty to) private {
        Certainty from = certainty[idOf(witness)];
        _step(witness, from == Certainty.Provisional ? from : Certainty.Challenged, to);
    }

    function _step(ClaimWitness calldata witness, Certainty from, Certainty to) private returns (ClaimId id) {
        id = idOf(witness);
        if (certainty[id] != from) revert IClaimChain.WrongCertainty(certainty[id], from);
        certainty[id] = to;
    }
}

/// @notice Stands in for ModelRegistry: one model, whose windows a test chooses.
contract ToyRegistry {
    Windows public windows;

    function setWindows(Windows calldata windows_) external {
        windows = windows_;
    }

    function model(ModelId) external view returns (Model memory known) {
        known.windows = windows;
    }

    function terms(ModelId) external view returns (Terms memory known) {
        known.windows = windows;
    }
}

/// @notice Stands in for StepJudge: a proof's hint is its verdict, graphs have 100 steps, empty leaves are wrong.
contract ToyJudge {
    uint256 public constant STEPS = 100;

    function judge(Committed calldata, FaultProof calldata proof) external pure returns (Verdict) {
        return Verdict(uint8(uint32(proof.hint)));
    }

    function requireLeaf(
        Committed calldata,
        uint32,
        bytes calldata,
        bytes32[] calldata,
        uint8,
        uint32,
        Opening calldata opening
    ) external pure {
        if (opening.leaves.length == 0) revert IStepJudge.WrongLeafBytes(0, 1024);
    }

    function requireSlot(Committed calldata, uint32 step, bytes calldata, bytes32[] calldata, uint8, uint32)
        external
        pure
    {
        if (step >= STEPS) revert IStepJudge.StepOutOfRange(step, STEPS);
    }
}
