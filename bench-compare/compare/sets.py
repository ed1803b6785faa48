"""The data sets: where they are, and their records."""

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("febrl1", "febrl3", "fodors-zagats", "patentsview", "hpo")


@dataclass(frozen=True)
class Set:
    """Files of a set."""

    name: str
    records: Path
    clusters: Path


def find(name: str, data: Path | None) -> Set | None:
    """Looks into `data`, then where the repository keeps its sets and where `cargo xtask data` puts others."""
    for folder in [data, ROOT / "data", ROOT / "data" / "cache"]:
        if folder is None:
            continue
        clusters = folder / name / "clusters.csv"
        for file in ("records.csv", "records.csv.gz"):
            records = folder / name / file
            if records.exists() and clusters.exists():
                return Set(name, records, clusters)
    return None


@dataclass(frozen=True)
class Records:
    """A table in memory. The identifiers are no evidence and stand apart."""

    ids: list[str]
    columns: dict[str, list[str]]


def read(path: Path) -> Records:
    """Reads CSV, plain or gzip, whose first column is `record_id`."""
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if header[:1] != ["record_id"] or len(header) < 2:
            raise SystemExit(f"{path}: the first column must be record_id, with others after it")
        table = list(rows)
    for number, row in enumerate(table, start=2):
        if len(row) != len(header):
            raise SystemExit(f"{path}: record {number} has {len(row)} fields, the header has {len(header)}")
    names, *columns = (list(column) for column in zip(*table, strict=True)) if table else ([] for _ in header)
    return Records(names, dict(zip(header[1:], columns, strict=True)))


def write_nodes(path: Path, ids: Iterable[str], nodes: Iterable[int]) -> None:
    """Writes assignments as `cortexkg score` reads them."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["record_id", "node_id"])
        rows.writerows(zip(ids, nodes, strict=True))
