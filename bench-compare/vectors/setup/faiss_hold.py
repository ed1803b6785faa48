"""Holds one index of FAISS: KIND is f32 or sq8. See hold.py."""

import faiss
import hold
import numpy as np

# Vectors that the bounds of 8-bit codes are learned from; every order to add before that waits for nothing.
TRAINED_ON = 10_000


class Faiss:
    hardware = f"{faiss.__version__}, {faiss.get_compile_options().strip()}"

    def __init__(self, settings: hold.Settings) -> None:
        faiss.omp_set_num_threads(settings.threads)
        self.nearest = settings.nearest
        shape = (settings.connections, faiss.METRIC_INNER_PRODUCT)
        if settings.kind == "f32":
            self.index = faiss.IndexHNSWFlat(settings.dimension, *shape)
        else:
            codes = faiss.ScalarQuantizer.QT_8bit
            self.index = faiss.IndexHNSWSQ(settings.dimension, codes, *shape)
            self.index.train(np.array(settings.rows[: min(TRAINED_ON, settings.count)]))
        self.index.hnsw.efConstruction = settings.ef_construction

    def set_effort(self, ef: int) -> None:
        self.index.hnsw.efSearch = ef

    def add(self, first: int, vectors: np.ndarray) -> None:
        self.index.add(vectors)

    def search(self, vectors: np.ndarray) -> np.ndarray:
        return self.index.search(vectors, self.nearest)[1]


if __name__ == "__main__":
    hold.serve(Faiss)
