"""Every reason to refuse a request, one clear error each; then what is taken."""

import struct
from dataclasses import replace

import pytest

from rollup.admission import (
    Account,
    Due,
    require_in_turn,
    require_inputs,
    require_signer,
    require_terms,
    require_well_formed,
)
from rollup.errors import BadInput, BadSignature, Conflict
from rollup.inputs import inputs_root, split_inputs
from rollup.tensor import DType, TensorSpec
from rollup.types import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Address,
    BundleRoot,
    GraphRoot,
    InputSpec,
    Model,
    ModelId,
    NumericsRoot,
    Request,
    Windows,
)

ALICE = Address(b"\xaa" * 20)
NOW = 1_000_000
F32 = InputSpec(TensorSpec(DType.F32, (1, 2)).header, 0xBF800000, 0x3F800000)  # -1.0 to 1.0
I64 = InputSpec(TensorSpec(DType.I64, (1,)).header, -5, 5)
U8 = InputSpec(TensorSpec(DType.U8, (2,)).header, 0, 200)
MODEL = Model(
    GraphRoot(ZERO_WORD), ZERO_WORD, BundleRoot(ZERO_WORD), NumericsRoot(ZERO_WORD), ZERO_WORD, (F32, I64, U8),
    TensorSpec(DType.F32, (1, 10)).header, 0, 0, 1, Windows(60, 60, 60, 60, 60),
)  # fmt: skip
REQUEST = Request(
    ALICE, 3, 0, ModelId(b"m" * 32), BundleRoot(b"i" * 32), ZERO_WORD, ZERO_WORD, 100, 10, 0, NOW + 600, ZERO_ADDRESS, 0
)


def inputs(a: float = 0.5, b: float = -0.0, integer: int = -5, raw: bytes = b"\x00\xc8") -> bytes:
    return struct.pack(">ffq", a, b, integer) + raw


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"nonce": -1}, "nonce -1 is outside 0..2.64-1"),
        ({"fee_wei": 2**96}, "fee_wei .* is outside 0..2\\^96-1"),
        ({"deadline": 2**40}, "deadline .* is outside 0..2\\^40-1"),
        ({"kind": 1}, "only requests of kind 0"),
        ({"property": b"p" * 32}, "only requests of kind 0"),
        ({"parents": b"p" * 32}, "only requests of kind 0"),
    ],
)
def test_well_formed__what_is_not__is_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        require_well_formed(replace(REQUEST, **changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fee_wei": 49}, "fee 49 wei is below the minimum of 50 wei"),
        ({"deadline": NOW - 1}, f"deadline {NOW - 1} is outside {NOW + 70}"),
        ({"deadline": NOW + 69}, f"deadline {NOW + 69} is outside {NOW + 70}"),
        ({"deadline": NOW + 31 * 86400}, "is outside"),
        ({"callback_gas": 1}, "callback gas 1 is outside 0..0"),
        ({"callback": ALICE}, "callback gas 0 is outside 1..1000000"),
        ({"callback": ALICE, "callback_gas": 1_000_001}, "callback gas 1000001 is outside"),
    ],
)
def test_terms__that_inbox_would_not_take__are_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        require_terms(replace(REQUEST, **changes), MODEL, 50, NOW)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "inputs have 0 bytes, the model takes 18"),
        (inputs()[:-1], "inputs have 17 bytes, the model takes 18"),
        (inputs() + b"\0", "inputs have 19 bytes"),
        (inputs(a=float("nan")), "input element 0 is nan, outside -1.0 to 1.0"),
        (inputs(b=-float("nan")), "input element 1 is nan"),
        (inputs(a=float("inf")), "input element 0 is inf"),
        (inputs(b=-1.5), "input element 1 is -1.5, outside -1.0 to 1.0"),
        (inputs(integer=6), "input element 2 is 6, outside -5 to 5"),
        (inputs(integer=-(2**63)), "input element 2 is -9223372036854775808"),
        (inputs(raw=b"\x00\xc9"), "input element 4 is 201, outside 0 to 200"),
    ],
)
def test_inputs__of_a_wrong_length_or_out_of_range__are_refused(data, says):
    with pytest.raises(BadInput, match=says):
        require_inputs(REQUEST, data, MODEL)


def test_inputs__under_another_root__are_refused():
    with pytest.raises(BadInput, match=f"the request names 0x{b'i'.hex() * 32}"):
        require_inputs(REQUEST, inputs(), MODEL)


def test_signer__other_than_the_requester__is_refused():
    with pytest.raises(BadSignature, match="another chain or another Inbox"):
        require_signer(Address(b"\xbb" * 20), REQUEST)


@pytest.mark.parametrize(("nonce", "expected"), [(2, 5), (3, 5), (6, 5)])
def test_nonce__that_is_not_the_next__is_refused(nonce, expected):
    with pytest.raises(Conflict, match=f"nonce {nonce} is not the next of 0x(aa)+, which is {expected}"):
        require_in_turn(replace(REQUEST, nonce=nonce), Account(3, 10**18), [Due(3, 110), Due(4, 110)])


def test_funds__promised_twice__are_refused():
    with pytest.raises(BadInput, match="has 109 wei free in the Vault, fee and tip are 110 wei"):
        require_in_turn(replace(REQUEST, nonce=4), Account(3, 219), [Due(3, 110)])


def test_request__that_keeps_every_rule__is_taken():
    root = inputs_root(split_inputs(MODEL.inputs, inputs()))
    good = replace(REQUEST, inputs_root=root)
    require_well_formed(good)
    require_signer(ALICE, good)
    require_terms(good, MODEL, 100, NOW)
    require_inputs(good, inputs(), MODEL)
    # A due that the chain has already escrowed counts no more.
    require_in_turn(good, Account(3, 110), [Due(2, 110)])
