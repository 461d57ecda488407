// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty, ClaimWitness} from "../../../contracts/interfaces/IContestable.sol";
import {Dispute, DisputeStatus, TraceOpening} from "../../../contracts/interfaces/IDisputeGame.sol";
import {
    Generation, GenerationState, GenerationStatus, GenerationTerms, IGenerations
} from "../../../contracts/interfaces/IGenerations.sol";
import {Scoring, Standing} from "../../../contracts/interfaces/IScoreClaims.sol";
import {FaultProof} from "../../../contracts/interfaces/IStepJudge.sol";
import {TEXT_SUBJECT_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {Course, DisputeClock, Phase} from "../../../contracts/libraries/DisputeClock.sol";
import {ModelId, RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot} from "../../../contracts/types/Roots.sol";
import {Instant} from "../../../contracts/types/Time.sol";
import {PropertyWorld} from "./PropertyWorld.sol";
import {ToyText} from "./ToyText.sol";

/// @notice One request for a text.
/// @param claims encoded witnesses of all claims ever made on it, because structs with arrays are not kept in storage
/// @param lies of each claim: 0 honest, 1 a false score, 2 a score that only its run does not have
/// @param rejections claims that were rejected
/// @param payments how often its fee was paid to an executor
struct TextPlay {
    bytes generation;
    bytes[] claims;
    uint8[] lies;
    uint32 rejections;
    uint32 payments;
}

/// @notice Plays whole lives of requests for texts at random, every contract real. Of two executors one is honest: it opens
/// whatever is challenged before time goes on. The other lies, or falls silent.
contract GenerationPlayer is PropertyWorld, ToyText {
    uint256 private constant MOST_PLAYS = 12;
    uint256 private constant MOST_RUNNING = 4;
    uint256 private constant DEPOSIT = 0.01 ether;
    uint256 private constant LIFE = 500;
    /// @dev 2^-10 between 64 and 128: inside the slashing band, outside the output band.
    uint32 private constant SLIGHT = 128;
    uint32 private constant GROSS = 2 ** 17;
    address private constant LIAR = DEMANDER;

    ModelId private _scorer;
    TextPlay[] private _plays;
    mapping(uint256 play => mapping(address executor => bool)) private _excluded;
    uint256 public attempts;
    uint256 public successes;
    uint256 public refutations;
    uint256 public rejections;
    uint256 public finals;
    uint256 public refunds;

    function setUp() public override {
        super.setUp();
        _scorer = _register(toyTextScorer());
        // Whose items witnesses show.
        trainings = generations;
    }

    // Moves.

    function pass(uint256 seconds_) external {
        for (uint256 p = 0; p < _plays.length; ++p) {
            if (_isOpening(p) && _witness(p).claims.executor == EXECUTOR) _open(p);
        }
        vm.warp(block.timestamp + bound(seconds_, 1, 45));
    }

    function ask() external {
        if (_plays.length == MOST_PLAYS || _running() == MOST_RUNNING) return;
        GenerationTerms memory terms;
        (terms.scorer, terms.prompt, terms.newTokens) = (_scorer, abi.encodePacked(uint64(7)), NEW_TOKENS);
        (terms.feeWei, terms.minBondWei) = (FEE, BOND);
        terms.deadline = Instant.wrap(uint40(block.timestamp + LIFE));
        uint64 nonce = generationsContract.nonceOf(REQUESTER);
        _plays.push().generation =
            abi.encode(Generation(REQUESTER, nonce, Instant.wrap(uint40(block.timestamp)), terms));
        vm.deal(REQUESTER, FEE);
        _must(REQUESTER, FEE, address(generationsContract), abi.encodeCall(IGenerations.request, (terms)));
    }

    /// @dev Whoever was rejected tries again now and then, in vain.
    function take(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isFree);
        if (!found) return;
        address who = which % 2 == 0 ? EXECUTOR : LIAR;
        if (_excluded[p][who] && which % 4 != 0) who = EXECUTOR;
        _fund(who);
        bytes memory call_ = abi.encodeCall(IGenerations.take, (_generation(p)));
        if (_excluded[p][who]) return _refused(who, address(generationsContract), call_);
        _must(who, 0, address(generationsContract), call_);
    }

    function claim(uint256 which, uint256 lie) external {
        (bool found, uint256 p) = _find(which, _isHeld);
        if (!found) return;
        GenerationState memory state = _state(p);
        uint8 told = state.lessee == EXECUTOR ? 0 : uint8(lie % 3);
        Scoring memory scoring = _scoringOf(p, state, told);
        TextPlay storage play = _plays[p];
        play.claims.push(abi.encode(witnessOf(scoring, 0)));
        play.lies.push(told);
        _fund(state.lessee);
        bytes memory tokens = tokensFrom(_first(p));
        bytes memory call_ =
            abi.encodeCall(IGenerations.claim, (_generation(p), tokens, scoring.scores, scoring.bondWei));
        _must(state.lessee, 0, address(generationsContract), call_);
    }

    function challenge(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isChallengeable);
        if (!found) return;
        _fund(CHALLENGER);
        _must(CHALLENGER, 0, address(scoreGame), abi.encodeCall(scoreGame.challenge, (_witness(p))));
    }

    /// @dev The liar opens some of what is challenged.
    function open(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isOpening);
        if (found && (which % 4 != 3 || _witness(p).claims.executor == EXECUTOR)) _open(p);
    }

    /// @dev A false run convicts by its step; a score that its run does not have only rejects, by the link, and waits.
    function prove(uint256 which) external {
        (bool found, uint256 p) = _find(which, which % 8 == 3 ? _isOpened : _isProvable);
        if (!found) return;
        (bytes memory tokens, bytes memory run) = (tokensFrom(_first(p)), _run(p));
        bytes memory step = abi.encodeCall(scoreGame.prove, (_witness(p), castProof(tokens, run)));
        bytes memory link = abi.encodeCall(scoreGame.prove, (_witness(p), textLinkProof(tokens, run)));
        bool slashes = _lie(p) == 1;
        _refused(SENDER, address(scoreGame), slashes ? link : step);
        if (!_isProvable(p)) return _refused(SENDER, address(scoreGame), slashes ? step : link);
        _must(SENDER, 0, address(scoreGame), slashes ? step : link);
        slashes ? ++refutations : ++rejections;
    }

    function conclude(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isConcludable);
        if (!found) return;
        bool silent = _dispute(p).status == DisputeStatus.Challenged;
        assertTrue(!silent || _witness(p).claims.executor == LIAR, "the honest are awake");
        _must(SENDER, 0, address(scoreGame), abi.encodeCall(scoreGame.conclude, (_witness(p))));
    }

    function reopen(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isFallen);
        if (!found) return;
        if (_standingOf(_witness(p)).certainty == Certainty.Rejected) {
            ++_plays[p].rejections;
            _excluded[p][_witness(p).claims.executor] = true;
        }
        _must(SENDER, 0, address(generationsContract), abi.encodeCall(IGenerations.reopen, (_generation(p))));
    }

    /// @dev Pays the fee, and the bond where the claim is finalised on the way; once.
    function settle(uint256 which) external {
        (bool found, uint256 p) = _find(which, which % 16 == 7 ? _isClaimed : _isRipe);
        if (!found) return;
        ClaimWitness memory witness = _witness(p);
        bytes memory tokens = tokensFrom(_first(p));
        bytes memory call_ = abi.encodeCall(IGenerations.settle, (_generation(p), witness.claims, tokens));
        if (!_isRipe(p)) return _refused(SENDER, address(generationsContract), call_);
        uint256 dueWei = FEE + _standingOf(_witness(p)).bondWei;
        uint256 before = vault.balanceOf(witness.claims.executor);
        _must(SENDER, 0, address(generationsContract), call_);
        assertEq(vault.balanceOf(witness.claims.executor) - before, dueWei);
        ++_plays[p].payments;
        ++finals;
        _refused(SENDER, address(generationsContract), call_);
    }

    function refund(uint256 which) external {
        (bool found, uint256 p) = _find(which, _isRefundable);
        if (!found) return;
        uint256 before = vault.balanceOf(REQUESTER);
        _must(SENDER, 0, address(generationsContract), abi.encodeCall(IGenerations.refund, (_generation(p))));
        assertEq(vault.balanceOf(REQUESTER) - before, FEE);
        ++refunds;
    }

    // What must hold.

    /// @notice What Generations holds, and what the requests say: the fee until the end, a deposit while it is leased.
    function escrow() external view returns (uint256 heldWei, uint256 expectedWei) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            GenerationState memory state = _state(p);
            bool running = state.status == GenerationStatus.Open || state.status == GenerationStatus.Claimed;
            expectedWei += (running ? FEE : 0) + (state.lessee == address(0) ? 0 : DEPOSIT);
        }
        heldWei = vault.escrowOf(address(generationsContract));
    }

    function requireConserved() external view {
        assertConserved();
    }

    /// @notice No claim of the honest executor ever fell.
    function honestyHolds() external view returns (bool) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            for (uint256 i = 0; i < _plays[p].claims.length; ++i) {
                ClaimWitness memory witness = abi.decode(_plays[p].claims[i], (ClaimWitness));
                if (witness.claims.executor == EXECUTOR && _hasFallen(_standingOf(witness))) return false;
            }
        }
        return true;
    }

    /// @notice Of every request at most one claim is final; it is paid once, where the request is Final, and else none.
    function paidOnce() external view returns (bool) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            uint256 final_ = 0;
            for (uint256 i = 0; i < _plays[p].claims.length; ++i) {
                Standing memory standing = _standingOf(abi.decode(_plays[p].claims[i], (ClaimWitness)));
                if (standing.certainty == Certainty.Final) ++final_;
            }
            bool ended = _state(p).status == GenerationStatus.Final;
            if (final_ > 1 || _plays[p].payments != (ended ? 1 : 0) || (ended && final_ == 0)) return false;
        }
        return true;
    }

    // Where a request stands.

    function _isFree(uint256 p) private view returns (bool) {
        GenerationState memory state = _state(p);
        return _isOpen(state) && (state.lessee == address(0) || block.timestamp >= Instant.unwrap(state.leasedUntil));
    }

    function _isHeld(uint256 p) private view returns (bool) {
        GenerationState memory state = _state(p);
        return _isOpen(state) && state.lessee != address(0) && block.timestamp < Instant.unwrap(state.leasedUntil);
    }

    function _isOpen(GenerationState memory state) private view returns (bool) {
        return state.status == GenerationStatus.Open && block.timestamp < Instant.unwrap(state.deadline);
    }

    function _isRefundable(uint256 p) private view returns (bool) {
        GenerationState memory state = _state(p);
        return state.status == GenerationStatus.Open && block.timestamp >= Instant.unwrap(state.deadline);
    }

    function _isClaimed(uint256 p) private view returns (bool) {
        return _state(p).status == GenerationStatus.Claimed;
    }

    function _isProvisional(uint256 p) private view returns (bool) {
        return _isClaimed(p) && _standingOf(_witness(p)).certainty == Certainty.Provisional;
    }

    function _isChallengeable(uint256 p) private view returns (bool) {
        return _isProvisional(p) && _dispute(p).status == DisputeStatus.None && !_isWindowOver(p);
    }

    function _isOpening(uint256 p) private view returns (bool) {
        return _isClaimed(p) && _dispute(p).status == DisputeStatus.Challenged && _phase(p) == Phase.Opening;
    }

    function _isOpened(uint256 p) private view returns (bool) {
        if (!_isProvisional(p)) return false;
        DisputeStatus status = _dispute(p).status;
        return status == DisputeStatus.Opened || status == DisputeStatus.Acquitted;
    }

    function _isProvable(uint256 p) private view returns (bool) {
        if (!_isOpened(p) || _lie(p) == 0) return false;
        return _lie(p) == 1 || (_phase(p) == Phase.Over && _isWindowOver(p));
    }

    function _isConcludable(uint256 p) private view returns (bool) {
        if (!_isClaimed(p)) return false;
        DisputeStatus status = _dispute(p).status;
        if (status == DisputeStatus.Challenged) return _phase(p) == Phase.Unopened;
        return status == DisputeStatus.Opened && _phase(p) == Phase.Over;
    }

    function _isFallen(uint256 p) private view returns (bool) {
        return _isClaimed(p) && _hasFallen(_standingOf(_witness(p)));
    }

    function _isRipe(uint256 p) private view returns (bool) {
        if (!_isProvisional(p)) return false;
        Standing memory standing = _standingOf(_witness(p));
        return standing.disputes == 0 && block.timestamp >= Instant.unwrap(standing.finalAt);
    }

    function _isWindowOver(uint256 p) private view returns (bool) {
        return block.timestamp >= Instant.unwrap(_witness(p).claims.claimedAt) + 200;
    }

    function _hasFallen(Standing memory standing) private pure returns (bool) {
        return standing.certainty == Certainty.Refuted || standing.certainty == Certainty.Rejected;
    }

    function _running() private view returns (uint256 count) {
        for (uint256 p = 0; p < _plays.length; ++p) {
            GenerationStatus status = _state(p).status;
            if (status == GenerationStatus.Open || status == GenerationStatus.Claimed) ++count;
        }
    }

    // Records.

    function _scoringOf(uint256 p, GenerationState memory state, uint8 told)
        private
        view
        returns (Scoring memory scoring)
    {
        RequestId id = generationsContract.generationIdOf(_generation(p));
        bytes memory tokens = tokensFrom(_first(p));
        uint256 refuted = state.attempts - _plays[p].rejections;
        scoring.subject =
            keccak256(abi.encode(TEXT_SUBJECT_TAG, id, state.attempts, state.lessee, keccak256(tokens)));
        (scoring.executor, scoring.scorer) = (state.lessee, _scorer);
        scoring.weightsRoot = toyTextScorer().weightsRoot;
        scoring.items = new BundleRoot[](1);
        scoring.items[0] = registry.commitInputs(_scorer, bytes.concat(abi.encodePacked(uint64(7)), tokens));
        scoring.scores = scoresFrom(_first(p), told == 0 ? 0 : told == 1 ? GROSS : SLIGHT);
        scoring.bondWei = BOND << uint96(refuted < 6 ? refuted : 6);
    }

    /// @dev A false score has a run of its own; a slight difference hides behind an honest one.
    function _run(uint256 p) private view returns (bytes memory) {
        return scoresFrom(_first(p), _lie(p) == 1 ? GROSS : 0);
    }

    function _open(uint256 p) private {
        ClaimWitness memory witness = _witness(p);
        TraceOpening[] memory openings = new TraceOpening[](1);
        openings[0] = TraceOpening(0, textTrace(tokensFrom(_first(p)), _run(p)));
        bytes memory call_ = abi.encodeCall(scoreGame.open, (witness.claims, openings));
        _must(witness.claims.executor, 0, address(scoreGame), call_);
    }

    function _first(uint256 p) private pure returns (uint64) {
        return uint64(64 + p);
    }

    function _generation(uint256 p) private view returns (Generation memory) {
        return abi.decode(_plays[p].generation, (Generation));
    }

    function _state(uint256 p) private view returns (GenerationState memory) {
        return generationsContract.stateOf(generationsContract.generationIdOf(_generation(p)));
    }

    /// @dev Of the last claim.
    function _witness(uint256 p) private view returns (ClaimWitness memory) {
        return abi.decode(_plays[p].claims[_plays[p].claims.length - 1], (ClaimWitness));
    }

    function _lie(uint256 p) private view returns (uint8) {
        return _plays[p].lies[_plays[p].lies.length - 1];
    }

    function _standingOf(ClaimWitness memory witness) private view returns (Standing memory) {
        return scoreClaims.standingOf(batchIdOf(witness));
    }

    function _dispute(uint256 p) private view returns (Dispute memory) {
        return scoreGame.disputeOf(itemOf(_witness(p)));
    }

    function _phase(uint256 p) private view returns (Phase) {
        Dispute memory dispute = _dispute(p);
        Course memory course = Course(dispute.challengedAt, dispute.openedAt, false, false);
        return DisputeClock.phaseAt(course, windows(), Instant.wrap(uint40(block.timestamp)));
    }

    function _find(uint256 which, function(uint256) view returns (bool) stands) private view returns (bool, uint256 p) {
        for (uint256 k = 0; k < _plays.length; ++k) {
            p = (which / 16 + k) % _plays.length;
            if (stands(p)) return (true, p);
        }
        return (false, 0);
    }

    // Calls.

    function _fund(address account) private {
        vm.deal(address(this), 2_000 ether);
        vault.deposit{value: 1_000 ether}(account);
    }

    function _must(address from, uint256 wei_, address callee, bytes memory data) private {
        ++attempts;
        vm.prank(from);
        (bool success,) = callee.call{value: wei_}(data);
        assertTrue(success, "a legal move succeeds");
        ++successes;
    }

    function _refused(address from, address callee, bytes memory data) private {
        ++attempts;
        vm.prank(from);
        (bool success,) = callee.call(data);
        assertTrue(!success, "an illegal move is refused");
    }
}
