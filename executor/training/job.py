"""A training job is a folder: what goes in, where it stands, what comes out. One process runs it, any other may watch.

In: `program.json` and `weights.safetensors` (the architecture as it is pushed), `recipe.json`, `shown.safetensors`,
and `check.safetensors` where part of the hold-out was opened. Out: `progress.jsonl`, one point a line, and
`checkpoint.safetensors`, which is also where a killed run goes on. Nothing in the folder is code.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from executor.tensors import from_canonical
from executor.training.checkpoint import Checkpoint, Point
from executor.training.dataset import Dataset, read_dataset
from executor.training.loop import Run
from executor.training.network import Trainee
from executor.training.recipe import Method, Recipe
from rollup.errors import BadInput, NotYet, Refused, Unavailable
from rollup.package import Package, read_folder

RECIPE_FILE = "recipe.json"
SHOWN_FILE = "shown.safetensors"
CHECK_FILE = "check.safetensors"
CHECKPOINT_FILE = "checkpoint.safetensors"
PROGRESS_FILE = "progress.jsonl"
REFUSAL_FILE = "refusal.txt"
LOG_FILE = "worker.log"
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """One training run, at rest in its folder."""

    folder: Path

    @property
    def recipe(self) -> Recipe:
        return Recipe.read(self.folder / RECIPE_FILE)

    @property
    def checkpoint(self) -> Checkpoint | None:
        return Checkpoint.read(self.folder / CHECKPOINT_FILE)

    def prepare(self) -> Run:
        """All that the folder holds, read and checked, the trainee where the run stands.

        Raises BadInput, BadEncoding or BadGraph.
        """
        package, recipe = read_folder(self.folder), self.recipe
        trainee = Trainee(package.program, [from_canonical(weight) for weight in package.weights], recipe.frozen)
        start = self.checkpoint
        if start is not None:
            trainee.load(start.weights)
        elif recipe.initial == "drawn":
            trainee.draw(recipe.seed)
        shown = read_dataset(self.folder / SHOWN_FILE, package.program, recipe.loss)
        return Run(recipe, trainee, shown, self._check(package), self.tell, self.keep)

    def _check(self, package: Package) -> Dataset | None:
        path = self.folder / CHECK_FILE
        if path.exists():
            return read_dataset(path, package.program, self.recipe.loss)
        if self.recipe.enough is not None:
            raise BadInput(f"the recipe stops at a score, and there is no {CHECK_FILE} to score on")
        return None

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keeps where the run stands."""
        checkpoint.write(self.folder / CHECKPOINT_FILE)

    def tell(self, point: Point) -> None:
        """Adds a point to the news; the checkpoint is the truth."""
        with (self.folder / PROGRESS_FILE).open("a", encoding="utf-8") as file:
            file.write(_line(point))

    def train(self, heard: Callable[[Point], None] = lambda _: None, stop: threading.Event | None = None) -> Checkpoint:
        """Runs the job in processes of its own to its end, from wherever it stands; `heard` gets every new point.

        Raises BadInput for a job that its worker refuses, Unavailable if a worker died, NotYet if `stop` was set first;
        calling it again goes on.
        """
        (self.folder / REFUSAL_FILE).unlink(missing_ok=True)
        told = self._rewind()
        log = self.folder / LOG_FILE
        with log.open("ab") as said:
            # The worker lives as long as its standard input is open: none outlives the process that started it.
            worker = subprocess.Popen(self._command(), stdin=subprocess.PIPE, stdout=said, stderr=said)
            try:
                self._watch(worker, heard, told, stop or threading.Event())
            finally:
                worker.kill()
                worker.communicate()
        return self._result(worker.returncode, log)

    def refuse(self, error: Refused) -> None:
        """Keeps why the job can never run."""
        (self.folder / REFUSAL_FILE).write_text(str(error), encoding="utf-8")

    def _rewind(self) -> int:
        """Takes back news of epochs that a lost run did not keep; how many are kept."""
        kept = () if self.checkpoint is None else self.checkpoint.curve
        (self.folder / PROGRESS_FILE).write_text("".join(map(_line, kept)), encoding="utf-8")
        return len(kept)

    def _watch(
        self, worker: subprocess.Popen[bytes], heard: Callable[[Point], None], told: int, stop: threading.Event
    ) -> None:
        """Waits for the worker's end, telling of points on the way. Raises NotYet if it is to stop."""
        while True:
            try:
                worker.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                told = self._tell(heard, told)
                if stop.is_set():
                    raise NotYet(f"the training in {self.folder.name} was stopped after {told} epochs") from None
                continue
            self._tell(heard, told)
            return

    def _result(self, status: int, log: Path) -> Checkpoint:
        refusal = self.folder / REFUSAL_FILE
        if refusal.exists():
            raise BadInput(refusal.read_text(encoding="utf-8"))
        done = self.checkpoint
        if status or done is None:
            last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise Unavailable(f"the training worker ended with {status}: {last}")
        return done

    def _tell(self, heard: Callable[[Point], None], told: int) -> int:
        """Tells of the points of epoch `told` and later; how many epochs are told of then."""
        for point in self.curve[told:]:
            heard(point)
            told += 1
        return told

    @property
    def curve(self) -> tuple[Point, ...]:
        """The points so far, from the news: a line that is being written is not among them."""
        path = self.folder / PROGRESS_FILE
        if not path.exists():
            return ()
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        return tuple(Point(**json.loads(line)) for line in lines if line.endswith("\n"))

    def _command(self) -> list[str]:
        body = ["-m", "executor.training.worker", str(self.folder)]
        recipe = self.recipe
        if recipe.method is not Method.DISTRIBUTED:
            return [sys.executable, *body]
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={recipe.processes}"]
        return [sys.executable, *launcher, *body]


def _line(point: Point) -> str:
    return json.dumps(asdict(point)) + "\n"
