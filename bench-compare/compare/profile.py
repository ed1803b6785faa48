"""What a column holds, as far as its values tell: nobody is asked, and no name of a column is looked at."""

import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto

LIST_SEPARATOR = "; "
DATE_FORMATS = {
    "%Y%m%d": re.compile(r"(18|19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
    "%Y-%m-%d": re.compile(r"(18|19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"),
}


class Kind(Enum):
    """Kinds of columns, in the order in which they are tried."""

    USELESS = auto()
    """Hardly ever filled, or always the same."""
    DATE = auto()
    LIST = auto()
    CATEGORY = auto()
    """Few values for many records."""
    CODE = auto()
    """Mostly digits."""
    NAME = auto()
    """Short text."""
    TEXT = auto()
    """Many words."""


@dataclass(frozen=True)
class Profile:
    """A column, looked at."""

    kind: Kind
    values: list[str | None]
    """In lower case without space around them; None where there is none."""
    words_mean: float
    date_format: str | None


def words(value: str | None) -> list[str]:
    """The words of a value, each once, in order."""
    return list(dict.fromkeys(re.findall(r"\w+", value or "")))


def profile(column: list[str]) -> Profile:
    """Looks at all values."""
    values = [value.strip().lower() or None for value in column]
    filled = [value for value in values if value]
    count = max(len(filled), 1)
    distinct = len(set(filled))
    words_mean = sum(len(words(value)) for value in filled) / count
    letters = Counter[bool]()
    for value in filled:
        digits = sum(map(str.isdigit, value))
        letters[True] += digits
        letters[False] += len(value) - digits
    date_format = next(
        (name for name, form in DATE_FORMATS.items() if sum(map(bool, map(form.fullmatch, filled))) > 0.9 * count),
        None,
    )
    if len(filled) < 0.05 * len(values) or distinct < 2:
        kind = Kind.USELESS
    elif date_format:
        kind = Kind.DATE
    elif sum(LIST_SEPARATOR in value for value in filled) > 0.2 * count:
        kind = Kind.LIST
    elif distinct < 0.01 * count:
        kind = Kind.CATEGORY
    elif letters[True] > letters[False]:
        kind = Kind.CODE
    else:
        kind = Kind.NAME if words_mean <= 5 else Kind.TEXT
    return Profile(kind, values, words_mean, date_format)
