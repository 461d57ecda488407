// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {SSTORE2} from "solady/utils/SSTORE2.sol";

import {Certainty} from "../interfaces/IContestable.sol";
import {IConsumer} from "../interfaces/IConsumer.sol";
import {GenerationState, GenerationStatus, GenerationTerms, IGenerations} from "../interfaces/IGenerations.sol";
import {IModelRegistry, Model} from "../interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../interfaces/IScoreClaims.sol";
import {ITrainings, TrainingId} from "../interfaces/ITrainings.sol";
import {IVault} from "../interfaces/IVault.sol";
import {ClaimId, ModelId, RequestId} from "../types/Ids.sol";
import {F32, I64} from "../types/Roots.sol";
import {Duration, currentInstant} from "../types/Time.sol";

/// @notice What a storyteller is built on; none of it can change.
/// @param scores where claims of texts stand
struct Press {
    IGenerations generations;
    IScoreClaims scores;
    ITrainings trainings;
    IModelRegistry models;
    IVault vault;
}

/// @notice How stories are asked for.
/// @param training that made the network; Trained and Final
/// @param scorer the text scorer over that network's weights: i64 tokens [1, T] and f32 uniforms [1, n] to f32 scores [1, n]
/// @param delta f32 bits: at most half of the scorer's output band
/// @param feeWei to the executor; the price of a token
/// @param answerWithin from the request to its deadline, seconds
/// @param callbackGas for `onResult`: 120,000 and 1,500 a new token are enough
struct StoryTerms {
    TrainingId training;
    ModelId scorer;
    uint32 delta;
    uint96 feeWei;
    uint96 minBondWei;
    Duration answerWithin;
    uint32 callbackGas;
}

/// @param opening tokens, one byte each, as they were asked for
/// @param text where the whole text is stored; zero until it is final and told
struct Story {
    RequestId request;
    address text;
    bytes opening;
}

/// @title Storyteller
/// @notice An NFT whose text is written on request by a small network of characters, which an earlier training request
/// produced. Chance selects the characters, so each token's text is its own.
/// @dev What a contract that has texts generated must mind, all of it shown here:
/// - The network is looked up by its training and must be `Final`; the scorer that texts are checked by must have exactly its
///   weights, constants and all. So both are captured together, before the training is asked for (`capture_writer` of
///   executor.generation.writer), and the scorer is given the trained weights after it (`anh model transplant`), and
///   registered. Who deploys chooses the scorer's graph, as it chooses the alphabet: read both.
/// - The callback comes from Generations, not from ClaimChain. It comes once and is final: no sequence numbers are needed,
///   but a text that was told is never told again.
/// - It has a fixed amount of gas and must not fail for what a network says: a token outside the alphabet becomes its first
///   character.
/// - *A text is shown by strangers' pages.* It has only the alphabet's characters, and an alphabet has only letters, digits,
///   the space and `.,;:!?'-`: nothing that ends a JSON string or begins a tag, so there is nothing to escape.
/// - While a text is not final its token says how certain it is, and shows no text; `preview` shows one that is claimed, to
///   whoever brings it, with its certainty.
/// - A request may stay without an answer: after Generations has refunded it, the token's owner burns it for the fee.
contract Storyteller is ERC721, IConsumer {
    using Strings for uint256;

    uint256 private constant TOKEN_BYTES = 8;
    bytes private constant MARKS = " .,;:!?'-";

    IGenerations public immutable GENERATIONS;
    IScoreClaims public immutable SCORES;
    IVault public immutable VAULT;
    /// @notice The trained network itself.
    ModelId public immutable NETWORK;
    /// @notice Characters of an opening, and of what is written after it.
    uint256 public immutable OPENING_CHARACTERS;
    uint256 public immutable NEW_CHARACTERS;

    uint256 public minted;
    /// @notice Character `i` is token `i`; the first one fills openings that are short.
    bytes public alphabet;
    StoryTerms private _terms;
    mapping(uint256 tokenId => Story) private _stories;
    /// @dev One more than the id, so that zero is no token.
    mapping(RequestId id => uint256) private _tokenOf;

    event StoryAsked(uint256 indexed tokenId, RequestId indexed id, address indexed owner, string opening);
    event StoryTold(uint256 indexed tokenId, RequestId indexed id, string text);
    event StoryGivenUp(uint256 indexed tokenId, RequestId indexed id, address indexed owner, uint256 refundWei);

    error NotFinal(TrainingId training, Certainty received);
    error WrongScorer(ModelId received);
    error WrongAlphabetLength(uint256 received, uint256 expected);
    error BadCharacter(bytes1 received, uint256 place);
    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error OpeningTooLong(uint256 received, uint256 maximum);
    error NotGenerations(address received, address expected);
    error UnknownRequest(RequestId received);
    error AlreadyTold(uint256 tokenId);
    error NotTheOwner(address received, address expected);
    error NotRefunded(GenerationStatus received);
    error WrongTokens(bytes32 received, bytes32 expected);

    constructor(Press memory press, StoryTerms memory storyTerms, bytes memory alphabet_) ERC721("Stories", "STORY") {
        Certainty certainty;
        (NETWORK, certainty) = press.trainings.trained(storyTerms.training);
        if (certainty != Certainty.Final) revert NotFinal(storyTerms.training, certainty);
        Model memory scorer = press.models.model(storyTerms.scorer);
        if (!_isScorer(scorer, press.models.model(NETWORK))) revert WrongScorer(storyTerms.scorer);
        _requireAlphabet(alphabet_, uint256(uint64(scorer.inputs[0].hi)) + 1);
        NEW_CHARACTERS = scorer.outputHeader.elements();
        OPENING_CHARACTERS = scorer.inputs[0].header.elements() - NEW_CHARACTERS;
        (GENERATIONS, SCORES, VAULT) = (press.generations, press.scores, press.vault);
        (_terms, alphabet) = (storyTerms, alphabet_);
    }

    /// @notice Gives the caller a new token, counted from 0, whose text is asked for at once. `msg.value` is the fee.
    /// @param opening what the text begins with: characters of the alphabet, as many as fit. A shorter one is filled up from
    /// the left
    function mint(string calldata opening) external payable returns (uint256 tokenId) {
        if (msg.value != _terms.feeWei) revert WrongPayment(msg.value, _terms.feeWei);
        bytes memory tokens = _tokensOf(bytes(opening));
        tokenId = minted++;
        _mint(msg.sender, tokenId);
        RequestId id = GENERATIONS.request{value: msg.value}(_wish(tokens));
        (_stories[tokenId].request, _stories[tokenId].opening) = (id, tokens);
        _tokenOf[id] = tokenId + 1;
        emit StoryAsked(tokenId, id, msg.sender, opening);
    }

    /// @inheritdoc IConsumer
    /// @param output canonical tokens, i64 each
    function onResult(RequestId id, ClaimId, Certainty certainty, uint64, bytes calldata output) external {
        if (msg.sender != address(GENERATIONS)) revert NotGenerations(msg.sender, address(GENERATIONS));
        if (_tokenOf[id] == 0) revert UnknownRequest(id);
        uint256 tokenId = _tokenOf[id] - 1;
        Story storage story = _stories[tokenId];
        if (story.text != address(0)) revert AlreadyTold(tokenId);
        if (certainty != Certainty.Final) return;
        bytes memory text = _textOf(story.opening, output);
        story.text = SSTORE2.write(text);
        emit StoryTold(tokenId, id, string(text));
    }

    /// @notice Owner only, after Generations has refunded the request: burns the token and pays the fee to `to`.
    function giveUp(uint256 tokenId, address to) external {
        address owner = _requireOwned(tokenId);
        if (msg.sender != owner) revert NotTheOwner(msg.sender, owner);
        RequestId id = _stories[tokenId].request;
        GenerationStatus status = GENERATIONS.stateOf(id).status;
        if (status != GenerationStatus.Refunded) revert NotRefunded(status);
        _burn(tokenId);
        delete _stories[tokenId];
        delete _tokenOf[id];
        emit StoryGivenUp(tokenId, id, owner, _terms.feeWei);
        VAULT.withdraw(to, _terms.feeWei);
    }

    /// @notice How sure a token's text is: None while nobody has written one, that of the claim that stands or fell, Final.
    function certaintyOf(uint256 tokenId) public view returns (Certainty) {
        _requireOwned(tokenId);
        GenerationState memory state = GENERATIONS.stateOf(_stories[tokenId].request);
        if (state.status == GenerationStatus.Final) return Certainty.Final;
        if (state.status == GenerationStatus.Claimed) return SCORES.standingOf(state.claim).certainty;
        return Certainty.None;
    }

    /// @notice The whole text, opening and all; empty until it is final and told.
    function textOf(uint256 tokenId) public view returns (string memory) {
        _requireOwned(tokenId);
        address text = _stories[tokenId].text;
        return text == address(0) ? "" : string(SSTORE2.read(text));
    }

    /// @notice The text that `tokens` make, if they are what is claimed for the token now, and how sure that is. Nothing must
    /// be done for a text that is not Final but to look at it.
    /// @param tokens canonical tokens, i64 each, as Generations announced them
    function preview(uint256 tokenId, bytes calldata tokens) external view returns (string memory, Certainty) {
        Certainty certainty = certaintyOf(tokenId);
        bytes32 claimed = GENERATIONS.stateOf(_stories[tokenId].request).output;
        if (keccak256(tokens) != claimed) revert WrongTokens(keccak256(tokens), claimed);
        return (string(_textOf(_stories[tokenId].opening, tokens)), certainty);
    }

    /// @notice The token's metadata, as a data: URI of JSON; its `description` is the text.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        bytes memory json = abi.encodePacked(
            '{"name":"Story ', tokenId.toString(), '","description":"', textOf(tokenId),
            '","attributes":[{"trait_type":"certainty","value":"', _named(certaintyOf(tokenId)), '"}]}'
        );
        return string.concat("data:application/json;base64,", Base64.encode(json));
    }

    function requestOf(uint256 tokenId) external view returns (RequestId) {
        _requireOwned(tokenId);
        return _stories[tokenId].request;
    }

    function terms() external view returns (StoryTerms memory) {
        return _terms;
    }

    function _isScorer(Model memory scorer, Model memory network) private pure returns (bool) {
        bool shaped = scorer.weightsRoot == network.weightsRoot && scorer.inputs.length == 2
            && scorer.outputHeader.dtype() == F32 && scorer.inputs[1].header == scorer.outputHeader;
        if (!shaped) return false;
        bool texts = scorer.inputs[0].header.dtype() == I64 && scorer.inputs[0].lo == 0 && scorer.inputs[0].hi > 0;
        return texts && scorer.inputs[0].header.elements() > scorer.outputHeader.elements();
    }

    /// @dev As many characters as there are tokens, each once.
    function _requireAlphabet(bytes memory characters, uint256 tokens) private pure {
        if (characters.length != tokens) revert WrongAlphabetLength(characters.length, tokens);
        uint256 seen = 0;
        for (uint256 i = 0; i < tokens; ++i) {
            uint256 bit = 1 << uint8(characters[i]);
            if (!_isHarmless(characters[i]) || seen & bit != 0) revert BadCharacter(characters[i], i);
            seen |= bit;
        }
    }

    function _isHarmless(bytes1 character) private pure returns (bool) {
        if (character >= "a" && character <= "z") return true;
        if (character >= "A" && character <= "Z") return true;
        if (character >= "0" && character <= "9") return true;
        for (uint256 i = 0; i < MARKS.length; ++i) {
            if (character == MARKS[i]) return true;
        }
        return false;
    }

    /// @dev One byte a token, filled up from the left with token 0.
    function _tokensOf(bytes calldata opening) private view returns (bytes memory tokens) {
        if (opening.length > OPENING_CHARACTERS) revert OpeningTooLong(opening.length, OPENING_CHARACTERS);
        bytes memory characters = alphabet;
        bytes memory places = new bytes(256);
        for (uint256 i = 0; i < characters.length; ++i) {
            places[uint8(characters[i])] = bytes1(uint8(i + 1));
        }
        tokens = new bytes(OPENING_CHARACTERS);
        uint256 filled = OPENING_CHARACTERS - opening.length;
        for (uint256 i = 0; i < opening.length; ++i) {
            uint8 place = uint8(places[uint8(opening[i])]);
            if (place == 0) revert BadCharacter(opening[i], i);
            tokens[filled + i] = bytes1(place - 1);
        }
    }

    function _wish(bytes memory tokens) private view returns (GenerationTerms memory) {
        bytes memory prompt = new bytes(tokens.length * TOKEN_BYTES);
        for (uint256 i = 0; i < tokens.length; ++i) {
            prompt[i * TOKEN_BYTES + TOKEN_BYTES - 1] = tokens[i];
        }
        return GenerationTerms({
            scorer: _terms.scorer,
            prompt: prompt,
            newTokens: uint32(NEW_CHARACTERS),
            sampled: true,
            delta: _terms.delta,
            feeWei: _terms.feeWei,
            minBondWei: _terms.minBondWei,
            deadline: currentInstant().afterwards(_terms.answerWithin),
            callback: address(this),
            callbackGas: _terms.callbackGas
        });
    }

    function _textOf(bytes memory opening, bytes calldata output) private view returns (bytes memory text) {
        bytes memory characters = alphabet;
        uint256 written = output.length / TOKEN_BYTES;
        text = new bytes(opening.length + written);
        for (uint256 i = 0; i < opening.length; ++i) {
            text[i] = characters[uint8(opening[i])];
        }
        for (uint256 i = 0; i < written; ++i) {
            uint64 token = uint64(bytes8(output[i * TOKEN_BYTES:(i + 1) * TOKEN_BYTES]));
            text[opening.length + i] = characters[token < characters.length ? token : 0];
        }
    }

    function _named(Certainty certainty) private pure returns (string memory) {
        if (certainty == Certainty.Final) return "final";
        if (certainty == Certainty.Provisional) return "provisional";
        if (certainty == Certainty.None) return "unwritten";
        return "fallen";
    }
}
