from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollup.errors import BadEncoding
from rollup.numerics import FP32, Arithmetic, Profile, Rounding

plain = st.builds(
    Profile,
    st.sampled_from(Arithmetic),
    st.booleans(),
    samples=st.integers(0, 2**32 - 1),
    digest=st.binary(min_size=24, max_size=24),
)
cutting = st.builds(Profile, st.just(Arithmetic.TF32), st.booleans(), st.sampled_from(Rounding))


@given(st.one_of(plain, cutting))
def test_from_header__any_profile__is_read_as_it_was_written(profile: Profile) -> None:
    assert len(profile.header) == 32
    assert Profile.from_header(profile.header) == profile


def test_header__of_fp32__is_one_byte() -> None:
    assert FP32.header == b"\1" + bytes(31)


def test_header__every_field__has_its_place() -> None:
    profile = Profile(Arithmetic.TF32, True, Rounding.TOWARD_ZERO, 0x01020304, b"\7" * 24)
    assert profile.header == b"\2\5\0\0\1\2\3\4" + b"\7" * 24


@pytest.mark.parametrize(
    "header",
    [
        bytes(32),
        b"\1" + bytes(30),
        b"\4" + bytes(31),
        b"\1\2" + bytes(30),
        b"\2\6" + bytes(30),
        b"\2\x08" + bytes(30),
        b"\3\4" + bytes(30),
        b"\1\0\1" + bytes(29),
        b"\1\0\0\1" + bytes(28),
    ],
)
def test_from_header__not_canonical__is_refused(header: bytes) -> None:
    with pytest.raises(BadEncoding):
        Profile.from_header(header)


def test_profile__number_of_samples_beyond_a_word__is_refused() -> None:
    with pytest.raises(BadEncoding, match="4294967296 samples"):
        Profile(samples=2**32)


def test_profile__digest_of_another_length__is_refused() -> None:
    with pytest.raises(BadEncoding, match="24 bytes, got 32"):
        Profile(digest=bytes(32))
