"""Holds one FAISS index and carries out the orders of the measuring process, as `src/hold.rs` does for the others.

Called as `faiss_hold.py KIND ROWS DIMENSION COUNT THREADS CONNECTIONS EF_CONSTRUCTION NEAREST`: KIND is f32 or sq8. One line of
JSON in, one out.
"""

import json
import sys
import time

import faiss
import numpy as np

# Vectors that the bounds of 8-bit codes are learned from; every order to add before that waits for nothing.
TRAINED_ON = 10_000


def resident_bytes() -> int:
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:")), 0)


def run_and_wait_ns() -> tuple[int, int]:
    with open("/proc/self/schedstat") as numbers:
        run, wait = numbers.read().split()[:2]
    return int(run), int(wait)


def main(
    kind: str,
    path: str,
    dimension: int,
    count: int,
    threads: int,
    connections: int,
    ef_construction: int,
    nearest: int,
) -> None:
    rows = np.memmap(path, dtype="<f4", mode="r").reshape(-1, dimension)
    queries = np.array(rows[count:])
    faiss.omp_set_num_threads(threads)
    resident_before = resident_bytes()
    if kind == "f32":
        index = faiss.IndexHNSWFlat(dimension, connections, faiss.METRIC_INNER_PRODUCT)
    else:
        index = faiss.IndexHNSWSQ(
            dimension, faiss.ScalarQuantizer.QT_8bit, connections, faiss.METRIC_INNER_PRODUCT
        )
        index.train(np.array(rows[: min(TRAINED_ON, count)]))
    index.hnsw.efConstruction = ef_construction

    def add(vectors: np.ndarray) -> None:
        # One after the other where there is one thread, as for the others; all at once where FAISS may share the work.
        for vector in vectors if threads == 1 else [vectors]:
            index.add(vector.reshape(-1, dimension))

    def allocate(vectors: np.ndarray) -> None:
        if threads > 1:
            index.search(vectors, nearest)
            index.add(vectors)
            return
        for vector in vectors:
            vector = vector.reshape(1, -1)
            index.search(vector, nearest)
            index.add(vector)

    for line in sys.stdin:
        order = json.loads(line)
        reply = {"seconds": 0.0, "micros": [], "found": [], "reads": 0, "resident_bytes": 0, "reported_bytes": None}
        name, settings = (order, {}) if isinstance(order, str) else next(iter(order.items()))
        if name in ("Add", "Allocate"):
            vectors = np.array(rows[settings["first"] : settings["first"] + settings["count"]])
            start = time.perf_counter()
            (add if name == "Add" else allocate)(vectors)
            reply["seconds"] = time.perf_counter() - start
        elif name == "SetEffort":
            index.hnsw.efSearch = settings["ef"]
        elif name in ("Search", "Find"):
            start = time.perf_counter()
            if threads > 1:
                _, found = index.search(queries, nearest)
                each = (time.perf_counter() - start) * 1e6 / len(queries)
                reply["micros"] = [each] * len(queries)
                reply["found"] = found.tolist()
            else:
                for query in queries:
                    before = time.perf_counter()
                    _, found = index.search(query.reshape(1, -1), nearest)
                    reply["micros"].append((time.perf_counter() - before) * 1e6)
                    reply["found"].append(found[0].tolist())
            reply["seconds"] = time.perf_counter() - start
        elif name == "Report":
            reply["resident_bytes"] = max(0, resident_bytes() - resident_before)
        reply["hardware"] = f"{faiss.__version__}, {faiss.get_compile_options().strip()}"
        reply["cpu_ns"] = time.process_time_ns()
        reply["run_ns"], reply["wait_ns"] = run_and_wait_ns()
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:9]))
