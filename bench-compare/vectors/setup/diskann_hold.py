"""Holds the index of DiskANN that vectors can be added to, in memory. See hold.py."""

from importlib.metadata import version

import diskannpy
import hold
import numpy as np

# The widest search; room for it is made at the start.
WIDTH_MAX = 1024


class DiskAnn:
    hardware = version("diskannpy")

    def __init__(self, settings: hold.Settings) -> None:
        self.nearest = settings.nearest
        self.threads = settings.threads
        self.width = settings.ef_construction
        # By cosine it finds nearly all; by distance, the same order at length 1, half of the nearest at best.
        self.index = diskannpy.DynamicMemoryIndex(
            distance_metric="cosine",
            vector_dtype=np.float32,
            dimensions=settings.dimension,
            max_vectors=settings.count,
            complexity=settings.ef_construction,
            # Its graph has one layer, so it may have as many connections as the lowest of the others.
            graph_degree=2 * settings.connections,
            num_threads=settings.threads,
            initial_search_complexity=WIDTH_MAX,
            search_threads=settings.threads,
        )

    def set_effort(self, ef: int) -> None:
        self.width = ef

    def add(self, first: int, vectors: np.ndarray) -> None:
        # Ids begin with 1.
        if len(vectors) == 1:
            self.index.insert(vectors[0], first + 1)
        else:
            ids = np.arange(first + 1, first + 1 + len(vectors), dtype=np.uint32)
            self.index.batch_insert(vectors, ids, self.threads)

    def search(self, vectors: np.ndarray) -> np.ndarray:
        if len(vectors) == 1:
            found = self.index.search(vectors[0], self.nearest, self.width).identifiers[None]
        else:
            found = self.index.batch_search(vectors, self.nearest, self.width, self.threads).identifiers
        return found.astype(np.int64) - 1


if __name__ == "__main__":
    hold.serve(DiskAnn)
