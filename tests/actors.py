"""The cast of the stories and the demo: liars of every kind, and a griefer. The honest are the product's own processes.

A liar has a key of its own, leases first, claims what is false, and answers a challenge with the trace that its kind of
lie would make. It uses the executor's own code for everything that is not the lie.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import torch
from torch import Tensor

from executor.models import LoadedModel
from executor.network import Network, operands_of
from executor.operators import evaluate_rounded
from executor.tensors import canonical_bytes, from_bytes, from_canonical
from executor.trace import Results, Trace, recompute
from rollup.blobs import BlobReader, Blobs, FolderStore
from rollup.chain.claims import Claim, Claims
from rollup.chain.client import Client, Snapshot
from rollup.chain.disputes import Disputes
from rollup.chain.keys import Key
from rollup.chain.sender import Sender
from rollup.chain.transactions import MemoryStore
from rollup.config import Deployment
from rollup.errors import RollupError
from rollup.events import FaultProven, Silenced
from rollup.graph import Op
from rollup.inputs import split_inputs
from rollup.tensor import Tensor as Canonical
from rollup.types import INLINE_OUTPUT_BYTES, BundleRoot, ClaimId, DisputeStatus, RequestId, TraceOpening
from rollup.view import OrderedRequest, View

# Sent along with a lease and a claim: more than both need, the rest stays in the Vault.
STAKE_WEI = 10**18
WANTED_DIGIT = 9


class Lie(ABC):
    """One kind of lie about one request: a false output, and what is opened when somebody doubts it."""

    name: str
    # Whether the tensors of the opened trace are served.
    serves = True
    # Whether an output is served that is claimed by its root.
    shows_output = True
    # The event by which it is to fall: a proven fault, or silence.
    falls_by: type[FaultProven] | type[Silenced] = FaultProven

    @abstractmethod
    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        """Canonical bytes of the claimed output."""

    @abstractmethod
    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        """What is opened; None for silence."""


class ChangedOutput(Lie):
    """Claims another digit, and opens an honest trace."""

    name = "changed output"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return flattered(recompute(model.network, inputs)[-1])

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(recompute(model.network, inputs))


class FourBitWeights(Lie):
    """Runs a cheaper copy of the model, whose weights have sixteen values each, honestly."""

    name = "4-bit weights"

    def _run(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Results:
        network = model.network
        return recompute(Network(network.program, network.lowered, four_bits(network.weights)), inputs)

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return canonical_bytes(self._run(model, inputs)[-1])

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(self._run(model, inputs))


class SkippedLayer(Lie):
    """Saves one layer: the last relu passes on what it got."""

    name = "skipped layer"

    def _run(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Results:
        steps = model.network.graph.steps
        skipped = max(number for number, step in enumerate(steps) if step.op is Op.RELU)
        results: Results = []
        for number, step in enumerate(steps):
            operands = operands_of(step, inputs, model.network.weights, results)
            results.append(operands[0].clone() if number == skipped else evaluate_rounded(step, operands))
        return results

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return canonical_bytes(self._run(model, inputs)[-1])

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return Trace.of(self._run(model, inputs))


class FabricatedTrace(Lie):
    """Ran nothing: every tensor is noise, and the last one is what was claimed."""

    name = "fabricated trace"

    def output(self, model: LoadedModel, inputs: Sequence[Tensor]) -> bytes:
        return flattered(torch.zeros(model.network.graph.output.shape))

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        generator = torch.Generator().manual_seed(0)
        steps = model.network.graph.steps
        results = [torch.randn(step.result.shape, generator=generator) for step in steps[:-1]]
        return Trace.of([*results, from_bytes(steps[-1].result, self.output(model, inputs))])


class Silence(ChangedOutput):
    """Claims another digit, and says nothing when asked."""

    name = "silence"
    falls_by = Silenced

    def trace(self, model: LoadedModel, inputs: Sequence[Tensor]) -> Trace | None:
        return None


class NoData(FabricatedTrace):
    """Opens a trace root, and shows nobody what is under it."""

    name = "serves no data"
    serves = False
    falls_by = Silenced


LIES: tuple[type[Lie], ...] = (ChangedOutput, FourBitWeights, SkippedLayer, FabricatedTrace, Silence, NoData)


def entry_of(lie: Lie, model: LoadedModel, inputs: Sequence[Tensor], blobs: Blobs) -> bytes:
    """What a claim holds of a lie's output, all of it or its root; then it is put into `blobs`, if the lie shows it."""
    output = lie.output(model, inputs)
    if len(output) <= INLINE_OUTPUT_BYTES:
        return output
    claimed = Canonical(model.network.graph.output, output)
    if lie.shows_output:
        blobs.put_tensor(claimed)
    return claimed.root


def flattered(logits: Tensor) -> bytes:
    """The same logits, but for the digit that is worth most."""
    logits = logits.clone()
    logits.reshape(-1)[WANTED_DIGIT] = logits.max() + 20
    return canonical_bytes(logits)


def four_bits(weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Each tensor rounded to sixteen evenly spaced values."""
    scales = [weight.abs().max() / 7 for weight in weights]
    return tuple((weight / scale).round().clamp(-8, 7) * scale for weight, scale in zip(weights, scales, strict=True))


@dataclass(frozen=True)
class Place:
    """Where actors act: a chain, its contracts, the model they lie about, and the store that has inputs by root."""

    client: Client
    deployment: Deployment
    model: LoadedModel
    inputs: BlobReader | None = None

    def snapshot(self) -> Snapshot:
        return Snapshot(self.client, self.client.head())

    def sender(self, key: Key) -> Sender:
        return Sender(self.client, key, MemoryStore())


class Liar:
    """Tells one lie about one request, with a key of its own."""

    def __init__(self, lie: Lie, key: Key, place: Place, folder: Path) -> None:
        self.lie, self.address = lie, key.address
        self._place, self._sender = place, place.sender(key)
        self._claims, self._disputes = Claims(place.deployment), Disputes(place.deployment)
        self._blobs = Blobs(FolderStore(folder))
        self._server = serve_blobs(folder)
        self._opened = False

    def claim(self, view: View, request: RequestId) -> None:
        """Leases the request before anybody else, and claims at once."""
        url = f"http://127.0.0.1:{self._server.server_port}"
        self._sender.submit(self._claims.announce_endpoint(url))
        ordered = view.request(request)
        batch = view.batch_of(ordered).batch
        lease = self._claims.lease(batch, 0, turn=request.hex(), value_wei=STAKE_WEI)
        self._sender.send(lease)
        bond = self._claims.minimum_bond(self._place.snapshot(), batch, 0, self.address) * 5 // 4
        entry = entry_of(self.lie, self._place.model, self._inputs(ordered), self._blobs)
        self._sender.send(self._claims.claim(Claim(batch, 0, 1, (0,), (entry,), False, bond), value_wei=STAKE_WEI))

    def answer(self, view: View, claim: ClaimId) -> None:
        """Opens its trace when it is challenged, if its lie has one. Ignores every demand."""
        if self._opened or view.dispute(claim).status is not DisputeStatus.CHALLENGED:
            return
        made = view.claim(claim)
        trace = self.lie.trace(self._place.model, self._inputs(view.request(made.request)))
        if trace is None:
            return
        if self.lie.serves:
            self._blobs.put_tensors(list(trace.tensors))
        opening = TraceOpening(made.index, BundleRoot(trace.root))
        self._sender.send(self._disputes.open(view.claims_of(made).batch, [opening]))
        self._opened = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _inputs(self, ordered: OrderedRequest) -> list[Tensor]:
        specs = self._place.model.record.inputs
        if ordered.inputs:
            return [from_canonical(tensor) for tensor in split_inputs(specs, ordered.inputs)]
        assert self._place.inputs is not None
        bundle = self._place.inputs.get_bundle(ordered.request.inputs_root)
        return [from_canonical(self._place.inputs.get_tensor(root)) for root in bundle.roots]


class Griefer:
    """Challenges an honest claim, to delay it."""

    def __init__(self, key: Key, place: Place) -> None:
        self.address = key.address
        self._sender, self._disputes = place.sender(key), Disputes(place.deployment)

    def challenge(self, view: View, claim: ClaimId) -> None:
        self._sender.send(self._disputes.challenge(view.witness(claim), STAKE_WEI))


def serve_blobs(folder: Path) -> ThreadingHTTPServer:
    """A liar's own GET /blobs/{hash}, on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_BlobHandler, FolderStore(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    return server


class _BlobHandler(BaseHTTPRequestHandler):
    def __init__(self, store: FolderStore, *arguments: object) -> None:
        self._store = store
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        try:
            name = bytes.fromhex(self.path.removeprefix("/blobs/").removeprefix("0x"))
            data = self._store.read(name, 2**30)
        except (ValueError, RollupError):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: a story prints what matters."""
