"""Splink as somebody would write it who knows the set: what its columns mean, and how such data goes wrong.

Written from what the columns hold, before any score was seen, and not changed for a better one.
"""

from collections.abc import Callable

from ..sets import Records
from ..splink_run import Model
from . import febrl, fodors_zagats, hpo, patentsview

MODELS: dict[str, Callable[[Records], Model]] = {
    "febrl1": febrl.model,
    "febrl3": febrl.model,
    "fodors-zagats": fodors_zagats.model,
    "patentsview": patentsview.model,
    "hpo": hpo.model,
}
