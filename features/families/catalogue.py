"""All features: the families in the order of their columns. A new family is one more entry in FAMILIES."""

from dataclasses import replace
from functools import cache

from features.errors import InputError
from features.families import basket, calendar, frequency, interactions, monetary, ratios, recency, regularity
from features.kernel.feature import Feature, features_of

FAMILIES = (recency, frequency, monetary, regularity, basket, ratios, calendar, interactions)


def catalogue(present: frozenset[str] = frozenset(), kinds: tuple[str, ...] = ()) -> dict[str, Feature]:
    """The features of a log by name, in the order of their columns.

    present: its columns, and `interactions` if it has those; kinds: its kinds of interaction. Features that need
    others are left out.
    """
    given = [
        template
        for template in feature_templates()
        if template.requires <= present and set(template.kinds) <= set(kinds)
    ]
    plain = [template for template in given if not template.is_per_kind]
    of_kinds = [_of_kind(template, kind) for kind in kinds for template in given if template.is_per_kind]
    return {template.name: template for template in [*plain, *of_kinds]}


@cache
def feature_named(name: str) -> Feature | None:
    """The feature behind a column of any log; None for an attribute of the customer.

    >>> feature_named("store_visit_count_last_30d").kind
    'store_visit'
    """
    for template in feature_templates():
        if template.name == name and not template.is_per_kind:
            return template
    for template in feature_templates():
        if template.is_per_kind and name.endswith(f"_{template.name}"):
            return _of_kind(template, name.removesuffix(f"_{template.name}"))
    return None


def list_features() -> list[dict[str, str]]:
    """All possible features: name, unit, meaning, and the columns and kinds of interaction each needs."""
    per_kind = [
        replace(template, name=f"<kind>_{template.name}", kind="<kind>")
        for template in feature_templates()
        if template.is_per_kind
    ]
    return [
        {
            "name": template.name,
            "unit": template.unit,
            "meaning": template.meaning,
            "needs": ", ".join([*template.needs, *template.kinds]),
        }
        for template in [*(template for template in feature_templates() if not template.is_per_kind), *per_kind]
    ]


def value_in_words(name: str, value: float | str | None) -> str:
    """Say the value of a column in words."""
    feature = feature_named(name)
    if isinstance(value, str) or feature is None:
        return f"{name.replace('_', ' ')}: {'unknown' if value is None or value != value else value}"
    return feature.sentence(float("nan") if value is None else value)


@cache
def feature_templates() -> tuple[Feature, ...]:
    """The features of all families as their modules define them: a feature of `events` once, without a kind."""
    return tuple(template for family in FAMILIES for template in features_of(family))


def _of_kind(template: Feature, kind: str) -> Feature:
    name = f"{kind}_{template.name}"
    if any(template.name == name and not template.is_per_kind for template in feature_templates()):
        raise InputError(
            f"the kind '{kind}' would make a second column {name}", where="interactions", next="Rename the kind."
        )
    return replace(template, name=name, kind=kind)
