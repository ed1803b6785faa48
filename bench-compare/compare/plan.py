"""What is run on a set, and the rows that come of it."""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import measured, sets
from .measured import Measured, NotMeasured
from .pairs import Pairs
from .product import Program
from .sets import Set
from .worker import PEERS, Peer, thresholds

FIGURES = ("pair_p", "pair_r", "pair_f1", "b3_p", "b3_r", "b3_f1")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    set: str
    system: str
    configuration: str
    threshold: str
    flattered: bool
    """Whether the truth has had a say in the threshold."""
    score: dict[str, Any] | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    memory_peak_bytes: int | None = None
    missing: str | None = None
    """Why there are no figures."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class Bench:
    """Where things are, and how long they may take."""

    program: Program
    scratch: Path
    timeout_s: float

    def product(self, records: Set) -> Row:
        """CortexKG over a set."""
        row = Row(records.name, "CortexKG", "default", "none", flattered=False)
        out = self._folder(records, "cortexkg")
        try:
            done = self.program.allocate(records, out, self.timeout_s)
        except NotMeasured as why:
            return replace(row, missing=str(why))
        return _with(row, self.program.score(out / "nodes.csv", records.clusters), done)

    def peer(self, records: Set, peer: Peer) -> Iterator[Row]:
        """A peer over a set: at the blind threshold, then at the best one."""
        limits = thresholds(peer.key)
        blind = Row(
            records.name,
            peer.system,
            peer.configuration,
            f"blind, {limits.shown.format(limits.blind)}",
            False,
        )
        out = self._folder(records, peer.key)
        command = [
            sys.executable,
            "-m",
            "compare.worker",
            peer.key,
            records.name,
            str(records.records),
            str(out),
        ]
        try:
            done = measured.run(command, out / "log.txt", self.timeout_s)
        except NotMeasured as why:
            yield replace(blind, missing=str(why))
            return
        score = self.program.score(out / "nodes.csv", records.clusters)
        yield _with(blind, score, done)
        best, best_score = self._best(records, out, (limits.blind, *limits.tried))
        shown = f"best, {limits.shown.format(best)}"
        yield _with(replace(blind, threshold=shown, flattered=True), best_score, done)

    def _best(self, records: Set, out: Path, tried: tuple[float, ...]) -> tuple[float, dict[str, Any]]:
        """The threshold with the highest sum of both F1."""
        pairs = Pairs.load(out / "pairs.npz")
        ids = sets.read(records.records).ids
        nodes = out / "tried.csv"
        found: list[tuple[float, dict[str, Any]]] = []
        for threshold in tried:
            sets.write_nodes(nodes, ids, pairs.components(len(ids), threshold))
            found.append((threshold, self.program.score(nodes, records.clusters)))
        return max(found, key=lambda item: float(item[1]["pair_f1"] + item[1]["b3_f1"]))

    def _folder(self, records: Set, key: str) -> Path:
        folder = self.scratch / records.name / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def rows(bench: Bench, records: Set, keys: list[str]) -> Iterator[Row]:
    """Every row of a set; `keys` names the systems."""
    if "cortexkg" in keys:
        yield bench.product(records)
    for peer in PEERS:
        if peer.key in keys:
            yield from bench.peer(records, peer)


def _with(row: Row, score: dict[str, Any], done: Measured) -> Row:
    return replace(
        row,
        score=score,
        seconds=done.seconds,
        cpu_seconds=done.cpu_seconds,
        memory_peak_bytes=done.report.get("memory_peak_bytes"),
    )
