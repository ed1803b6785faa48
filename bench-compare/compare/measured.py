"""One process, measured from its start to its end."""

import json
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What a process printed as JSON, and how long it took in all."""

    report: dict[str, Any]
    seconds: float
    cpu_seconds: float
    """On all cores together. Says more than the clock where others use the machine."""


class NotMeasured(Exception):
    """Why there is no figure."""


def run(command: Sequence[str | Path], log: Path, timeout_s: float) -> Measured:
    """Runs a command whose last line of output is a JSON object; what else it says goes to `log`."""
    start, cpu_start = time.monotonic(), _cpu_seconds()
    with log.open("w") as errors:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            raise NotMeasured(f"not done within {timeout_s:.0f} s; --timeout gives it longer") from None
    seconds, cpu_seconds = time.monotonic() - start, _cpu_seconds() - cpu_start
    if done.returncode != 0:
        last = (log.read_text().strip().splitlines() or ["it said nothing"])[-1]
        raise NotMeasured(f"failed with status {done.returncode}: {last} (all of it: {log})")
    # `cortexkg` prints one object over many lines or one, the worker one line after whatever its libraries print.
    text = done.stdout.decode().strip()
    return Measured(json.loads(text if text.startswith("{") else text.splitlines()[-1]), seconds, cpu_seconds)


def _cpu_seconds() -> float:
    """Of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
