"""The named tuples that the compiled pass is given beside the histories."""

from typing import NamedTuple

import numpy as np


class CutOffs(NamedTuple):
    """The instants that rows are computed for, microseconds UTC: int64, one length, `as_of` ascending."""

    as_of: np.ndarray
    """Rows contain what happened before this instant …"""
    known_at: np.ndarray
    """… and was recorded before this one."""


class Layout(NamedTuple):
    """The column of each feature in a row; -1 for a feature that is not wanted."""

    plain_columns: np.ndarray
    """The column of each template that exists once."""
    kind_columns: np.ndarray
    """The column of each template that exists for every kind: shape (kinds, templates), no kinds if none is wanted."""
    named_kinds: np.ndarray
    """The codes of the kinds that templates name; -1 for a kind that the log does not have."""


class PassOutput(NamedTuple):
    """Room for the rows that the pass writes: as many as there can be at most."""

    values: np.ndarray
    """(features, rows), float64, in C order: of another layout the pass would be compiled again."""
    customer: np.ndarray
    """The number of each row's customer: int64."""
    as_of: np.ndarray
    """The cut-off of each row: microseconds UTC, int64."""
