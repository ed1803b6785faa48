"""Medical terms as bare texts. Splink's documentation says that one column of free text is not what it is made for."""

import re
from collections import Counter
from collections.abc import Callable

import splink.comparison_library as cl
from splink import block_on

from ..sets import Records
from ..splink_run import Model

FREQUENT = 60
"""A word in more mentions than this says too little to look at all pairs that share it."""


def model(records: Records) -> Model:
    """The text by spelling, its words as a set, its rarest word by itself."""
    mentions = [_words(value) for value in records.columns["mention"]]
    frequency = Counter(word for words in mentions for word in set(words))
    rare = [sorted((w for w in set(words) if 1 < frequency[w] <= FREQUENT), key=_by(frequency)) for words in mentions]
    return Model(
        table={
            "text": [" ".join(sorted(set(words))) or None for words in mentions],
            "words": [sorted(set(words)) or None for words in mentions],
            "key": [min(words, key=_by(frequency), default=None) for words in mentions],
            "rare": [words or None for words in rare],
            "shared": [next(iter(words), None) for words in rare],
            "opening": [" ".join(words)[:6] or None for words in mentions],
        },
        comparisons=[
            cl.JaroWinklerAtThresholds("text", [0.95, 0.88, 0.8]),
            cl.ArrayIntersectAtSizes("words", [4, 3, 2, 1]),
            cl.JaroWinklerAtThresholds("key", [0.9]).configure(term_frequency_adjustments=True),
        ],
        blocking=[block_on("rare", arrays_to_explode=["rare"]), block_on("text")],
        training=[block_on("shared"), block_on("opening")],
    )


def _words(value: str) -> list[str]:
    """Words in lower case, without the plural and without the smallest ones."""
    found = re.findall(r"\w+", value.lower())
    return [word.removesuffix("s") for word in found if word not in {"of", "the", "in", "and", "a", "or", "with"}]


def _by(frequency: Counter[str]) -> Callable[[str], tuple[int, str]]:
    return lambda word: (frequency[word], word)
