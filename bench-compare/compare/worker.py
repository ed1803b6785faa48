"""The process that runs one peer over one set: records in, assignments at the blind threshold and scored pairs out.

Its own process, so that its memory is its own. Imports what it needs and nothing else.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from . import sets
from .pairs import Pairs


@dataclass(frozen=True)
class Peer:
    """What can be run here."""

    system: str
    configuration: str
    key: str


PEERS = (
    Peer("Splink", "automatic", "splink-auto"),
    Peer("Splink", "hand-made for the set", "splink-hand"),
    Peer("TF-IDF 3-grams", "all fields joined", "tfidf"),
)


@dataclass(frozen=True)
class Thresholds:
    """The one chosen blindly, those tried for the best one, and how they are shown."""

    blind: float
    tried: tuple[float, ...]
    shown: str


def thresholds(key: str) -> Thresholds:
    """Those of a peer."""
    if key == "tfidf":
        from . import tfidf

        return Thresholds(tfidf.BLIND, tfidf.THRESHOLDS, "cosine ≥ {:.3g}")
    from . import splink_run

    return Thresholds(splink_run.BLIND, splink_run.THRESHOLDS, "weight ≥ {:.3g} bits")


def link(key: str, name: str, records: sets.Records) -> Pairs:
    """Runs a peer."""
    if key == "tfidf":
        from . import tfidf

        return tfidf.link(records)
    from . import splink_run

    if key == "splink-auto":
        from . import splink_auto

        return splink_run.link(splink_auto.model(records))
    from .hand import MODELS

    return splink_run.link(MODELS[name](records))


def memory_peak_bytes() -> int | None:
    """Peak of resident memory, where the system tells (Linux); what `cortexkg --json` reports of itself."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
    return int(line.split()[1]) * 1024 if line else None


def main(key: str, name: str, records_path: str, out: str) -> None:
    """Reads, links, writes `nodes.csv` and `pairs.npz` into `out`, prints one JSON object."""
    records = sets.read(Path(records_path))
    pairs = link(key, name, records)
    nodes = pairs.components(len(records.ids), thresholds(key).blind)
    sets.write_nodes(Path(out) / "nodes.csv", records.ids, nodes)
    pairs.save(Path(out) / "pairs.npz")
    print(json.dumps({"pairs": len(pairs.score), "memory_peak_bytes": memory_peak_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
