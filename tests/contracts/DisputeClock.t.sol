// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Windows} from "../../contracts/interfaces/IModelRegistry.sol";
import {Course, DisputeClock, Phase} from "../../contracts/libraries/DisputeClock.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Harness} from "./Harness.sol";

/// @notice Every small clock: all windows of 0 to 3 seconds, all histories, every second until all is over.
contract DisputeClockTest is Harness {
    uint256 private constant MOST = 3;
    uint40 private constant START = 10;

    function test_phases_everySmallClock_doNotOverlapAndEnd() public view {
        for (uint256 code = 0; code < (MOST + 1) ** 4; ++code) {
            this.requireClock(_windows(code));
        }
    }

    /// @notice A call of its own for each clock, so that its memory is given back.
    function requireClock(Windows memory windows) external pure {
        _requireUnopenedEnds(windows);
        for (uint40 openedAt = START; openedAt < START + 4; ++openedAt) {
            _requireOrder(Course(_at(START), _at(openedAt), false, false), windows);
            _requireOrder(Course(_at(START), _at(openedAt), true, false), windows);
            _requireOrder(Course(_at(START), _at(openedAt), true, true), windows);
        }
    }

    function test_phaseAt_eachDeadline_isNoLongerInTime() public pure {
        Windows memory windows =
            Windows(Duration.wrap(0), Duration.wrap(5), Duration.wrap(7), Duration.wrap(11), Duration.wrap(13));
        Course memory course = Course(_at(100), _at(0), false, false);
        _requireEdge(course, windows, 105, Phase.Opening, Phase.Unopened);
        course.openedAt = _at(104);
        _requireEdge(course, windows, 111, Phase.Collecting, Phase.Proving);
        _requireEdge(course, windows, 124, Phase.Proving, Phase.Over);
        course.demanded = true;
        _requireEdge(course, windows, 111, Phase.Collecting, Phase.Supplying);
        _requireEdge(course, windows, 122, Phase.Supplying, Phase.Proving);
        _requireEdge(course, windows, 135, Phase.Proving, Phase.Over);
        course.missing = true;
        _requireEdge(course, windows, 122, Phase.Supplying, Phase.Starved);
        _requireEdge(course, windows, 135, Phase.Starved, Phase.Starved);
    }

    function test_proveHalf_isHalfOfTheProveWindowAfterSupply() public pure {
        Windows memory windows =
            Windows(Duration.wrap(0), Duration.wrap(5), Duration.wrap(7), Duration.wrap(11), Duration.wrap(13));
        Course memory course = Course(_at(100), _at(104), true, false);
        assertEq(Instant.unwrap(DisputeClock.proveHalf(course, windows)), 104 + 7 + 11 + 6);
    }

    function testFuzz_phaseAt_longWindows_neverOverflow(uint40 start, uint32[4] memory lengths, uint40 moment)
        public
        pure
    {
        start = uint40(bound(start, 1, 1 << 39));
        Windows memory windows = Windows(
            Duration.wrap(0),
            Duration.wrap(lengths[0]),
            Duration.wrap(lengths[1]),
            Duration.wrap(lengths[2]),
            Duration.wrap(lengths[3])
        );
        Course memory course = Course(_at(start), _at(start), true, false);
        Phase phase = DisputeClock.phaseAt(course, windows, _at(moment));
        bool over = moment >= uint256(start) + lengths[1] + lengths[2] + lengths[3];
        assertTrue((phase == Phase.Over) == over, "over exactly from the end of all windows");
    }

    /// @dev Phases come in order and never go back; what ends a dispute is reached exactly when it is promised.
    function _requireOrder(Course memory course, Windows memory windows) private pure {
        Phase before = Phase.Collecting;
        Instant end = DisputeClock.concludableFrom(course, windows);
        for (uint40 moment = Instant.unwrap(course.openedAt); moment < START + 20; ++moment) {
            Phase phase = DisputeClock.phaseAt(course, windows, _at(moment));
            assertTrue(phase >= before, "phases never go back");
            assertTrue(phase != Phase.Opening && phase != Phase.Unopened, "an opened trace stays open");
            assertTrue(_ends(phase) == !_at(moment).isBefore(end), "a timeout exactly when no move is awaited");
            assertTrue(phase != Phase.Supplying || course.demanded, "nothing to supply unless demanded");
            assertTrue(phase != Phase.Over || !course.missing, "no acquittal while a leaf is missing");
            before = phase;
        }
        assertTrue(_ends(before), "every dispute ends");
    }

    function _requireUnopenedEnds(Windows memory windows) private pure {
        Course memory course = Course(_at(START), _at(0), false, false);
        uint40 end = START + Duration.unwrap(windows.open);
        for (uint40 moment = START; moment < START + 8; ++moment) {
            Phase expected = moment < end ? Phase.Opening : Phase.Unopened;
            assertEq(uint256(DisputeClock.phaseAt(course, windows, _at(moment))), uint256(expected));
        }
        assertEq(Instant.unwrap(DisputeClock.concludableFrom(course, windows)), end);
    }

    function _requireEdge(Course memory course, Windows memory windows, uint40 edge, Phase last, Phase first)
        private
        pure
    {
        assertEq(uint256(DisputeClock.phaseAt(course, windows, _at(edge - 1))), uint256(last));
        assertEq(uint256(DisputeClock.phaseAt(course, windows, _at(edge))), uint256(first));
        assertEq(uint256(DisputeClock.phaseAt(course, windows, _at(edge + 1))), uint256(first));
    }

    function _ends(Phase phase) private pure returns (bool) {
        return phase == Phase.Unopened || phase == Phase.Starved || phase == Phase.Over;
    }

    function _windows(uint256 code) private pure returns (Windows memory) {
        uint256 base = MOST + 1;
        return Windows(
            Duration.wrap(0),
            Duration.wrap(uint32(code % base)),
            Duration.wrap(uint32(code / base % base)),
            Duration.wrap(uint32(code / base ** 2 % base)),
            Duration.wrap(uint32(code / base ** 3))
        );
    }

    function _at(uint256 moment) private pure returns (Instant) {
        return Instant.wrap(uint40(moment));
    }
}
