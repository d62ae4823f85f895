"""The console's clock: when an export was taken, how old a batch is."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)
