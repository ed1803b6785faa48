"""Inventors on patents. All surnames are shared by many, and a patent names a person once."""

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import block_on
from splink.blocking_rule_library import CustomRule

from ..sets import Records
from ..splink_run import Model


def model(records: Records) -> Model:
    """Names and places by spelling, colleagues and fields of work as lists; two of one patent are never compared."""
    columns = records.columns
    first = [_plain(value) for value in columns["first"]]
    return Model(
        table={
            "patent": columns["patent_id"],
            "first": first,
            "given": [value.split()[0] if value else None for value in first],
            "last": [_plain(value) for value in columns["last"]],
            "city": [_plain(value) for value in columns["city"]],
            "country": [value or None for value in columns["country"]],
            "assignee": [_plain(value) for value in columns["assignee"]],
            "classes": [_list(value) for value in columns["cpc"]],
            "colleagues": [_list(value) for value in columns["coinventors"]],
        },
        comparisons=[
            cl.CustomComparison(
                output_column_name="first",
                comparison_levels=[
                    cll.NullLevel("first"),
                    cll.ExactMatchLevel("first", term_frequency_adjustments=True),
                    cll.ExactMatchLevel("given"),
                    cll.JaroWinklerLevel("given", 0.9),
                    cll.CustomLevel("substr(first_l, 1, 1) = substr(first_r, 1, 1)", "same initial"),
                    cll.ElseLevel(),
                ],
            ),
            cl.JaroWinklerAtThresholds("last", [0.92]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("city", [0.92]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("country").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("assignee", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.ArrayIntersectAtSizes("classes", [3, 2, 1]),
            cl.ArrayIntersectAtSizes("colleagues", [2, 1]),
        ],
        blocking=[
            _other_patent("l.last = r.last and l.given = r.given"),
            _other_patent("l.last = r.last and l.city = r.city and l.assignee = r.assignee"),
            _other_patent("l.colleagues = r.colleagues and l.last = r.last"),
        ],
        training=[
            block_on("last", "first"),
            block_on("city", "assignee"),
        ],
        certain=[block_on("last", "first", "city", "assignee")],
        certain_recall=0.5,
        random_pairs=5e6,
    )


def _plain(value: str) -> str | None:
    return " ".join(value.lower().replace(".", " ").replace(",", " ").split()) or None


def _list(value: str) -> list[str] | None:
    return value.lower().split("; ") if value else None


def _other_patent(rule: str) -> CustomRule:
    return CustomRule(f"{rule} and l.patent <> r.patent")
