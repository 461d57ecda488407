// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Certainty} from "../interfaces/IContestable.sol";
import {IConsumer} from "../interfaces/IConsumer.sol";
import {IInbox, Wish} from "../interfaces/IInbox.sol";
import {IModelRegistry, Model} from "../interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../interfaces/IScoreClaims.sol";
import {Commit, ITrainings, TrainingId} from "../interfaces/ITrainings.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Float} from "../math/Float.sol";
import {Volatility} from "./Volatility.sol";
import {ClaimId, ModelId, RequestId} from "../types/Ids.sol";
import {BundleRoot, F32} from "../types/Roots.sol";
import {Duration, Instant, currentInstant} from "../types/Time.sol";

/// @notice What an oracle is built on; none of it can change.
/// @param scores where the scores of trained networks are claimed
/// @param feeder who alone may add a day's return
struct Sources {
    IInbox inbox;
    address claimChain;
    IVault vault;
    IModelRegistry models;
    ITrainings trainings;
    IScoreClaims scores;
    address feeder;
}

/// @notice Whose network is asked: that of a commitment whose scores are final, in a training that ended Trained. It need not
/// be the one that was paid.
/// @param number of the commitment
struct Seat {
    TrainingId training;
    uint32 number;
}

/// @notice How the oracle asks, and what it makes of the answers. Factors and shares in 1/10,000.
/// @param feeWei of one question; a day has three
/// @param answerWithin from a question to its deadline, seconds
/// @param callbackGas for `onResult`: 100,000 are enough
/// @param leastGap between two days, seconds
/// @param freshFor from a day's return: afterwards it is stale, seconds
/// @param deviations of a day that collateral must be able to fall by, in 1/10,000: three, over ten days, are 94,868
/// @param stretch at least 10,000: the band is what the realised volatility times this, and divided by it, would give
/// @param greatestFactor whatever anyone says
struct RiskTerms {
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Duration answerWithin;
    uint32 callbackGas;
    Duration leastGap;
    Duration freshFor;
    uint32 deviations;
    uint32 stretch;
    uint16 greatestFactor;
}

/// @notice One day: its band, and what each network's answer comes to. A network that is not heard counts as zero.
/// @param heard bit `i`: network `i` has given its final answer
struct Day {
    uint64 number;
    Instant addedAt;
    uint16 low;
    uint16 high;
    uint8 heard;
    uint16[3] factors;
}

/// @param sequence of the last announcement heard
/// @param takenBack whether its refund was passed on to the feeder
struct Question {
    uint64 day;
    uint8 network;
    uint64 sequence;
    bool takenBack;
}

/// @title RiskOracle
/// @notice The collateral factor of an asset, for a lending market, from three networks' forecasts of the coming days'
/// volatility: their median, inside a band that the chain computes itself from the same returns.
/// @dev What a contract that acts on a network's output must mind, all of it shown here:
/// - *Good on average is not right today.* A network is trusted for what its training's property bounds, a mean over many
///   items; it may be absurd on one input, even on purpose. So no single one moves anything: a median of three lies between
///   the two others, and the band holds if all three are absurd.
/// - *Who runs a network does not matter, who trained it does.* A false output is slashed whoever claims it, so three
///   executors of one network would say the same thing three times. The three are commitments of three accounts, with other
///   weights, and the scores of each are final; this is checked. An account is not a person: three may belong to one, or
///   share weights with a bit changed. The band is what holds then.
/// - *One training is enough.* It pays the best, but whoever else has final scores has shown the same property, and since
///   scores are claimed with their weights, anyone may register those: the model is the winner's with other weights. What
///   no training has registered this contract registers itself, so that nobody can retire it; if somebody was faster, with
///   a gas more of least bond, which is another id for the same network.
/// - *Not yet known is most careful.* A network that has not given its final answer, or whose run overflows (`Undefined`),
///   counts as a factor of zero. So with none or one the band's lower end stands, with two the smaller of both; the factor
///   can only rise while answers come in, and is never above what it will be when all are final.
/// - *Stale is careful.* When no new day came in time the band's lower end stands, whatever was answered. So it ends too
///   when a network takes no more questions (retired, or struck): no day can be added then.
/// - An output is exact only to within the model's band, which is added to the forecast.
///
/// Trusted: the feeder, for each day's return, and for adding it. It can add one a day and rewrite none, so a lie is one of
/// K returns, seen by all, and a row of lies takes days to move the band. Silent, it makes the factor stale.
///
/// Formulas, in percent, fixed point of 10^-18. Realised volatility `s = sqrt(sum(r_i^2) / K)`, rounded up, over the last K
/// returns (their mean, close to zero, is not taken off). Forecast: a network gives the expected absolute return `y` of a
/// coming day, and if returns are normal, `sigma = y * sqrt(pi / 2)`. Factor of a volatility: `f(sigma) = min(greatest,
/// 1 - deviations * sigma / 100)`, at least zero, rounded down. Band: `f(s * stretch) .. f(s / stretch)`.
contract RiskOracle is IConsumer {
    uint256 private constant NETWORKS = 3;
    uint256 private constant WHOLE = 10_000;
    uint256 private constant ROOT_OF_HALF_PI = 1.253314137315500252e18;
    /// @dev Percent in 10^-18, to a share in 1/10,000.
    uint256 private constant WAD_PERCENT_IN_WHOLE = 1e16;

    IInbox public immutable INBOX;
    address public immutable CLAIM_CHAIN;
    IVault public immutable VAULT;
    address public immutable FEEDER;
    /// @notice Greatest output band of the three networks, percent in 10^-18.
    uint256 public immutable OUTPUT_BAND;

    RiskTerms private _terms;
    ModelId[NETWORKS] private _networks;
    bytes private _row;
    Day private _day;
    mapping(RequestId id => Question) private _questions;

    event DayAdded(uint64 indexed number, uint32 dailyReturn, uint16 low, uint16 high, RequestId[3] questions);
    event Answered(RequestId indexed id, uint64 indexed day, uint8 network, uint16 factor);
    event AnswerFell(RequestId indexed id, ClaimId indexed claim);
    event TakenBack(RequestId indexed id, uint256 amountWei);

    error NotTheClaimChain(address received, address expected);
    error NotTheFeeder(address received, address expected);
    error BadTerms(uint256 stretch, uint256 greatestFactor);
    error NotFinal(TrainingId training, Certainty received);
    error NotShown(TrainingId training, uint32 number, Certainty received);
    error SameNetwork(ModelId received);
    error SameTrainer(address received);
    error WrongModel(ModelId received);
    error TooSoon(Instant from);
    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error UnknownQuestion(RequestId received);
    error NotRefunded(RequestId received);
    error AlreadyTakenBack(RequestId received);

    /// @param seats three, of three accounts
    /// @param row the last K daily returns, in percent, canonical f32; the last one is of day 0, which asks nothing
    /// @dev `msg.value` is, in equal parts, the registrant's bond of every network that is registered here.
    constructor(Sources memory sources, RiskTerms memory terms, Seat[3] memory seats, bytes memory row) payable {
        bool sensible = terms.stretch >= WHOLE && terms.greatestFactor <= WHOLE;
        if (!sensible) revert BadTerms(terms.stretch, terms.greatestFactor);
        (INBOX, CLAIM_CHAIN, VAULT) = (sources.inbox, sources.claimChain, sources.vault);
        FEEDER = sources.feeder;
        OUTPUT_BAND = _seatAll(sources, seats, row.length);
        (_terms, _row) = (terms, row);
        _day.addedAt = currentInstant();
        (_day.low, _day.high) = bandOf(row);
    }

    /// @notice Feeder only, at most once a gap: adds a day's return, forgets the oldest, and asks the three networks.
    /// `msg.value` is fee and tip of three questions.
    /// @param dailyReturn percent, f32 bits; Inbox refuses what is out of the networks' ranges
    function addDay(uint32 dailyReturn) external payable {
        if (msg.sender != FEEDER) revert NotTheFeeder(msg.sender, FEEDER);
        Instant from = _day.addedAt.afterwards(_terms.leastGap);
        if (currentInstant().isBefore(from)) revert TooSoon(from);
        uint256 dueWei = _questionWei();
        if (msg.value != NETWORKS * dueWei) revert WrongPayment(msg.value, NETWORKS * dueWei);
        bytes memory row = Volatility.shifted(_row, dailyReturn);
        Day memory day;
        (day.number, day.addedAt) = (_day.number + 1, currentInstant());
        (day.low, day.high) = bandOf(row);
        (_day, _row) = (day, row);
        RequestId[3] memory ids;
        for (uint8 i = 0; i < NETWORKS; ++i) {
            (ids[i],) = INBOX.request{value: dueWei}(_wish(_networks[i], row));
            (_questions[ids[i]].day, _questions[ids[i]].network) = (day.number, i);
        }
        emit DayAdded(day.number, dailyReturn, day.low, day.high, ids);
    }

    /// @inheritdoc IConsumer
    /// @dev Answers for a day that is over come too late to count, and are no fault of those who bring them.
    function onResult(RequestId id, ClaimId claim, Certainty certainty, uint64 sequence, bytes calldata output) external {
        if (msg.sender != CLAIM_CHAIN) revert NotTheClaimChain(msg.sender, CLAIM_CHAIN);
        Question storage question = _known(id);
        if (sequence <= question.sequence) return;
        question.sequence = sequence;
        if (certainty == Certainty.Refuted) emit AnswerFell(id, claim);
        bool ends = certainty == Certainty.Final || certainty == Certainty.Undefined;
        if (!ends || question.day != _day.number) return;
        uint16 factor = certainty == Certainty.Final ? factorOfForecast(output) : 0;
        _day.factors[question.network] = factor;
        _day.heard |= uint8(1 << question.network);
        emit Answered(id, question.day, question.network, factor);
    }

    /// @notice Passes on to the feeder what Inbox has refunded for a question without an answer. Anyone may.
    function takeBack(RequestId id) external {
        Question storage question = _known(id);
        if (!INBOX.isRefunded(id)) revert NotRefunded(id);
        if (question.takenBack) revert AlreadyTakenBack(id);
        question.takenBack = true;
        uint256 amountWei = _questionWei();
        emit TakenBack(id, amountWei);
        VAULT.withdraw(FEEDER, amountWei);
    }

    /// @notice The part of the collateral's value that may be lent on it now, in 1/10,000; and whether it is fresh and all
    /// three networks are heard. Never above what it is when it is sure.
    function collateralFactor() external view returns (uint256 factor, bool sure) {
        Day memory day = _day;
        bool fresh = currentInstant().isBefore(day.addedAt.afterwards(_terms.freshFor));
        if (!fresh) return (day.low, false);
        uint256 median = Volatility.median(day.factors[0], day.factors[1], day.factors[2]);
        return (Math.min(Math.max(median, day.low), day.high), day.heard == (1 << NETWORKS) - 1);
    }

    /// @notice The band's ends for a row of returns (percent, canonical f32), in 1/10,000.
    function bandOf(bytes memory row) public view returns (uint16 low, uint16 high) {
        uint256 volatility = Volatility.realised(row);
        uint256 stretch = _terms.stretch;
        low = factorOf(Math.ceilDiv(volatility * stretch, WHOLE));
        high = factorOf(Math.ceilDiv(volatility * WHOLE, stretch));
    }

    /// @notice Factor of a day's volatility, in 1/10,000, rounded down.
    /// @param volatility percent in 10^-18
    function factorOf(uint256 volatility) public view returns (uint16) {
        uint256 haircut = Math.ceilDiv(volatility * _terms.deviations, WHOLE * WAD_PERCENT_IN_WHOLE);
        if (haircut >= WHOLE) return 0;
        return uint16(Math.min(WHOLE - haircut, _terms.greatestFactor));
    }

    /// @notice Factor of a network's output, in 1/10,000: zero if it is no forecast (negative, NaN, or 128 percent and more).
    /// @param output one canonical f32: the expected absolute return, percent
    function factorOfForecast(bytes memory output) public view returns (uint16) {
        uint32 bits = Volatility.bitsAt(output, 0);
        (bool known, uint256 forecast) = Volatility.magnitude(bits);
        if (!known || (Float.isNegative(bits) && forecast != 0)) return 0;
        return factorOf(Math.ceilDiv((forecast + OUTPUT_BAND) * ROOT_OF_HALF_PI, Volatility.WAD));
    }

    function dayNow() external view returns (Day memory) {
        return _day;
    }

    /// @notice The last K returns, canonical f32: what the networks were asked about.
    function rowNow() external view returns (bytes memory) {
        return _row;
    }

    function networks() external view returns (ModelId[3] memory) {
        return _networks;
    }

    /// @dev Returns the greatest output band.
    function _seatAll(Sources memory sources, Seat[3] memory seats, uint256 inputBytes) private returns (uint256 band) {
        Model[3] memory found;
        address[3] memory trainers;
        ModelId[3] memory shown;
        uint256 missing = 0;
        for (uint256 i = 0; i < NETWORKS; ++i) {
            (found[i], trainers[i]) = _shown(sources, seats[i]);
            shown[i] = sources.models.idOf(found[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (shown[i] == shown[j]) revert SameNetwork(shown[i]);
                if (trainers[i] == trainers[j]) revert SameTrainer(trainers[i]);
            }
            band = Math.max(band, _bandOf(found[i], shown[i], inputBytes));
            _networks[i] = _lasting(sources.models, found[i], shown[i]);
            if (!sources.models.exists(_networks[i])) ++missing;
        }
        uint256 bondWei = missing == 0 ? 0 : msg.value / missing;
        if (bondWei * missing != msg.value) revert WrongPayment(msg.value, bondWei * missing);
        for (uint256 i = 0; i < NETWORKS; ++i) {
            if (!sources.models.exists(_networks[i])) sources.models.register{value: bondWei}(found[i]);
        }
    }

    /// @dev The winner's model with the weights of the commitment.
    function _shown(Sources memory sources, Seat memory seat)
        private
        view
        returns (Model memory network, address trainer)
    {
        (ModelId best, Certainty certainty) = sources.trainings.trained(seat.training);
        if (certainty != Certainty.Final) revert NotFinal(seat.training, certainty);
        Commit memory made = sources.trainings.commitOf(seat.training, seat.number);
        certainty = sources.scores.standingOf(made.claim).certainty;
        if (certainty != Certainty.Final) revert NotShown(seat.training, seat.number, certainty);
        (network, trainer) = (sources.models.model(best), made.executor);
        network.weightsRoot = made.weightsRoot;
    }

    /// @dev An id of `network` that nobody can retire: one without a registrant, or one that is free. Weights are public with
    /// their scores, so anyone may have registered them, to hold a seat to ransom. The least bond of a claim is a part of the
    /// id, and a gas more of it changes nothing else: `network` is given as much as it takes. Every id that is in the way
    /// cost somebody a registrant's bond.
    function _lasting(IModelRegistry models, Model memory network, ModelId id) private view returns (ModelId) {
        while (models.exists(id) && models.registrantOf(id) != address(0)) {
            ++network.minBondGas;
            id = models.idOf(network);
        }
        return id;
    }

    function _bandOf(Model memory network, ModelId id, uint256 inputBytes) private pure returns (uint256) {
        bool reads = network.inputs.length == 1 && network.inputs[0].header.dtype() == F32
            && network.inputs[0].header.byteLength() == inputBytes;
        bool says = network.outputHeader.dtype() == F32 && network.outputHeader.elements() == 1;
        (bool known, uint256 band) = Volatility.magnitude(network.outputBand);
        if (!reads || !says || !known) revert WrongModel(id);
        return band + 1;
    }

    function _wish(ModelId network, bytes memory row) private view returns (Wish memory) {
        return Wish({
            model: network,
            inputs: row,
            inputsRoot: BundleRoot.wrap(0),
            feeWei: _terms.feeWei,
            tipWei: _terms.tipWei,
            minBondWei: _terms.minBondWei,
            deadline: currentInstant().afterwards(_terms.answerWithin),
            callback: address(this),
            callbackGas: _terms.callbackGas
        });
    }

    function _questionWei() private view returns (uint256) {
        return uint256(_terms.feeWei) + _terms.tipWei;
    }

    function _known(RequestId id) private view returns (Question storage question) {
        question = _questions[id];
        // Day 0 asks nothing.
        if (question.day == 0) revert UnknownQuestion(id);
    }
}
