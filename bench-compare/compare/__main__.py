"""`bench-compare/run`: everything side by side, one table."""

import argparse
import json
import sys
from pathlib import Path

from . import machine, sets
from .plan import Bench, Row, rows
from .product import Program
from .table import table
from .worker import PEERS

SYSTEMS = ("cortexkg", *(peer.key for peer in PEERS))
SCRATCH = Path(__file__).resolve().parents[1] / ".cache"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench-compare/run", description=__doc__)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder with one folder per set, before data and data/cache"
    )
    parser.add_argument(
        "--set", action="append", dest="sets", choices=sets.NAMES, help="only this set (may be repeated)"
    )
    parser.add_argument(
        "--system",
        action="append",
        dest="systems",
        choices=SYSTEMS,
        help="only this system (may be repeated)",
    )
    parser.add_argument(
        "--timeout", type=float, default=900.0, metavar="SECONDS", help="for one run of one system [900]"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    return parser.parse_args()


def main() -> int:
    """Runs what was asked for; 1 where anything is missing."""
    args = arguments()
    if args.data and not args.data.is_dir():
        raise SystemExit(f"{args.data}: no such folder; it should hold one folder per set, each with records.csv")
    program = Program.build()
    bench = Bench(program, SCRATCH, args.timeout)
    done: list[Row] = []
    missing = False
    for name in args.sets or sets.NAMES:
        records = sets.find(name, args.data.resolve() if args.data else None)
        if records is None:
            print(f"{name}: not here, skipped; `cargo xtask data` fetches the larger sets", file=sys.stderr)
            missing = True
            continue
        for row in rows(bench, records, args.systems or list(SYSTEMS)):
            outcome = row.missing or f"{row.seconds:.1f} s"
            print(f"{name}: {row.system}, {row.configuration}, {row.threshold}: {outcome}", file=sys.stderr)
            done.append(row)
    described = machine.described(program.version())
    if args.json:
        print(json.dumps({"measured": described, "rows": [row.as_json() for row in done]}, ensure_ascii=False))
    else:
        print(table(done))
        print("\n" + ", ".join(f"{name} {value}" for name, value in described.items()))
    return int(missing or any(row.missing for row in done))


if __name__ == "__main__":
    sys.exit(main())
