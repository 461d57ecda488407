// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Windows} from "../interfaces/IModelRegistry.sol";
import {Duration, Instant} from "../types/Time.sol";

/// @notice What of a dispute its clocks depend on.
/// @param openedAt zero while no trace is open
/// @param demanded whether any leaf was demanded
/// @param missing whether a demanded leaf is not supplied yet
struct Course {
    Instant challengedAt;
    Instant openedAt;
    bool demanded;
    bool missing;
}

/// @notice Where a dispute stands in time. Every instant lies in exactly one phase.
/// Opening: the executor may open. Unopened: it did not in time.
/// Collecting: leaves may be demanded and supplied. Supplying: only supplied. Starved: a demanded leaf is missing.
/// Proving: nothing but a proof is awaited. Over: none came in time.
enum Phase {
    Opening,
    Unopened,
    Collecting,
    Supplying,
    Starved,
    Proving,
    Over
}

/// @title The one classifier of a dispute's time
/// @notice Knows windows and instants, and nothing of money, witnesses or who calls. `Unopened`, `Starved` and `Over` are the
/// phases that `conclude` ends, the others those in which a move is awaited; so move and timeout never overlap.
library DisputeClock {
    function openEnd(Instant challengedAt, Duration open) internal pure returns (Instant) {
        return challengedAt.afterwards(open);
    }

    function collectEnd(Course memory course, Windows memory windows) internal pure returns (Instant) {
        return course.openedAt.afterwards(windows.collect);
    }

    /// @notice The end of the collect period itself if nothing was demanded.
    function supplyEnd(Course memory course, Windows memory windows) internal pure returns (Instant end) {
        end = collectEnd(course, windows);
        if (course.demanded) end = end.afterwards(windows.supply);
    }

    function proveEnd(Course memory course, Windows memory windows) internal pure returns (Instant) {
        return supplyEnd(course, windows).afterwards(windows.prove);
    }

    /// @notice When an acquitted claim may be final at the earliest: faults that only reject are proven from `proveEnd` on,
    /// and they too have a prove window.
    function finalFrom(Course memory course, Windows memory windows) internal pure returns (Instant) {
        return proveEnd(course, windows).afterwards(windows.prove);
    }

    /// @notice Before this the sender's part of a slash belongs to the challenger: a proof copied from the mempool earns
    /// the copier nothing.
    function proveHalf(Course memory course, Windows memory windows) internal pure returns (Instant) {
        return supplyEnd(course, windows).afterwards(Duration.wrap(Duration.unwrap(windows.prove) / 2));
    }

    function phaseAt(Course memory course, Windows memory windows, Instant moment) internal pure returns (Phase) {
        if (course.openedAt.isZero()) {
            return moment.isBefore(openEnd(course.challengedAt, windows.open)) ? Phase.Opening : Phase.Unopened;
        }
        if (moment.isBefore(collectEnd(course, windows))) return Phase.Collecting;
        if (moment.isBefore(supplyEnd(course, windows))) return Phase.Supplying;
        if (course.missing) return Phase.Starved;
        return moment.isBefore(proveEnd(course, windows)) ? Phase.Proving : Phase.Over;
    }

    /// @notice From when `conclude` can end the dispute, if nothing else happens.
    function concludableFrom(Course memory course, Windows memory windows) internal pure returns (Instant) {
        if (course.openedAt.isZero()) return openEnd(course.challengedAt, windows.open);
        return course.missing ? supplyEnd(course, windows) : proveEnd(course, windows);
    }
}
