"""Errors, and the exit code of each.

    StayworthError            exit 1
    ├── InputError            exit 2: a file, a config or an argument cannot be used
    └── Refusal               exit 1: the input is fine, but the data or the gate says no

Every message names the place, the fault (and the count), and the next step. No other exception of ours reaches a user.
"""

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that a terminal would obey, in a name that came from a file."""
_PASSWORD = re.compile(r"(:/{1,2}[^\s/:@]*):\S*@")
"""The password in an address: //ann:secret@host, even where the address was taken for a path."""


class StayworthError(Exception):
    """The root of our errors: `except StayworthError` catches what Stayworth raises on purpose.

    >>> str(StayworthError("no such file", where="postgresql://ann:secret@host/shop"))
    'postgresql://ann:…@host/shop: no such file'
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        what, where, next = (_PASSWORD.sub(r"\1:…@", _CONTROL.sub(_escaped, text)) for text in (what, where, next))
        self.what, self.where, self.next = what, where, next
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}\n  {next}" if next else message)


def _escaped(control: re.Match[str]) -> str:
    return f"\\x{ord(control[0]):02x}"


class InputError(StayworthError):
    """A file, a config or an argument that cannot be used; nothing was written."""

    exit_code = 2


class Refusal(StayworthError):
    """The input was read, and the answer is no: too little history, a gate that did not pass."""


def nearest(name: str, known: list[str]) -> str:
    """A hint naming the known name closest to `name`; empty if none is close.

    >>> nearest("ordrs", ["orders", "customers"])
    "did you mean 'orders'?"
    """
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else ""
