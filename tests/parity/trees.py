"""Cases for positional trees and for the roots of tensors, bundles, graphs and numerics."""

from __future__ import annotations

from random import Random

from eth_abi.abi import encode

from rollup.merkle import Tree, keccak256
from rollup.tensor import Bundle, DType, Tensor, TensorSpec
from rollup.types import TensorRoot
from tests.parity.toy import network

Vectors = dict[str, list[str]]
RUN = ["uint256", "uint256", "bytes32[]", "bytes32[]"]
PATH = ["bytes32", "uint256", "uint256", "bytes32[]"]
STEP = ["bytes", "uint256", "uint256", "bytes32", "bytes32[]"]
FACTOR = ["uint256", "uint256", "uint256", "bytes32", "bytes32[]"]
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31)


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def tree_vectors(random: Random) -> Vectors:
    """Runs `(first, size, nodes, siblings)` with their tops, paths `(leaf, index, size, path)`, and spoilt runs."""
    vectors: Vectors = {name: [] for name in ("runs", "tops", "spoilt", "keccakPaths", "keccakTops")}
    for size in SIZES:
        leaves = [random.randbytes(32) for _ in range(size)]
        tree, keccak = Tree(leaves), Tree(leaves, keccak256)
        for first, last in {(0, 0), (0, size - 1), (size - 1, size - 1), (size // 3, size // 2), (size // 2, size - 1)}:
            siblings = tree.run_path(first, last)
            vectors["runs"].append(hexed(encode(RUN, [first, size, leaves[first : last + 1], siblings])))
            vectors["tops"].append(hexed(tree.top))
            spoilt = (*siblings, bytes(32)) if random.random() < 0.5 or not siblings else siblings[:-1]
            vectors["spoilt"].append(hexed(encode(RUN, [first, size, leaves[first : last + 1], spoilt])))
        vectors["spoilt"].append(hexed(encode(RUN, [size - 1, size, leaves[:1] * 2, tree.path(size - 1)])))
        for index in sorted({0, size // 2, size - 1}):
            vectors["keccakPaths"].append(hexed(encode(PATH, [leaves[index], index, size, keccak.path(index)])))
            vectors["keccakTops"].append(hexed(keccak.top))
    return vectors


def root_vectors(random: Random) -> Vectors:
    """Tensors `(header, data)`, bundles, steps and factors of the toy network, each with its root; bad headers."""
    shapes = [(DType.F32, ()), (DType.F32, (600,)), (DType.U8, (1024,)), (DType.U8, (1025,)), (DType.I64, (3, 5, 11))]
    shapes += [(DType.BF16, (1, 1, 1, 1, 1, 1, 7)), (DType.BOOL, (2, 1)), (DType.F16, (700,)), (DType.I32, (256,))]
    tensors = [Tensor(spec, random.randbytes(spec.byte_length)) for spec in (TensorSpec(*shape) for shape in shapes)]
    roots = [[TensorRoot(random.randbytes(32)) for _ in range(size)] for size in SIZES]
    toy = network()
    graph, numerics = toy.graph, toy.numerics
    places = range(len(graph.steps))
    return {
        "tensors": [hexed(encode(["bytes32", "bytes"], [tensor.spec.header, tensor.data])) for tensor in tensors],
        "tensorRoots": [hexed(tensor.root) for tensor in tensors],
        "badHeaders": [hexed(header) for header in bad_headers()],
        "bundles": [hexed(encode(["bytes32[]"], [bundle])) for bundle in roots],
        "bundleRoots": [hexed(Bundle(bundle).root) for bundle in roots],
        "steps": [
            hexed(encode(STEP, [graph.steps[i].record, i, len(places), graph.header, graph.step_path(i)]))
            for i in places
        ],
        "graphRoots": [hexed(graph.root) for _ in places],
        "factors": [
            hexed(encode(FACTOR, [numerics.factors[i], i, len(places), numerics.header, numerics.path(i)]))
            for i in places
        ],
        "numericsRoots": [hexed(numerics.root) for _ in places],
    }


def bad_headers() -> list[bytes]:
    """Headers with an unknown dtype, a rank too high, zero or stray dims, stray bytes, 2^32 elements."""
    good = bytearray(TensorSpec(DType.F32, (2, 3)).header)
    changes = [(0, 0), (0, 8), (1, 8), (1, 1), (1, 3), (2, 1), (3, 1), (7, 0), (31, 1), (4, 0x60)]
    return [bytes(good[:place] + bytes([value]) + good[place + 1 :]) for place, value in changes]
