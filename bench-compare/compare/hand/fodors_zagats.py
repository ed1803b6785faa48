"""Restaurants of two guides, each of which names a restaurant once."""

import re

import splink.comparison_library as cl
from splink import block_on
from splink.blocking_rule_library import CustomRule

from ..sets import Records
from ..splink_run import Model


def model(records: Records) -> Model:
    """Only pairs of one record from either guide are looked at."""
    columns = records.columns
    return Model(
        table={
            "name": [_plain(value) for value in columns["name"]],
            "street": [_plain(re.sub(r"^\s*\d+", "", value)) for value in columns["addr"]],
            "number": [next(iter(re.findall(r"^\s*(\d+)", value)), None) for value in columns["addr"]],
            "city": [_plain(value) for value in columns["city"]],
            "phone": [re.sub(r"\D", "", value)[:10] or None for value in columns["phone"]],
            "source": columns["source"],
        },
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("street", [0.92, 0.8]).configure(term_frequency_adjustments=True),
            cl.ExactMatch("number").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("city", [0.9]).configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("phone", [1, 2]),
        ],
        blocking=[
            _across("l.phone = r.phone"),
            _across("l.name = r.name"),
            _across("l.number = r.number"),
            _across("substr(l.name, 1, 4) = substr(r.name, 1, 4)"),
            _across("l.street = r.street"),
        ],
        training=[block_on("phone"), block_on("name")],
        certain=[block_on("phone", "number"), block_on("name", "city")],
        certain_recall=0.8,
    )


def _plain(value: str) -> str | None:
    return " ".join(re.findall(r"\w+", value.lower())) or None


def _across(rule: str) -> CustomRule:
    return CustomRule(f"{rule} and l.source <> r.source")
