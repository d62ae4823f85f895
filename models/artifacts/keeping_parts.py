"""Keeping as the parts of a bundle: plain numbers, and trees in files of their own."""

from collections.abc import Mapping
from typing import Any

from models.keeping.keeping import Keeping
from models.trees import boosting

SAVABLE, GAIN = "keeping_savable.ubj", "keeping_gain.ubj"
FILES = {SAVABLE, GAIN}


def files(keeping: Keeping | None) -> dict[str, boosting.Booster]:
    """The trees by the names of their files."""
    return {SAVABLE: keeping.savable, GAIN: keeping.gain} if keeping else {}


def to_json(keeping: Keeping | None) -> dict[str, Any] | None:
    """Everything but the trees."""
    return {"most": keeping.most, "doubts": list(keeping.doubts)} if keeping else None


def from_json(content: Mapping[str, Any] | None, boosters: Mapping[str, boosting.Booster]) -> Keeping | None:
    """Read the output of `to_json` and the trees of the bundle; raises KeyError or TypeError on anything else."""
    if content is None:
        return None
    return Keeping(boosters[SAVABLE], boosters[GAIN], content["most"], tuple(content["doubts"]))
