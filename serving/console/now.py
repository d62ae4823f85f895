"""The console's clock: the time of an export, and the age of a batch."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
