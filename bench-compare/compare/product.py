"""CortexKG itself: built for release, run with its defaults, and the scorer for everybody."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import measured
from .measured import Measured
from .sets import ROOT, Set


@dataclass(frozen=True)
class Program:
    """The program `cortexkg`."""

    path: Path

    @staticmethod
    def build() -> "Program":
        """Builds it with cargo."""
        command = ["cargo", "build", "--quiet", "--release", "--locked", "--package", "cortexkg-cli"]
        try:
            subprocess.run(command, cwd=ROOT, check=True)
        except FileNotFoundError:
            raise SystemExit("cargo is not here; install Rust: https://www.rust-lang.org/tools/install") from None
        except subprocess.CalledProcessError:
            raise SystemExit(f"`{' '.join(command)}` failed in {ROOT}; what it said stands above") from None
        target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
        return Program(target / "release" / ("cortexkg.exe" if os.name == "nt" else "cortexkg"))

    def version(self) -> str:
        """Version of the program, with the commit where git tells it."""
        shown = subprocess.run([self.path, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
        describe = ["git", "describe", "--always", "--dirty"]
        try:
            commit = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        except (FileNotFoundError, subprocess.CalledProcessError):
            return shown
        return f"{shown} ({commit})"

    def allocate(self, records: Set, out: Path, timeout_s: float) -> Measured:
        """One pass with the default configuration; writes `nodes.csv` into `out`."""
        command: list[str | Path] = [self.path, "allocate", records.records, "--out", out / "nodes.csv", "--json"]
        return measured.run(command, out / "log.txt", timeout_s)

    def score(self, nodes: Path, clusters: Path) -> dict[str, Any]:
        """Pairwise and B-cubed figures of assignments."""
        command: list[str | Path] = [self.path, "score", nodes, clusters, "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{nodes} could not be scored: {done.stderr.strip()}")
        score: dict[str, Any] = json.loads(done.stdout)
        return score
