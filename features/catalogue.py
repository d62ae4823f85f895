"""Every feature there is: the families in the order of their columns. A new family is one line here."""

from dataclasses import replace
from functools import cache

from features import basket, calendar, crosses, frequency, interactions, monetary, recency, rhythm
from features.errors import InputError
from features.feature import Feature, features_of

FAMILIES = (recency, frequency, monetary, rhythm, basket, crosses, calendar, interactions)


def catalogue(present: frozenset[str] = frozenset(), kinds: tuple[str, ...] = ()) -> dict[str, Feature]:
    """The features of a log by name, in the order of their columns.

    present: the optional columns it has; kinds: its kinds of interaction. What needs others is not there.
    """
    features: dict[str, Feature] = {}
    for template in _templates():
        if not set(template.needs) <= present:
            continue
        if "events" in template.arguments:
            features |= {one.name: one for one in (_of_kind(template, kind) for kind in kinds)}
        elif set(template.kinds) <= set(kinds) and (kinds or "interactions" not in template.arguments):
            features[template.name] = template
    return features


def named(name: str) -> Feature | None:
    """The feature of a column, whatever log it is of; None for an attribute of the customer.

    >>> named("store_visit_count_last_30d").kind
    'store_visit'
    """
    plain = [one for one in _templates() if "events" not in one.arguments and one.name == name]
    of_kinds = [
        _of_kind(one, name.removesuffix(f"_{one.name}"))
        for one in _templates()
        if "events" in one.arguments and name.endswith(f"_{one.name}")
    ]
    return next(iter([*plain, *of_kinds]), None)


def words(name: str, value: float | str | None) -> str:
    """The value of a column in words."""
    feature = named(name)
    if isinstance(value, str) or feature is None:
        return f"{name.replace('_', ' ')}: {'unknown' if value is None or value != value else value}"
    return feature.sentence(float("nan") if value is None else value)


@cache
def _templates() -> tuple[Feature, ...]:
    return tuple(one for family in FAMILIES for one in features_of(family))


def _of_kind(template: Feature, kind: str) -> Feature:
    name = f"{kind}_{template.name}"
    if any(one.name == name and "events" not in one.arguments for one in _templates()):
        raise InputError(
            f"the kind '{kind}' would make a second column {name}", where="interactions", next="Rename the kind."
        )
    return replace(template, name=name, kind=kind)
