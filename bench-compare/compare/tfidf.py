"""The baseline: TF-IDF over character 3-grams of all fields joined, nearest neighbours by cosine.

No configuration but the threshold. What fifty lines of scikit-learn reach.
"""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from .pairs import Pairs
from .sets import Records

NEIGHBOURS = 10
BLIND = 0.8
THRESHOLDS = tuple(step / 40 for step in range(12, 40))


def link(records: Records) -> Pairs:
    """Each record with its nearest neighbours, down to the lowest threshold that is tried."""
    texts = [" ".join(filter(None, row)) for row in zip(*records.columns.values(), strict=True)]
    vectors = TfidfVectorizer(analyzer="char", ngram_range=(3, 3), dtype=np.float32).fit_transform(texts)
    # One more, since each record is its own nearest neighbour.
    wanted = min(NEIGHBOURS + 1, len(texts))
    index = NearestNeighbors(n_neighbors=wanted, metric="cosine", algorithm="brute").fit(vectors)
    distance, neighbour = index.kneighbors(vectors)
    left = np.repeat(np.arange(len(texts), dtype=np.int32), wanted)
    right = neighbour.astype(np.int32).ravel()
    score = 1.0 - distance.astype(np.float64).ravel()
    kept = (left != right) & (score >= min(THRESHOLDS))
    return Pairs(left[kept], right[kept], score[kept])
