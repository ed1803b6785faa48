"""Splink without anybody's help: a configuration derived from what the columns hold.

Fixed before any score was seen, the same for every set, and blind to labels and to the names of columns.

- Comparisons: one per column by its kind (`profile.Kind`), with Splink's own comparators.
- Blocking: equality in one column or in two, and a shared word that is not frequent; the narrowest rules first, none
  with more than `RULE_PAIRS` pairs per record, until there are `ALL_PAIRS` per record.
- Training: up to three of those rules that have no column in common.
- The share of matches among all pairs: one partner per record.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import splink.comparison_library as cl
from splink import block_on

from .profile import LIST_SEPARATOR, Kind, Profile, profile, words
from .sets import Records
from .splink_run import Model

RULE_PAIRS = 100
WORD_PAIRS = 10
ALL_PAIRS = 400
TRAINING_PAIRS = (0.05, 50)
"""Pairs per record, from and to. Splink wants one match in a hundred pairs: half a match per record in fifty."""


def model(records: Records) -> Model:
    """The configuration for these records."""
    profiles = {f"c{number}": profile(values) for number, values in enumerate(records.columns.values())}
    profiles = {name: column for name, column in profiles.items() if column.kind is not Kind.USELESS}
    table: dict[str, Any] = {}
    for name, column in profiles.items():
        table[name] = _compared_values(column)
    rules = _equalities(profiles, len(records.ids))
    for name, column in profiles.items():
        if column.words_mean >= 2 and column.kind in (Kind.NAME, Kind.LIST, Kind.TEXT):
            rules.append(_shared_word(name, column, table, len(records.ids)))
    chosen = _within_budget(rules, len(records.ids))
    return Model(
        table=table,
        comparisons=[_comparison(name, column) for name, column in profiles.items()],
        blocking=[rule.as_splink() for rule in chosen],
        training=_training(chosen, len(records.ids)),
    )


def _compared_values(column: Profile) -> list[Any]:
    if column.kind is Kind.LIST:
        return [value.split(LIST_SEPARATOR) if value else None for value in column.values]
    if column.kind is Kind.TEXT:
        return [words(value) or None for value in column.values]
    return list(column.values)


def _comparison(name: str, column: Profile) -> Any:
    match column.kind:
        case Kind.DATE:
            return cl.DateOfBirthComparison(name, input_is_string=True, datetime_format=column.date_format)
        case Kind.LIST:
            return cl.ArrayIntersectAtSizes(name, [3, 2, 1])
        case Kind.TEXT:
            return cl.ArrayIntersectAtSizes(name, [6, 4, 2, 1])
        case Kind.CATEGORY:
            return cl.ExactMatch(name).configure(term_frequency_adjustments=True)
        case Kind.CODE:
            return cl.DamerauLevenshteinAtThresholds(name, [1]).configure(term_frequency_adjustments=True)
        case _:
            return cl.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True)


@dataclass(frozen=True)
class _Rule:
    """A blocking rule with what it costs."""

    columns: tuple[str, ...]
    pairs: int
    """Pairs that it lets through."""
    exploded: str | None = None
    """A column of lists, any entry of which may be shared."""
    rarest: str | None = None
    """The column to train by instead, since Splink cannot train by lists."""

    def as_splink(self) -> Any:
        if self.exploded:
            return block_on(self.exploded, arrays_to_explode=[self.exploded])
        return block_on(*self.columns)


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _equalities(profiles: dict[str, Profile], length: int) -> list[_Rule]:
    """Equality in each column that is narrow enough, and in two of those that are not."""
    found: list[_Rule] = []
    broad: list[str] = []
    usable = [name for name, column in profiles.items() if column.kind not in (Kind.LIST, Kind.TEXT)]
    for name in usable:
        pairs = _pairs(Counter(filter(None, profiles[name].values)))
        if pairs > RULE_PAIRS * length:
            broad.append(name)
        elif pairs:
            found.append(_Rule((name,), pairs))
    for first, second in combinations(broad, 2):
        both = zip(profiles[first].values, profiles[second].values, strict=True)
        pairs = _pairs(Counter(pair for pair in both if all(pair)))
        if 0 < pairs <= RULE_PAIRS * length:
            found.append(_Rule((first, second), pairs))
    return found


def _shared_word(name: str, column: Profile, table: dict[str, Any], length: int) -> _Rule:
    """A word in common. The most frequent words are left out until there are few enough pairs."""
    listed = [words(value) for value in column.values]
    frequency = Counter(word for row in listed for word in row)
    kept: set[str] = set()
    pairs = 0
    for word, size in sorted(frequency.items(), key=lambda item: (item[1], item[0])):
        pairs += size * (size - 1) // 2
        if pairs > WORD_PAIRS * length:
            pairs -= size * (size - 1) // 2
            break
        if size > 1:
            kept.add(word)
    shared = [[word for word in row if word in kept] for row in listed]
    table[f"{name}_words"] = [row or None for row in shared]
    table[f"{name}_rarest"] = [min(row, key=lambda word: (frequency[word], word), default=None) for row in shared]
    return _Rule((name,), pairs, exploded=f"{name}_words", rarest=f"{name}_rarest")


def _within_budget(rules: list[_Rule], length: int) -> list[_Rule]:
    chosen: list[_Rule] = []
    total = 0
    for rule in sorted(rules, key=lambda rule: (rule.pairs, rule.columns)):
        total += rule.pairs
        if total > ALL_PAIRS * length:
            break
        chosen.append(rule)
    return chosen


def _training(chosen: list[_Rule], length: int) -> list[Any]:
    """Up to three rules without a column in common; words only where equality gives nothing to learn from."""
    rules: list[Any] = []
    used: set[str] = set()
    for rule in sorted(chosen, key=lambda rule: rule.exploded is not None):
        suits = TRAINING_PAIRS[0] * length <= rule.pairs <= TRAINING_PAIRS[1] * length
        if not suits or used.intersection(rule.columns) or (rule.exploded and rules) or len(rules) == 3:
            continue
        used.update(rule.columns)
        rules.append(block_on(rule.rarest) if rule.rarest else rule.as_splink())
    return rules
