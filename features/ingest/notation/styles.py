"""The styles of a table: how each of its columns is written, where it is not plain."""

from dataclasses import dataclass, field

from features.ingest.notation.number_style import NumberStyle
from features.ingest.notation.time_style import TimeStyle


@dataclass(frozen=True)
class Styles:
    """How the columns of a table are written; a column that is in none of these is plain."""

    numbers: dict[str, NumberStyle] = field(default_factory=dict)
    times: dict[str, TimeStyle] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    """Columns of ids and names → SQL of what is taken for a cell."""

    @property
    def is_plain(self) -> bool:
        """True if all columns are plain."""
        return not (self.numbers or self.times or self.ids)
