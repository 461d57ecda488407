// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./InboxFixture.sol";
import {Models} from "./Models.sol";
import {ScoreClaimsMock} from "./PropertyMocks.sol";
import {TrainingsMock} from "./TrainingsMock.sol";
import {RiskOracle, RiskTerms, Seat, Sources} from "../../../contracts/examples/RiskOracle.sol";
import {Certainty} from "../../../contracts/interfaces/IContestable.sol";
import {PostTerms, Request, RequestBatch} from "../../../contracts/interfaces/IInbox.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {IScoreClaims} from "../../../contracts/interfaces/IScoreClaims.sol";
import {ITrainings, TrainingId} from "../../../contracts/interfaces/ITrainings.sol";
import {ClaimBatchId, ClaimId, ModelId, RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";

/// @title Stage for tests of RiskOracle
/// @notice Eight returns of one percent, up and down by turns: a volatility of one percent. Collateral must be able to fall by
/// ten times that, and the band reaches from half of it to twice that: factors from 0.80 to 0.95, and at most 0.94. A
/// forecast of a percent's absolute return stands for 1.2533 percent of volatility; with the output band on top its factor
/// is 0.8745.
abstract contract RiskStage is InboxFixture {
    uint256 internal constant DUE = 3 * (uint256(FEE) + TIP);
    uint32 internal constant ONE = 0x3f800000;
    uint32 internal constant MINUS_ONE = 0xbf800000;
    uint32 internal constant TWO = 0x40000000;
    uint32 internal constant TEN = 0x41200000;
    int64 internal constant FIFTY = 0x42480000;
    int64 internal constant MINUS_FIFTY = 0xc2480000;
    uint32 internal constant CALLBACK_GAS = 100_000;
    uint16 internal constant LOW = 8_000;
    uint16 internal constant HIGH = 9_400;
    ClaimId internal constant CLAIM = ClaimId.wrap(bytes32(uint256(0xC1A1)));
    address internal constant feeder = address(0xFEED);

    TrainingId internal constant TRAINING = TrainingId.wrap(bytes32(uint256(1)));

    TrainingsMock internal trainings;
    ScoreClaimsMock internal scores;
    Seat[3] internal seats;
    ModelId[3] internal networks;
    RiskOracle internal oracle;
    RequestId[3] internal asked;

    function setUp() public virtual override {
        super.setUp();
        (trainings, scores) = (new TrainingsMock(), new ScoreClaimsMock(vault, models));
        _win(_network(0));
        _seat(0);
        oracle = _deploy(feeder);
        vm.deal(feeder, 10 ether);
    }

    /// @dev The training's architecture is like `network`, which is registered by its settlement: nobody is its registrant.
    function _win(Model memory network) internal {
        Model memory architecture = abi.decode(abi.encode(network), (Model));
        architecture.weightsRoot = BundleRoot.wrap(keccak256("untrained"));
        ModelId template = models.register(architecture);
        vm.prank(address(0));
        ModelId best = models.derive(template, network.weightsRoot);
        trainings.make(TRAINING, 0, _trainer(0), best, Certainty.Final);
    }

    /// @dev Commitments `first` and the two after it, with final scores, have the seats.
    function _seat(uint32 first) internal {
        for (uint32 i = 0; i < 3; ++i) {
            uint32 number = first + i;
            (seats[i], networks[i]) = (Seat(TRAINING, number), models.idOf(_network(number)));
            trainings.commitAs(TRAINING, number, _trainer(number), _scoresOf(number), _network(number).weightsRoot);
            scores.set(_scoresOf(number), Certainty.Final);
        }
    }

    function _trainer(uint256 number) internal pure returns (address) {
        return address(uint160(0x7000 + number));
    }

    function _scoresOf(uint256 number) internal pure returns (ClaimBatchId) {
        return ClaimBatchId.wrap(keccak256(abi.encode("scores", number)));
    }

    function _factorIs(uint256 expected, bool expectedSure) internal view {
        (uint256 factor, bool sure) = oracle.collateralFactor();
        assertEq(factor, expected);
        assertTrue(sure == expectedSure, "sureness");
    }

    function _forecast(uint32 bits) internal view returns (uint256) {
        return oracle.factorOfForecast(_output(bits));
    }

    function _clamped(uint256 factor) internal pure returns (uint256) {
        return factor < LOW ? LOW : factor > HIGH ? HIGH : factor;
    }

    /// @dev Adds a day, a day later or when it has become later than that.
    function _addDay(uint32 dailyReturn) internal {
        uint256 next = uint256(Instant.unwrap(oracle.dayNow().addedAt)) + 1 days;
        if (block.timestamp < next) vm.warp(next);
        vm.recordLogs();
        vm.prank(feeder);
        oracle.addDay{value: DUE}(dailyReturn);
        asked = _idsOfLastDay();
    }

    function _idsOfLastDay() internal returns (RequestId[3] memory) {
        (,,, RequestId[3] memory made) =
            abi.decode(_lastLogOf(address(oracle)), (uint32, uint16, uint16, RequestId[3]));
        return made;
    }

    function _answer(uint8 network, uint32 bits) internal {
        _announce(network, Certainty.Final, 1, _output(bits));
    }

    function _announce(uint8 network, Certainty certainty, uint64 sequence, bytes memory output) internal {
        vm.prank(address(claimChain));
        oracle.onResult(asked[network], CLAIM, certainty, sequence, output);
    }

    function _refusesToDeploy(bytes memory reason) internal {
        (Sources memory sources, Seat[3] memory chosen) = (_sources(feeder), seats);
        vm.expectRevert(reason);
        new RiskOracle(sources, _riskTerms(), chosen, _row());
    }

    function _deploy(address feeder_) internal returns (RiskOracle) {
        return new RiskOracle(_sources(feeder_), _riskTerms(), seats, _row());
    }

    /// @dev What `addDay` asks network `i` now.
    function _question(uint8 i) internal view returns (Request memory) {
        PostTerms memory terms = _terms();
        terms.model = networks[i];
        terms.deadline = Instant.wrap(uint40(block.timestamp) + 1 hours);
        (terms.callback, terms.callbackGas) = (address(oracle), CALLBACK_GAS);
        return _request(terms, address(oracle), i, oracle.rowNow());
    }

    function _batchOf(Request memory question, uint64 first) internal view returns (RequestBatch memory) {
        PostTerms memory terms = _terms();
        (terms.model, terms.deadline, terms.callback) = (question.model, question.deadline, question.callback);
        return _batch(terms, 0, first, 1, RequestId.unwrap(inbox.requestIdOf(question)));
    }

    function _sources(address feeder_) internal view returns (Sources memory) {
        return Sources({
            inbox: inbox,
            claimChain: address(claimChain),
            vault: vault,
            models: models,
            trainings: ITrainings(address(trainings)),
            scores: IScoreClaims(address(scores)),
            feeder: feeder_
        });
    }

    function _riskTerms() internal pure returns (RiskTerms memory terms) {
        (terms.feeWei, terms.tipWei, terms.minBondWei) = (FEE, TIP, 1e16);
        (terms.answerWithin, terms.callbackGas) = (Duration.wrap(1 hours), CALLBACK_GAS);
        (terms.leastGap, terms.freshFor) = (Duration.wrap(20 hours), Duration.wrap(4 days));
        (terms.deviations, terms.stretch, terms.greatestFactor) = (100_000, 20_000, HIGH);
    }

    function _network(uint256 number) internal pure returns (Model memory network) {
        network = Models.single(F32, 8, MINUS_FIFTY, FIFTY);
        network.outputHeader = Models.header(F32, 1, 1);
        network.weightsRoot = BundleRoot.wrap(keccak256(abi.encode("weights", number)));
    }

    function _row() internal pure returns (bytes memory row) {
        for (uint256 i = 0; i < 8; ++i) {
            row = bytes.concat(row, bytes4(i % 2 == 0 ? ONE : MINUS_ONE));
        }
    }

    /// @dev Without its first return.
    function _without(bytes memory row) internal pure returns (bytes memory rest) {
        rest = new bytes(row.length - 4);
        for (uint256 i = 0; i < rest.length; ++i) rest[i] = row[i + 4];
    }

    /// @dev Between a thousandth and 128 percent, of both signs.
    function _anyReturn(uint256 seed) internal pure returns (uint32) {
        return uint32(bound(seed >> 8, 0x3a83126f, 0x42ffffff)) | (seed % 2 == 0 ? 0x80000000 : 0);
    }

    function _output(uint32 bits) internal pure returns (bytes memory) {
        return abi.encodePacked(bits);
    }
}
