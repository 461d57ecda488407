// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimBatch} from "../../../contracts/interfaces/IContestable.sol";
import {IModelRegistry, Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IProperty} from "../../../contracts/interfaces/IProperty.sol";
import {RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {IScoreClaims, Scoring, Standing} from "../../../contracts/interfaces/IScoreClaims.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {
    CLAIM_BATCH_TAG, CLAIM_TAG, REQUEST_BATCH_TAG, SCORED_TAG
} from "../../../contracts/libraries/ConstantsLib.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestBatchId} from "../../../contracts/types/Ids.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {SlowTree} from "./SlowTree.sol";

/// @notice Makes claims of scores as ScoreClaims does; whether they stand is the test's to say, and their bonds stay locked.
contract ScoreClaimsMock {
    IVault private immutable VAULT;
    IModelRegistry private immutable MODELS;

    uint256 public minimumWei = 0.01 ether;
    mapping(ClaimBatchId => Standing) private _standings;
    ClaimBatch private _last;
    Scoring private _scoring;
    address public refuter;

    constructor(IVault vault, IModelRegistry models) {
        (VAULT, MODELS) = (vault, models);
    }

    function setMinimum(uint256 minimumWei_) external {
        minimumWei = minimumWei_;
    }

    function set(ClaimBatchId id, Certainty certainty) external {
        _standings[id].certainty = certainty;
    }

    function make(Scoring calldata scoring) external returns (ClaimBatchId id) {
        if (scoring.bondWei < minimumWei) revert IScoreClaims.BondTooLow(scoring.bondWei, minimumWei);
        uint32 count = uint32(scoring.items.length);
        Model memory model = MODELS.model(scoring.scorer);
        model.weightsRoot = scoring.weightsRoot;
        RequestBatch memory items;
        (items.lane, items.count, items.model) = (2, count, MODELS.idOf(model));
        items.root = SlowTree.root(itemIds(msg.sender, scoring));
        _last = ClaimBatch({
            requests: RequestBatchId.wrap(
                keccak256(abi.encode(REQUEST_BATCH_TAG, block.chainid, address(this), items))
            ),
            executor: scoring.executor,
            first: 0,
            count: count,
            root: keccak256(scoring.scores),
            bondWei: scoring.bondWei,
            claimedAt: Instant.wrap(uint40(block.timestamp)),
            eager: false,
            undefined: false
        });
        id = claimBatchIdOf(_last);
        if (_standings[id].certainty != Certainty.None) revert IScoreClaims.AlreadyClaimed(id);
        Instant finalAt =
            Instant.wrap(uint40(block.timestamp) + Duration.unwrap(MODELS.terms(scoring.scorer).windows.challenge));
        _standings[id] = Standing(Certainty.Provisional, 0, scoring.bondWei, finalAt);
        _scoring = scoring;
        VAULT.lock(scoring.executor, scoring.bondWei);
    }

    function finalise(ClaimBatch calldata claims) external {
        Standing storage standing = _standings[claimBatchIdOf(claims)];
        if (standing.certainty != Certainty.Provisional) {
            revert IScoreClaims.WrongCertainty(standing.certainty, Certainty.Provisional);
        }
        if (block.timestamp < Instant.unwrap(standing.finalAt)) revert IScoreClaims.WindowOpen(standing.finalAt);
        standing.certainty = Certainty.Final;
    }

    function refuteBySource(ClaimBatch calldata claims, address sender) external {
        _standings[claimBatchIdOf(claims)].certainty = Certainty.Refuted;
        refuter = sender;
    }

    function minimumBond(ModelId) external view returns (uint256) {
        return minimumWei;
    }

    function standingOf(ClaimBatchId id) external view returns (Standing memory) {
        return _standings[id];
    }

    function last() external view returns (ClaimBatch memory, Scoring memory) {
        return (_last, _scoring);
    }

    function itemIds(address source, Scoring memory scoring) public pure returns (bytes32[] memory ids) {
        ids = new bytes32[](scoring.items.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = keccak256(abi.encode(SCORED_TAG, source, scoring.subject, i, scoring.items[i]));
        }
    }

    function claimBatchIdOf(ClaimBatch memory claims) public view returns (ClaimBatchId) {
        return ClaimBatchId.wrap(keccak256(abi.encode(CLAIM_BATCH_TAG, block.chainid, address(this), claims)));
    }

    function claimIdOf(ClaimBatchId batchId, uint32 index) external pure returns (ClaimId) {
        return ClaimId.wrap(keccak256(abi.encode(CLAIM_TAG, batchId, index)));
    }
}

/// @notice Says what the test wants to hear, or fails to.
contract PredicateMock is IProperty {
    enum Manner {
        Yes,
        No,
        Revert,
        Burn
    }

    Manner public manner;

    error Refused();

    function setManner(Manner manner_) external {
        manner = manner_;
    }

    function holds(bytes32, bytes calldata) external view returns (bool) {
        if (manner == Manner.Revert) revert Refused();
        while (manner == Manner.Burn) {}
        return manner == Manner.Yes;
    }
}
