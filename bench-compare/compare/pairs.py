"""Scored pairs of records, and the clusters that a threshold makes of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class Pairs:
    """Row numbers of either record, and how alike they are."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    score: NDArray[np.float64]

    def save(self, path: Path) -> None:
        """Keeps them for other thresholds."""
        np.savez(path, left=self.left, right=self.right, score=self.score)

    @staticmethod
    def load(path: Path) -> "Pairs":
        """Reads what `save` has written."""
        with np.load(path) as arrays:
            return Pairs(arrays["left"], arrays["right"], arrays["score"])

    def components(self, records: int, threshold: float) -> list[int]:
        """The cluster of each record: everything that pairs of at least this score hold together."""
        kept = self.score >= threshold
        left, right = self.left[kept], self.right[kept]
        graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(records, records))
        nodes: list[int] = connected_components(graph, directed=False)[1].tolist()
        return nodes
