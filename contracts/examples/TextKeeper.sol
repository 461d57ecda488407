// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../interfaces/IClaimChain.sol";
import {IConsumer} from "../interfaces/IConsumer.sol";
import {GenerationTerms, IGenerations} from "../interfaces/IGenerations.sol";
import {ClaimId, RequestId} from "../types/Ids.sol";

/// @title Asks for texts and keeps what was told
/// @notice Whoever pays may ask. A text is written down once its claim is final; until then there is none.
contract TextKeeper is IConsumer {
    IGenerations public immutable GENERATIONS;

    mapping(RequestId => bytes) private _texts;

    event Asked(RequestId indexed id, address indexed by);
    event Told(RequestId indexed id, ClaimId claim, bytes tokens);

    error NotGenerations(address received, address expected);

    constructor(IGenerations generations) {
        GENERATIONS = generations;
    }

    /// @notice Asks for a text; whatever callback the terms name, this contract is told. `msg.value` must be the fee.
    function ask(GenerationTerms memory terms) external payable returns (RequestId id) {
        terms.callback = address(this);
        id = GENERATIONS.request{value: msg.value}(terms);
        emit Asked(id, msg.sender);
    }

    /// @inheritdoc IConsumer
    /// @dev Of a text only a final claim is told, and told once: so sequence numbers need not be compared.
    function onResult(RequestId id, ClaimId claim, Certainty, uint64, bytes calldata tokens) external {
        if (msg.sender != address(GENERATIONS)) revert NotGenerations(msg.sender, address(GENERATIONS));
        _texts[id] = tokens;
        emit Told(id, claim, tokens);
    }

    /// @notice Canonical bytes of the new tokens; empty until told.
    function textOf(RequestId id) external view returns (bytes memory) {
        return _texts[id];
    }
}
