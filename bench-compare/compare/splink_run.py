"""Splink, trained by expectation maximisation and without labels, from whatever configuration it is given."""

import logging
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from splink import DuckDBAPI, Linker, SettingsCreator

from .pairs import Pairs

BLIND = math.log2(0.95 / 0.05)
"""A match probability of 0.95, as the match weight (log2 of the odds) that it is."""
THRESHOLDS = tuple(float(bits) for bits in range(-10, 41))
"""Match weights, which spread what probabilities crowd together near 1."""
SEED = 1


@dataclass(frozen=True)
class Model:
    """What Splink has to be told."""

    table: dict[str, Any]
    """Columns by name, each as long as there are records. Those that are compared, and those made for blocking."""
    comparisons: list[Any]
    blocking: list[Any]
    """Rules by which pairs are looked at."""
    training: list[Any]
    """Rules by which pairs are chosen to learn from; a comparison of the columns in a rule does not learn by it."""
    certain: list[Any] = field(default_factory=list)
    """Rules that hardly ever hold by chance, from which the share of matches is estimated."""
    certain_recall: float = 0.7
    """What share of the matches those rules are thought to find."""
    match_share: float | None = None
    """The share of matches among all pairs, where no rule tells it."""
    random_pairs: float = 1e6
    """Random pairs from which chance agreement is counted."""


def link(model: Model) -> Pairs:
    """Trains, and scores every pair that blocking lets through."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI()
    length = len(next(iter(model.table.values())))
    table = api.register(pa.table({"row": range(length), **model.table}), dataset_display_name="records")
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="row",
        comparisons=model.comparisons,
        blocking_rules_to_generate_predictions=model.blocking,
        probability_two_random_records_match=model.match_share or 1 / max(length, 2),
        retain_matching_columns=False,
    )
    linker = Linker(table, settings, log_level=logging.ERROR)
    if model.certain:
        linker.training.estimate_probability_two_random_records_match(model.certain, recall=model.certain_recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=model.random_pairs, seed=SEED)
    for rule in model.training:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=model.random_pairs
        )
    scored = linker.inference.predict(threshold_match_weight=min(THRESHOLDS))
    arrays = scored.as_duckdbpyrelation().select("row_l, row_r, match_weight").fetchnumpy()
    return Pairs(
        arrays["row_l"].astype(np.int32),
        arrays["row_r"].astype(np.int32),
        arrays["match_weight"].astype(np.float64),
    )
