"""Vectors of properties: ids, keys, masks, pools, draws, uniforms, aggregates, each as its contract takes it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from eth_abi.abi import encode

from rollup.codec import values_of
from rollup.errors import BadInput
from rollup.inputs import is_within
from rollup.properties import ids, pool
from rollup.properties.aggregate import judge, progress
from rollup.properties.draw import Draw, draw_seed, text_seed, uniforms
from rollup.properties.scores import scored_id
from rollup.properties.stray import element_of
from rollup.properties.types import Aggregate, Comparison, Property, TrainingId
from rollup.tensor import DType, Tensor, TensorSpec
from rollup.types import LEAF_BYTES, BundleRoot, InputSpec, RequestId
from tests.parity.records import DOMAIN, GENERATION, TRAINING
from tests.parity.trees import Vectors, hexed

PROPERTY_ABI = "(uint8,uint8,uint32,address,uint32)"
PLACE = ["uint256", "address"]
SHAPES = ((2, 1), (9, 3), (12, 6), (640, 64), (2_112, 64))
ELEMENTS = ((DType.F32, 300), (DType.I64, 3), (DType.U8, 1_100), (DType.I32, 256))
# Of a f32 the ends are bits: -1 to 1, 0 to 1, -0 to -0, -2 to -1.
RANGES = (
    *((DType.F32, lo, hi) for lo, hi in [(0xBF800000, 0x3F800000), (0, 0x3F800000), (2**31, 2**31)]),
    *((DType.F32, 0xC0000000, 0xBF800000), (DType.I64, -5, 9), (DType.I64, -(2**63), 2**63 - 1)),
    *((DType.I32, -(2**31), 7), (DType.I32, -3, -1), (DType.U8, 3, 250), (DType.BOOL, 0, 1), (DType.BOOL, 1, 1)),
)
NOT_A_SCORE = (0x7FC00000, 0x7F800000, 0xFF800000, 0x5F800000, 0xDF800000)


def property_vectors(random: Random) -> Vectors:
    """Everything but aggregates: inputs as `abi.encode`, answers as words."""
    return {
        **{**_ids(random), **_keys(random), **_masks(random), **_pools(random), **_draws(random), **_texts(random)},
        **{**_elements(random), **_ranges(random)},
    }


def _ids(random: Random) -> Vectors:
    training, generation = TrainingId(random.randbytes(32)), RequestId(random.randbytes(32))
    weights, salt, tokens = BundleRoot(random.randbytes(32)), random.randbytes(32), random.randbytes(40)
    subject, root, executor = random.randbytes(32), BundleRoot(random.randbytes(32)), TRAINING.requester
    here = (DOMAIN.chain_id, DOMAIN.trainings, DOMAIN.generations)
    trainings = encode([*PLACE, ids.TRAINING_ABI], [*here[:2], values_of(TRAINING)])
    generations = encode([*PLACE, ids.GENERATION_ABI], [here[0], here[2], values_of(GENERATION)])
    commitment = encode(["bytes32", "address", "bytes32", "bytes32"], [training, executor, weights, salt])
    scored = encode(["bytes32", "uint32", "address", "bytes32"], [training, 31, executor, weights])
    text = encode(["bytes32", "uint32", "address", "bytes"], [generation, 2, executor, tokens])
    item = encode(["address", "bytes32", "uint256", "bytes32"], [DOMAIN.trainings, subject, 2_047, root])
    return {
        "trainings": [hexed(trainings)],
        "trainingIds": [hexed(ids.training_id(TRAINING, DOMAIN))],
        "generations": [hexed(generations)],
        "generationIds": [hexed(ids.generation_id(GENERATION, DOMAIN))],
        "commitments": [hexed(commitment)],
        "commitmentHashes": [hexed(ids.commitment_of(training, executor, weights, salt))],
        "scored": [hexed(scored)],
        "scoredSubjects": [hexed(ids.training_subject(training, 31, executor, weights))],
        "texts": [hexed(text)],
        "textSubjects": [hexed(ids.generation_subject(generation, 2, executor, tokens))],
        "items": [hexed(item)],
        "itemIds": [hexed(scored_id(DOMAIN.trainings, subject, 2_047, root))],
    }


def _keys(random: Random) -> Vectors:
    keys = [random.randbytes(32) for _ in range(4)]
    places = [(key, index) for key in keys for index in (0, 1, 2_111)]
    return {
        "poolKeys": [hexed(key) for key in keys],
        "keyHashes": [hexed(pool.key_hash(key)) for key in keys],
        "itemPlaces": [hexed(encode(["bytes32", "uint256"], place)) for place in places],
        "itemKeys": [hexed(pool.item_key(*place)) for place in places],
    }


def _masks(random: Random) -> Vectors:
    """`(key, tensor, leaf, masked, plain)`: whole leaves, and last ones that end inside of a block."""
    key, cases = random.randbytes(32), []
    tensors = [Tensor(TensorSpec(DType.U8, (size,)), random.randbytes(size)) for size in (1, 31, 33, 1_024, 2_500)]
    for number, (hidden, plain) in enumerate(zip(pool.masked(key, tensors), tensors, strict=True)):
        for leaf in range(plain.spec.leaf_count):
            cases.append((key, number, leaf, hidden.leaf(leaf), plain.leaf(leaf)))
    types = ["bytes32", "uint256", "uint256", "bytes", "bytes"]
    return {"masked": [hexed(encode(types, case)) for case in cases]}


def _pools(random: Random) -> Vectors:
    """`(root, count, index, key hash, masked root, path)` of items that lie in their pools."""
    cases = []
    for count in (2, 9, 12):
        made = pool.Pool.of(random.randbytes(32), [BundleRoot(random.randbytes(32)) for _ in range(count)])
        for index in sorted({0, count // 2, count - 1}):
            shown = made.shown(index)
            cases.append((made.root, count, index, shown.key_hash, shown.masked_root, shown.path))
    types = ["bytes32", "uint32", "uint256", "bytes32", "bytes32", "bytes32[]"]
    return {"pooled": [hexed(encode(types, case)) for case in cases]}


def _draws(random: Random) -> Vectors:
    """Seeds of `(training id, beacon)`; `(seed, stratum, size, index)`; and `(seed, pool, open, item, index)`."""
    training, beacon = TrainingId(random.randbytes(32)), random.randbytes(32)
    opened, sealed = [], []
    for pool_count, open_count in SHAPES:
        draw = Draw(random.randbytes(32), pool_count, open_count)
        for stratum in sorted({0, open_count // 2, open_count - 1}):
            opened.append((draw.seed, stratum, draw.stratum, draw.opened_index(stratum)))
        for item in sorted({0, draw.sealed_count // 2, draw.sealed_count - 1}):
            sealed.append((draw.seed, pool_count, open_count, item, draw.sealed_index(item)))
    return {
        "draws": [hexed(encode(["bytes32", "bytes32"], [training, beacon]))],
        "drawSeeds": [hexed(draw_seed(training, beacon))],
        "opened": [hexed(encode(["bytes32", "uint256", "uint256", "uint256"], case)) for case in opened],
        "sealed": [hexed(encode(["bytes32", "uint32", "uint32", "uint32", "uint32"], case)) for case in sealed],
    }


def _texts(random: Random) -> Vectors:
    generation, beacon = RequestId(random.randbytes(32)), random.randbytes(32)
    seed = text_seed(generation, beacon)
    return {
        "beacons": [hexed(encode(["bytes32", "bytes32"], [generation, beacon]))],
        "textSeeds": [hexed(seed)],
        "uniforms": [hexed(encode(["bytes32", "uint256", "bytes"], [seed, 257, uniforms(seed, 257)]))],
    }


def _elements(random: Random) -> Vectors:
    """`(key, tensor, leaf, masked, start, width, bits)`: elements of whole leaves and of cut ones."""
    key, cases = random.randbytes(32), []
    specs = [TensorSpec(dtype, (size,)) for dtype, size in ELEMENTS]
    tensors = [Tensor(spec, random.randbytes(spec.byte_length)) for spec in specs]
    for number, hidden in enumerate(pool.masked(key, tensors)):
        elements, width = hidden.spec.elements, hidden.spec.dtype.width
        for element in sorted({0, 1, elements // 2, elements - 1}):
            leaf, start = divmod(element * width, LEAF_BYTES)
            bits = int.from_bytes(element_of(key, (number, leaf), hidden.leaf(leaf), start, width), "big")
            cases.append((key, number, leaf, hidden.leaf(leaf), start, width, bits))
    types = ["bytes32", "uint256", "uint256", "bytes", "uint256", "uint256", "uint256"]
    return {"elements": [hexed(encode(types, case)) for case in cases]}


def _ranges(random: Random) -> Vectors:
    """`(header, lo, hi, bits, whether they lie inside)`: ends, their neighbours, and anything."""
    cases = []
    for dtype, lo, hi in RANGES:
        width, header = dtype.width, TensorSpec(dtype, (1,)).header
        near = [(end + step) % 2 ** (8 * width) for end in (lo, hi) for step in (-1, 0, 1)]
        for bits in {*near, *NOT_A_SCORE[:3], *(random.getrandbits(8 * width) for _ in range(4)), 0, 2**31}:
            if bits < 2 ** (8 * width):
                inside = is_within(InputSpec(header, lo, hi), dtype, bits.to_bytes(width, "big"))
                cases.append((header, lo, hi, bits, inside))
    types = ["bytes32", "int64", "int64", "uint256", "bool"]
    return {"ranges": [hexed(encode(types, case)) for case in sorted(cases)]}


def aggregate_vectors(random: Random) -> dict[str, list[str] | list[int]]:
    """`(property, scores, full)`, and what comes of it: `(holds, total, count, progress)`; empty where it reverts."""
    cases, answers = [], []
    for wanted, scores, full in _cases(random):
        cases.append(hexed(encode([PROPERTY_ABI, "bytes", "uint32"], [values_of(wanted), scores, full])))
        answers.append(hexed(_answer(wanted, scores, full)))
    return {"cases": cases, "answers": answers}


def _answer(wanted: Property, scores: bytes, full: int) -> bytes:
    try:
        outcome = judge(wanted, scores)
        way = progress(wanted, full, outcome.total, outcome.count)
    except BadInput:
        return b""
    return encode(["bool", "int256", "uint256", "uint256"], [outcome.holds, outcome.total, outcome.count, way])


def _cases(random: Random) -> Iterator[tuple[Property, bytes, int]]:
    for turn in range(96):
        exponents = random.choice([range(-149, -120), range(-30, 30), range(60, 63)])
        numbers = [random.choice([-1, 1]) * random.random() * 2.0 ** random.choice(exponents) for _ in range(9)]
        scores = struct.pack(">9f", *numbers)[: 4 * random.randrange(1, 10)]
        threshold, full = (int.from_bytes(struct.pack(">f", random.choice(numbers)), "big") for _ in range(2))
        yield Property(Aggregate(turn % 4), Comparison(turn // 4 % 4), threshold), scores, full
    sound = Property(Aggregate.MEAN, Comparison.AT_LEAST, 0)
    for bits in NOT_A_SCORE:
        word = bits.to_bytes(4, "big")
        yield sound, bytes(4) + word, 0
        yield replace(sound, threshold=bits), bytes(8), 0
        yield sound, bytes(8), bits
    yield sound, b"", 0
    yield sound, bytes(7), 0
