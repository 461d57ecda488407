"""A model as it travels: a folder that is pushed, and the blobs from which executors load it.

Folder: `program.json` and `weights.safetensors`. Blobs: the program's JSON under its graph root, the graph's records
under a name made of that root, the weights under their bundle root, the numerics under theirs. Whoever loads a program
lowers it again and compares the root, so a program that is not the registered graph is refused. Records are the graph
itself: by them a graph that no program makes can be shown, so that who registered it can be struck.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rollup.blobs import BlobReader, Blobs
from rollup.errors import BadEncoding, BadInput, RollupError
from rollup.graph import Numerics, root_of_records
from rollup.judge.strikes import require_judgeable
from rollup.lowering import Lowered, lower
from rollup.merkle import keccak256, sha256
from rollup.program import MAX_PROGRAM_BYTES, Program
from rollup.tensor import Tensor
from rollup.types import BundleRoot, GraphRoot
from rollup.weights import MAX_FILE_BYTES, read_weights, write_weights

PROGRAM_FILE = "program.json"
WEIGHTS_FILE = "weights.safetensors"
RECORDS_TAG = keccak256(b"anh.v1.records")
# Of the largest graph that can be built here, in small steps: whoever looks through them does not believe their size.
MAX_RECORDS_BYTES = 2 * MAX_PROGRAM_BYTES


@dataclass(frozen=True)
class Package:
    """A program and the tensors of its weights, in order."""

    program: Program
    weights: tuple[Tensor, ...]


def write_folder(folder: Path, program: Program, weights: Sequence[Tensor]) -> None:
    """Writes the form in which models are pushed. Raises BadEncoding for a program that is too long to be read."""
    text = program.to_json()
    if len(text) > MAX_PROGRAM_BYTES:
        raise BadEncoding(f"the program has {len(text)} bytes, at most {MAX_PROGRAM_BYTES} can be read")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM_FILE).write_bytes(text)
    write_weights(folder / WEIGHTS_FILE, program.weights, weights)


def read_folder(folder: Path, max_weight_bytes: int = MAX_FILE_BYTES) -> Package:
    """Reads what `write_folder` wrote, or a stranger says it did. Raises BadInput, BadEncoding or BadGraph."""
    for name in (PROGRAM_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise BadInput(f"{folder} has no {name}")
    size = (folder / PROGRAM_FILE).stat().st_size
    if size > MAX_PROGRAM_BYTES:
        raise BadEncoding(f"{PROGRAM_FILE} has {size} bytes, at most {MAX_PROGRAM_BYTES} are read")
    program = Program.from_json((folder / PROGRAM_FILE).read_bytes())
    return Package(program, read_weights(folder / WEIGHTS_FILE, program.weights, max_weight_bytes))


def store(blobs: Blobs, package: Package, numerics: Numerics) -> tuple[GraphRoot, BundleRoot]:
    """Stores a model's blobs; returns its graph root and its weights' bundle root.

    Raises BadGraph for a model for which its registrant could be struck.
    """
    graph = lower(package.program).graph
    require_judgeable(graph)
    blobs.put_named(graph.root, package.program.to_json())
    store_records(blobs, graph.header, [step.record for step in graph.steps])
    blobs.put_numerics(numerics)
    return graph.root, blobs.put_tensors(list(package.weights))


def load_program(blobs: BlobReader, root: GraphRoot) -> tuple[Program, Lowered]:
    """The program stored under a graph root, and its graph. Raises BadEncoding if it lowers to another."""

    def check(text: bytes) -> tuple[Program, Lowered]:
        program = Program.from_json(text)
        lowered = lower(program)
        if lowered.graph.root != root:
            raise BadEncoding(f"the program under 0x{root.hex()} lowers to 0x{lowered.graph.root.hex()}")
        return program, lowered

    return blobs.get_named(root, check, MAX_PROGRAM_BYTES)


def find_records(blobs: BlobReader, root: GraphRoot, header: bytes) -> tuple[bytes, ...]:
    """The records of a graph, by the program that makes it or, where none is served, as they are.

    Raises NotFound, Unavailable, and BadEncoding where what is served is another's.
    """
    # Whoever serves another program, or none, may serve the records all the same.
    with suppress(RollupError):
        _, lowered = load_program(blobs, root)
        if lowered.graph.header == header:
            return tuple(step.record for step in lowered.graph.steps)
    return load_records(blobs, root, header)


def store_records(blobs: Blobs, header: bytes, records: Sequence[bytes]) -> GraphRoot:
    """Stores the records of a graph, whatever they are; returns its root."""
    root = root_of_records(header, records)
    blobs.put_named(_name_of_records(root), b"".join(len(record).to_bytes(4, "big") + record for record in records))
    return root


def load_records(blobs: BlobReader, root: GraphRoot, header: bytes) -> tuple[bytes, ...]:
    """The records of a graph of this root and header. Raises BadEncoding where they are another's."""

    def check(data: bytes) -> tuple[bytes, ...]:
        records, at = [], 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at : at + 4], "big")
            records.append(data[at + 4 : end])
            at = end
        if at != len(data) or root_of_records(header, records) != root:
            raise BadEncoding(f"{len(records)} records are not those of the graph 0x{root.hex()}")
        return tuple(records)

    return blobs.get_named(_name_of_records(root), check, MAX_RECORDS_BYTES)


def _name_of_records(root: GraphRoot) -> bytes:
    return sha256(RECORDS_TAG + root)


def load_weights(blobs: BlobReader, root: BundleRoot, program: Program) -> tuple[Tensor, ...]:
    """The weights of a program. Raises BadEncoding unless they are as many as it names, each of its shape."""
    roots = blobs.get_bundle(root).roots
    if len(roots) != len(program.weights):
        raise BadEncoding(f"bundle 0x{root.hex()} has {len(roots)} tensors, the program {len(program.weights)} weights")
    pairs = zip(roots, program.weights, strict=True)
    return tuple(blobs.get_tensor(tensor, weight.spec) for tensor, weight in pairs)
