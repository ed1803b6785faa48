"""With what and on what a table was measured."""

import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("splink", "duckdb", "scikit-learn", "numpy", "scipy")


def described(program: str) -> dict[str, Any]:
    """Date, versions and machine."""
    return {
        "date": date.today().isoformat(),
        "cortexkg": program,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors": os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
