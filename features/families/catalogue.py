"""Every feature there is: the families in the order of their columns. A new family is one line here."""

from dataclasses import replace
from functools import cache

from features.errors import InputError
from features.families import basket, calendar, frequency, interactions, monetary, ratios, recency, regularity
from features.kernel.feature import Feature, features_of

FAMILIES = (recency, frequency, monetary, regularity, basket, ratios, calendar, interactions)


def catalogue(present: frozenset[str] = frozenset(), kinds: tuple[str, ...] = ()) -> dict[str, Feature]:
    """The features of a log by name, in the order of their columns.

    present: its columns, and `interactions` if it has those; kinds: its kinds of interaction. What needs others is
    not there.
    """
    given = [one for one in feature_templates() if one.requires <= present and set(one.kinds) <= set(kinds)]
    plain = [one for one in given if not one.is_per_kind]
    of_kinds = [_of_kind(one, kind) for kind in kinds for one in given if one.is_per_kind]
    return {one.name: one for one in [*plain, *of_kinds]}


@cache
def feature_named(name: str) -> Feature | None:
    """The feature of a column, whatever log it is of; None for an attribute of the customer.

    >>> named("store_visit_count_last_30d").kind
    'store_visit'
    """
    for one in feature_templates():
        if one.name == name and not one.is_per_kind:
            return one
    for one in feature_templates():
        if one.is_per_kind and name.endswith(f"_{one.name}"):
            return _of_kind(one, name.removesuffix(f"_{one.name}"))
    return None


def list_features() -> list[dict[str, str]]:
    """Every feature there can be: name, unit, meaning, and the columns and kinds of interaction it needs."""
    per_kind = [
        replace(one, name=f"<kind>_{one.name}", kind="<kind>") for one in feature_templates() if one.is_per_kind
    ]
    return [
        {"name": one.name, "unit": one.unit, "meaning": one.meaning, "needs": ", ".join([*one.needs, *one.kinds])}
        for one in [*(one for one in feature_templates() if not one.is_per_kind), *per_kind]
    ]


def value_in_words(name: str, value: float | str | None) -> str:
    """The value of a column in words."""
    feature = feature_named(name)
    if isinstance(value, str) or feature is None:
        return f"{name.replace('_', ' ')}: {'unknown' if value is None or value != value else value}"
    return feature.sentence(float("nan") if value is None else value)


@cache
def feature_templates() -> tuple[Feature, ...]:
    """The features of all families as their modules define them: those of `events` once, without a kind."""
    return tuple(one for family in FAMILIES for one in features_of(family))


def _of_kind(template: Feature, kind: str) -> Feature:
    name = f"{kind}_{template.name}"
    if any(one.name == name and not one.is_per_kind for one in feature_templates()):
        raise InputError(
            f"the kind '{kind}' would make a second column {name}", where="interactions", next="Rename the kind."
        )
    return replace(template, name=name, kind=kind)
