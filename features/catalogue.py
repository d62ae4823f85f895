"""Every feature there is: the families in the order of their columns. A new family is one line here."""

from features import frequency, monetary, recency, rhythm
from features.feature import Feature, features_of

FAMILIES = (recency, frequency, monetary, rhythm)

CATALOGUE: dict[str, Feature] = {one.name: one for family in FAMILIES for one in features_of(family)}
"""Features by name, in column order."""
