"""What can go wrong, and which exit code says so.

    StayworthError            exit 1
    ├── InputError            exit 2: a file, a config or an argument cannot be used
    └── Refusal               exit 1: the input is fine, but the data or the gate says no

Every message says where, what (and how many), and what to do next. No other exception of ours reaches a user.
"""


class StayworthError(Exception):
    """The root of our errors: `except StayworthError` catches what Stayworth raises on purpose."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", next: str = "") -> None:
        self.what, self.where, self.next = what, where, next
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}\n  {next}" if next else message)


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
