"""Numbers and lists in sentences."""

from collections.abc import Sequence


def several(number: int, what: str) -> str:
    """Return such as "1 crystal", "1,200 crystals"."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def all_of(words: Sequence[str]) -> str:
    """Return such as "a, b and c"."""
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else words[0]


def any_of(values: Sequence[object]) -> str:
    """Return such as "a or b or c"."""
    return " or ".join(map(str, values))
