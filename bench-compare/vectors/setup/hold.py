"""Holds one index of a Python package and carries out the orders of the measuring process, as `src/hold.rs` does for
the others.

Called with `KIND ROWS DIMENSION COUNT THREADS CONNECTIONS EF_CONSTRUCTION NEAREST`. One line of JSON in, one out.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass
class Settings:
    kind: str
    rows: np.ndarray
    dimension: int
    count: int
    threads: int
    connections: int
    ef_construction: int
    nearest: int


class Index(Protocol):
    """What a package must be able to do. Ids are the numbers of the rows."""

    hardware: str

    def set_effort(self, ef: int) -> None: ...

    def add(self, first: int, vectors: np.ndarray) -> None:
        """One vector, or many at once on all threads."""

    def search(self, vectors: np.ndarray) -> np.ndarray:
        """The nearest of one vector, or of many at once on all threads: a row of ids each."""


def resident_bytes() -> int:
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:")), 0)


def run_and_wait_ns() -> tuple[int, int]:
    with open("/proc/self/schedstat") as numbers:
        run, wait = numbers.read().split()[:2]
    return int(run), int(wait)


def serve(make: Callable[[Settings], Index]) -> None:
    # What a package prints goes elsewhere.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kind, path, *numbers = sys.argv[1:9]
    dimension, count, threads, connections, ef_construction, nearest = map(int, numbers)
    rows = np.memmap(path, dtype="<f4", mode="r").reshape(-1, dimension)
    queries = np.array(rows[count:])
    resident_before = resident_bytes()
    index = make(
        Settings(kind, rows, dimension, count, threads, connections, ef_construction, nearest)
    )

    def each(first: int, vectors: np.ndarray) -> Iterable[tuple[int, np.ndarray]]:
        """One after the other where there is one thread, as for the others; all at once where there are more."""
        return [(first, vectors)] if threads > 1 else zip(range(first, first + len(vectors)), vectors[:, None])

    for line in sys.stdin:
        order = json.loads(line)
        reply = {"seconds": 0.0, "micros": [], "found": [], "reads": 0, "resident_bytes": 0, "reported_bytes": None}
        name, settings = (order, {}) if isinstance(order, str) else next(iter(order.items()))
        if name in ("Add", "Allocate"):
            first = settings["first"]
            vectors = np.array(rows[first : first + settings["count"]])
            start = time.perf_counter()
            for number, part in each(first, vectors):
                if name == "Allocate":
                    index.search(part)
                index.add(number, part)
            reply["seconds"] = time.perf_counter() - start
        elif name == "SetEffort":
            index.set_effort(settings["ef"])
        elif name in ("Search", "Find"):
            start = time.perf_counter()
            for _, part in each(0, queries):
                before = time.perf_counter()
                found = index.search(part)
                micros = (time.perf_counter() - before) * 1e6 / len(part)
                reply["micros"] += [micros] * len(part)
                reply["found"] += found.tolist()
            reply["seconds"] = time.perf_counter() - start
        elif name == "Report":
            reply["resident_bytes"] = max(0, resident_bytes() - resident_before)
        reply["hardware"] = index.hardware
        reply["cpu_ns"] = time.process_time_ns()
        reply["run_ns"], reply["wait_ns"] = run_and_wait_ns()
        print(json.dumps(reply), file=replies, flush=True)
