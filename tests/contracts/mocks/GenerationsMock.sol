// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../../../contracts/interfaces/IContestable.sol";
import {
    Generation, GenerationState, GenerationStatus, GenerationTerms, IGenerations
} from "../../../contracts/interfaces/IGenerations.sol";
import {Standing} from "../../../contracts/interfaces/IScoreClaims.sol";
import {IVault} from "../../../contracts/interfaces/IVault.sol";
import {CallbackLib, Message} from "../../../contracts/libraries/CallbackLib.sol";
import {ClaimBatchId, ClaimId, RequestId} from "../../../contracts/types/Ids.sol";
import {currentInstant} from "../../../contracts/types/Time.sol";

/// @notice What a requester sees of Generations and of the claims of scores behind it: requests, money and callbacks as they
/// do them, without leases, scores or clocks. What is claimed, and how it ends, is the test's to say.
contract GenerationsMock {
    IVault private _vault;
    mapping(address => uint64) public nonceOf;
    mapping(RequestId => GenerationState) private _states;
    mapping(RequestId => Generation) private _generations;
    mapping(ClaimBatchId => Standing) private _standings;

    function join(IVault vault) external {
        _vault = vault;
    }

    function request(GenerationTerms calldata terms) external payable returns (RequestId id) {
        if (msg.value != terms.feeWei) revert IGenerations.WrongPayment(msg.value, terms.feeWei);
        Generation memory generation = Generation(msg.sender, nonceOf[msg.sender]++, currentInstant(), terms);
        id = RequestId.wrap(keccak256(abi.encode(address(this), generation)));
        _generations[id] = generation;
        (_states[id].status, _states[id].deadline) = (GenerationStatus.Open, terms.deadline);
        _vault.escrow{value: msg.value}();
    }

    function claim(RequestId id, ClaimBatchId claimed, bytes calldata tokens) external {
        GenerationState storage state = _states[id];
        (state.status, state.claim, state.output) = (GenerationStatus.Claimed, claimed, keccak256(tokens));
        _standings[claimed].certainty = Certainty.Provisional;
    }

    function fall(ClaimBatchId claimed, Certainty certainty) external {
        _standings[claimed].certainty = certainty;
    }

    function reopen(RequestId id) external {
        GenerationState storage state = _states[id];
        (state.status, state.output) = (GenerationStatus.Open, 0);
        ++state.attempts;
    }

    /// @notice Makes a text final and fires the callback, with exact gas; returns whether it succeeded.
    function settle(RequestId id, bytes calldata tokens) external returns (bool heard) {
        GenerationState storage state = _states[id];
        (state.status, state.output) = (GenerationStatus.Final, keccak256(tokens));
        heard = tell(id, Certainty.Final, tokens);
        state.heard = heard;
    }

    function refund(RequestId id) external {
        _states[id].status = GenerationStatus.Refunded;
        _vault.pay(_generations[id].requester, _generations[id].terms.feeWei);
    }

    function tell(RequestId id, Certainty certainty, bytes calldata tokens) public returns (bool) {
        GenerationTerms storage terms = _generations[id].terms;
        Message memory message = Message(id, ClaimId.wrap(0), certainty, _states[id].attempts + 1, tokens);
        return CallbackLib.send(terms.callback, terms.callbackGas, message);
    }

    function stateOf(RequestId id) external view returns (GenerationState memory) {
        return _states[id];
    }

    function standingOf(ClaimBatchId claimed) external view returns (Standing memory) {
        return _standings[claimed];
    }

    function generationOf(RequestId id) external view returns (Generation memory) {
        return _generations[id];
    }
}
