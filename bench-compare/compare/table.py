"""The table, as Markdown that also reads well on a terminal."""

from collections.abc import Sequence

from .plan import FIGURES, Row

HEADER = (
    *("set", "system", "configuration", "threshold"),
    *("pair P", "pair R", "pair F1", "B3 P", "B3 R", "B3 F1", "seconds", "CPU s", "peak MiB", "flattered"),
)
TEXTS = 4
"""So many columns from the left are texts."""


def cells(row: Row) -> list[str]:
    """One row as texts."""
    scored = [f"{row.score[name]:.3f}" if row.score else "–" for name in FIGURES]
    times = ["–" if value is None else f"{value:.1f}" for value in (row.seconds, row.cpu_seconds)]
    peak = "–" if row.memory_peak_bytes is None else f"{row.memory_peak_bytes / 2**20:.0f}"
    flattered = "yes" if row.flattered else "no"
    return [row.set, row.system, row.configuration, row.threshold, *scored, *times, peak, flattered]


def table(rows: Sequence[Row]) -> str:
    """All rows, aligned; below them why figures are missing."""
    lines = [list(HEADER), *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]

    def shown(line: list[str]) -> str:
        aligned = (
            cell.ljust(width) if column < TEXTS else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return f"| {' | '.join(aligned)} |"

    rule = [("-" * width) if column < TEXTS else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    missing = [f"{row.set}, {row.system}, {row.configuration}: {row.missing}" for row in rows if row.missing]
    return "\n".join([shown(lines[0]), shown(rule), *map(shown, lines[1:]), *([""] if missing else []), *missing])
