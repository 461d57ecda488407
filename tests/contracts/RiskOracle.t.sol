// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReenteringFeeder} from "./mocks/Feeders.sol";
import {Models} from "./mocks/Models.sol";
import {RiskStage} from "./mocks/RiskStage.sol";
import {Day, RiskOracle, RiskTerms, Seat, Sources} from "../../contracts/examples/RiskOracle.sol";
import {Volatility} from "../../contracts/examples/Volatility.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {Request} from "../../contracts/interfaces/IInbox.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {F32} from "../../contracts/types/Roots.sol";

contract RiskOracleTest is RiskStage {
    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    // Refusals.

    function test_constructor_trainingNotFinal_reverts() public {
        trainings.make(TRAINING, 0, _trainer(0), networks[0], Certainty.Provisional);
        _refusesToDeploy(abi.encodeWithSelector(RiskOracle.NotFinal.selector, TRAINING, Certainty.Provisional));
    }

    function test_constructor_scoresNotFinal_reverts() public {
        Certainty[3] memory other = [Certainty.Provisional, Certainty.Refuted, Certainty.Rejected];
        for (uint256 i = 0; i < 3; ++i) {
            scores.set(_scoresOf(1), other[i]);
            _refusesToDeploy(abi.encodeWithSelector(RiskOracle.NotShown.selector, TRAINING, 1, other[i]));
        }
        seats[1].number = 9;
        _refusesToDeploy(abi.encodeWithSelector(RiskOracle.NotShown.selector, TRAINING, 9, Certainty.None));
    }

    function test_constructor_sameNetworkOrTrainer_reverts() public {
        trainings.commitAs(TRAINING, 2, _trainer(0), _scoresOf(2), _network(2).weightsRoot);
        _refusesToDeploy(abi.encodeWithSelector(RiskOracle.SameTrainer.selector, _trainer(0)));
        trainings.commitAs(TRAINING, 2, _trainer(2), _scoresOf(2), _network(1).weightsRoot);
        _refusesToDeploy(abi.encodeWithSelector(RiskOracle.SameNetwork.selector, networks[1]));
    }

    function test_constructor_networkOfAnotherShape_reverts() public {
        Model[3] memory wrong = [_network(0), _network(0), _network(0)];
        wrong[0].inputs[0].header = Models.header(F32, 1, 9);
        wrong[1].outputHeader = Models.header(F32, 1, 2);
        (wrong[2].outputBand, wrong[2].slashBand) = (0x43000000, 0x43800000);
        for (uint256 i = 0; i < 3; ++i) {
            _win(wrong[i]);
            _refusesToDeploy(abi.encodeWithSelector(RiskOracle.WrongModel.selector, models.idOf(wrong[i])));
        }
    }

    function test_constructor_valueThatIsNoBond_reverts() public {
        _seat(3);
        (Sources memory sources, Seat[3] memory chosen) = (_sources(feeder), seats);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.WrongPayment.selector, 4, 3));
        new RiskOracle{value: 4}(sources, _riskTerms(), chosen, _row());
    }

    function test_constructor_badTerms_revert() public {
        RiskTerms memory terms = _riskTerms();
        terms.stretch = 9_999;
        Sources memory sources = _sources(feeder);
        Seat[3] memory chosen = seats;
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.BadTerms.selector, 9_999, HIGH));
        new RiskOracle(sources, terms, chosen, _row());
        (terms.stretch, terms.greatestFactor) = (20_000, 10_001);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.BadTerms.selector, 20_000, 10_001));
        new RiskOracle(sources, terms, chosen, _row());
    }

    function test_addDay_byAnyoneElse_orTooSoon_orUnpaid_reverts() public {
        vm.deal(bob, 1 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.NotTheFeeder.selector, bob, feeder));
        oracle.addDay{value: DUE}(ONE);
        vm.prank(feeder);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.TooSoon.selector, START + 20 hours));
        oracle.addDay{value: DUE}(ONE);
        vm.warp(START + 20 hours);
        vm.prank(feeder);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.WrongPayment.selector, DUE - 1, DUE));
        oracle.addDay{value: DUE - 1}(ONE);
    }

    function test_addDay_noReturn_reverts_andNothingIsForgotten() public {
        vm.warp(START + 1 days);
        uint32[3] memory odd = [uint32(0x7fc00000), 0xff800000, 0x43000000];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(feeder);
            vm.expectRevert(abi.encodeWithSelector(Volatility.ReturnOutOfRange.selector, odd[i]));
            oracle.addDay{value: DUE}(odd[i]);
        }
        // A hundred percent is a return, but not one that the networks were trained for: Inbox says so.
        bytes4 selector = IModelRegistry.InputOutOfRange.selector;
        vm.prank(feeder);
        vm.expectRevert(abi.encodeWithSelector(selector, 7, int64(0x42c80000), MINUS_FIFTY, FIFTY));
        oracle.addDay{value: DUE}(0x42c80000);
        assertEq(oracle.rowNow(), _row());
    }

    function test_onResult_fromAnyoneElse_orUnknown_reverts() public {
        _addDay(ONE);
        vm.prank(feeder);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.NotTheClaimChain.selector, feeder, address(claimChain)));
        oracle.onResult(asked[0], CLAIM, Certainty.Final, 1, _output(ONE));
        RequestId none = RequestId.wrap(bytes32(uint256(5)));
        vm.prank(address(claimChain));
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.UnknownQuestion.selector, none));
        oracle.onResult(none, CLAIM, Certainty.Final, 1, _output(ONE));
    }

    function test_onResult_staleSequence_isDropped() public {
        _addDay(ONE);
        _announce(0, Certainty.Refuted, 2, "");
        _announce(0, Certainty.Final, 2, _output(ONE));
        assertEq(oracle.dayNow().heard, 0);
        _announce(0, Certainty.Final, 3, _output(ONE));
        assertEq(oracle.dayNow().heard, 1);
    }

    function test_takeBack_beforeARefund_orUnknown_reverts() public {
        _addDay(ONE);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.NotRefunded.selector, asked[0]));
        oracle.takeBack(asked[0]);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.UnknownQuestion.selector, RequestId.wrap(0)));
        oracle.takeBack(RequestId.wrap(0));
    }

    function test_constructor_networksThatNoTrainingRegistered_areItsOwn() public view {
        assertEq(models.registrantOf(networks[0]), address(0));
        for (uint256 i = 1; i < 3; ++i) {
            assertEq(models.registrantOf(networks[i]), address(oracle));
        }
    }

    /// @dev Bob would hold a seat to ransom: his models are like the runner-up's, and the next id that would do.
    function test_constructor_networkThatSomebodyCouldRetire_isItsOwnUnderAnotherId() public {
        _seat(3);
        Model memory network = _network(5);
        vm.startPrank(bob);
        models.register(network);
        ++network.minBondGas;
        models.register(network);
        vm.stopPrank();
        oracle = _deploy(feeder);
        networks = oracle.networks();
        ++network.minBondGas;
        assertTrue(networks[2] == models.idOf(network), "the same but for two gas of least bond");
        assertEq(models.registrantOf(networks[2]), address(oracle));
        ModelId ransomed = models.idOf(_network(5));
        vm.prank(bob);
        models.retire(ransomed);
        _addDay(ONE);
        for (uint8 i = 0; i < 3; ++i) {
            _answer(i, ONE);
        }
        _factorIs(8_745, true);
    }

    /// @dev A bond for each of three, whoever was faster: what has to be paid in does not depend on a stranger.
    function test_constructor_networkThatSomebodyCouldRetire_costsTheSame() public {
        _seat(3);
        vm.prank(bob);
        models.register(_network(4));
        (Sources memory sources, Seat[3] memory chosen) = (_sources(feeder), seats);
        vm.expectRevert(abi.encodeWithSelector(RiskOracle.WrongPayment.selector, 4, 3));
        new RiskOracle{value: 4}(sources, _riskTerms(), chosen, _row());
    }

    // The band.

    function test_volatility_isTheRootMeanSquare() public pure {
        assertEq(Volatility.realised(_row()), 1e18);
        assertEq(Volatility.realised(abi.encodePacked(ONE, uint32(0x40e00000))), 5e18); // 1 and 7
        assertEq(Volatility.realised(abi.encodePacked(uint32(0), uint32(0x80000000))), 0);
        assertEq(Volatility.realised(abi.encodePacked(ONE, ONE, uint32(0))), 816_496_580_927_726_033); // root of 2/3, up
        assertEq(Volatility.realised(abi.encodePacked(uint32(1), uint32(1))), 0); // far below 10^-18
    }

    function test_band_followsTheFormula() public {
        (uint256 low, uint256 high) = oracle.bandOf(_row());
        assertEq(low, LOW);
        assertEq(high, HIGH); // 0.95, but the cap
        assertEq(oracle.factorOf(1.5e18), 8_500);
        assertEq(oracle.factorOf(1.5e18 + 1), 8_499); // rounded down
        assertEq(oracle.factorOf(10e18), 0);
        assertEq(oracle.factorOf(type(uint128).max), 0);
        _addDay(TEN);
        // Root of (7 + 100) / 8 = 3.657 percent: the band is 0.268 .. 0.817.
        assertEq(oracle.dayNow().low, 2_685);
        assertEq(oracle.dayNow().high, 8_171);
    }

    function testFuzz_band_isOrdered_andFallsWithEveryReturn(uint256 seed, uint32 wilder) public view {
        bytes memory row;
        for (uint256 i = 0; i < 8; ++i) {
            row = bytes.concat(row, bytes4(_anyReturn(uint256(keccak256(abi.encode(seed, i))))));
        }
        (uint256 low, uint256 high) = oracle.bandOf(row);
        assertLe(low, high);
        assertLe(high, HIGH);
        uint32 first = Volatility.bitsAt(row, 0) & 0x7fffffff;
        (uint256 lower, uint256 lowerHigh) =
            oracle.bandOf(bytes.concat(bytes4(uint32(bound(wilder, first, 0x42ffffff))), _without(row)));
        assertLe(lower, low);
        assertLe(lowerHigh, high);
    }

    // Answers.

    function test_factor_beforeTheFirstDay_isTheLowerEnd() public view {
        _factorIs(LOW, false);
    }

    function test_addDay_asksAllThree_aboutTheNewRow() public {
        _addDay(TWO);
        assertEq(inbox.nonceOf(address(oracle)), 3);
        assertEq(oracle.rowNow(), bytes.concat(_without(_row()), bytes4(TWO)));
        for (uint8 i = 0; i < 3; ++i) {
            assertEq(RequestId.unwrap(asked[i]), RequestId.unwrap(inbox.requestIdOf(_question(i))));
        }
    }

    function test_factor_risesWhileAnswersComeIn_andIsSureWithAllThree() public {
        _addDay(ONE);
        _factorIs(LOW, false);
        _answer(0, 0x3f000000); // a half: 0.9373
        _factorIs(LOW, false);
        _answer(1, ONE);
        _factorIs(_forecast(ONE), false); // the smaller of two
        _answer(2, 0x3f400000); // three quarters
        _factorIs(_forecast(0x3f400000), true);
        // 10 * 1.2533 percent, and the output band of a thousandth on top.
        assertEq(_forecast(ONE), 8_745);
    }

    function test_factor_refutedAnswer_waitsForTheNext() public {
        _addDay(ONE);
        _answer(0, ONE);
        _answer(1, ONE);
        vm.expectEmit(true, true, false, true, address(oracle));
        emit RiskOracle.AnswerFell(asked[2], CLAIM);
        _announce(2, Certainty.Refuted, 1, "");
        _factorIs(8_745, false);
        _announce(2, Certainty.Final, 2, _output(ONE));
        _factorIs(8_745, true);
    }

    function test_factor_undefined_countsAsMostCareful() public {
        _addDay(ONE);
        _answer(0, ONE);
        _announce(1, Certainty.Undefined, 1, "");
        _answer(2, 0x3f000000);
        _factorIs(8_745, true);
    }

    function test_factor_noForecast_countsAsMostCareful() public view {
        assertEq(_forecast(0xbf800000), 0); // negative
        assertEq(_forecast(0x7fc00000), 0); // NaN
        assertEq(_forecast(0x7f800000), 0); // infinite
        assertEq(_forecast(0x43000000), 0); // 128 percent
        assertEq(_forecast(0x80000000), HIGH); // -0 is a forecast of nothing
        assertEq(_forecast(0), HIGH);
    }

    /// @dev A network that is good on average may be absurd today: whatever it says, the factor lies between what the two
    /// others say, and in the band.
    function testFuzz_factor_onePoisonedNetwork_movesNothingBeyondTheOthers(uint32 absurd, uint8 which, uint256 seed)
        public
    {
        _addDay(ONE);
        uint32 a = uint32(bound(seed, 0x3f000000, 0x3fffffff)); // 0.5 .. 2
        uint32 b = uint32(bound(seed >> 32, 0x3f000000, 0x3fffffff));
        uint8 liar = which % 3;
        _answer(liar, absurd);
        _answer((liar + 1) % 3, a);
        _answer((liar + 2) % 3, b);
        (uint256 factor, bool sure) = oracle.collateralFactor();
        (uint256 less, uint256 more) = (_clamped(_forecast(a)), _clamped(_forecast(b)));
        if (less > more) (less, more) = (more, less);
        assertTrue(sure && factor >= less && factor <= more, "between the two others");
    }

    function testFuzz_factor_allPoisoned_staysInTheBand(uint32 a, uint32 b, uint32 c) public {
        _addDay(ONE);
        uint256 before = 0;
        uint32[3] memory outputs = [a, b, c];
        for (uint8 i = 0; i < 3; ++i) {
            _answer(i, outputs[i]);
            (uint256 factor,) = oracle.collateralFactor();
            assertTrue(factor >= LOW && factor <= HIGH, "in the band");
            assertTrue(factor >= before, "careful first");
            before = factor;
        }
    }

    function test_factor_stale_isTheLowerEnd_andANewDayEndsIt() public {
        _addDay(ONE);
        for (uint8 i = 0; i < 3; ++i) _answer(i, ONE);
        vm.warp(START + 1 days + 4 days - 1);
        _factorIs(8_745, true);
        vm.warp(START + 1 days + 4 days);
        _factorIs(LOW, false);
        _addDay(MINUS_ONE);
        for (uint8 i = 0; i < 3; ++i) _answer(i, ONE);
        _factorIs(8_745, true);
    }

    function test_onResult_forADayThatIsOver_countsForNothing() public {
        _addDay(ONE);
        RequestId late = asked[0];
        _addDay(MINUS_ONE);
        vm.prank(address(claimChain));
        oracle.onResult(late, CLAIM, Certainty.Final, 1, _output(ONE));
        Day memory day = oracle.dayNow();
        assertTrue(day.heard == 0 && day.factors[0] == 0 && day.number == 2, "not heard");
    }

    function test_takeBack_afterARefund_paysTheFeederOnce() public {
        ReenteringFeeder payee = new ReenteringFeeder();
        _seat(3);
        oracle = _deploy(address(payee));
        payee.serve(oracle);
        vm.deal(address(payee), DUE);
        vm.warp(START + 1 days);
        vm.recordLogs();
        payee.addDay(ONE);
        asked = _idsOfLastDay();
        Request memory question = _question(1);
        vm.warp(START + 2 days);
        inbox.refund(_batchOf(question, 1), 0, question, new bytes32[](0));
        payee.expect(asked[1]);
        vm.prank(bob);
        oracle.takeBack(asked[1]);
        assertEq(address(payee).balance, DUE / 3);
        assertEq(payee.refusal(), abi.encodeWithSelector(RiskOracle.AlreadyTakenBack.selector, asked[1]));
    }

    function test_onResult_gas_isWithinItsLimit() public {
        _addDay(ONE);
        vm.cool(address(oracle));
        bytes memory data = abi.encodeCall(RiskOracle.onResult, (asked[2], CLAIM, Certainty.Final, 1, _output(ONE)));
        vm.prank(address(claimChain));
        uint256 before = gasleft();
        (bool success,) = address(oracle).call{gas: CALLBACK_GAS}(data);
        emit log_named_uint("RiskOracle.onResult, gas", before - gasleft());
        assertTrue(success && oracle.dayNow().heard == 4, "heard within the gas it asked for");
    }
}
