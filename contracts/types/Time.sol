// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// L1 time, the only time that counts. One classifier decides what is "in time" for every deadline.

/// @notice Seconds since the Unix epoch, from `block.timestamp`.
type Instant is uint40;

/// @notice A length of time in seconds.
type Duration is uint32;

using {afterwards, isBefore, later, isZero} for Instant global;

function currentInstant() view returns (Instant) {
    return Instant.wrap(uint40(block.timestamp));
}

/// @notice The instant `length` after `start`; cannot overflow before the year 36,000.
function afterwards(Instant start, Duration length) pure returns (Instant) {
    return Instant.wrap(Instant.unwrap(start) + Duration.unwrap(length));
}

/// @notice In time means strictly before the deadline: `now < deadline`.
function isBefore(Instant moment, Instant deadline) pure returns (bool) {
    return Instant.unwrap(moment) < Instant.unwrap(deadline);
}

function later(Instant a, Instant b) pure returns (Instant) {
    return Instant.unwrap(a) < Instant.unwrap(b) ? b : a;
}

function isZero(Instant moment) pure returns (bool) {
    return Instant.unwrap(moment) == 0;
}
