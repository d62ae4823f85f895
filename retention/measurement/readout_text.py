"""The words of a readout: its outcomes and its departures from the plan, for the terminal and the console."""

from collections.abc import Mapping
from typing import Any

from retention.presentation.formatting import counted

OUTCOMES = {
    "stayed": ("Customers kept", ".1%", ",.0f"),
    "orders": ("Orders", ",.2f", ",.0f"),
    "margin": ("Margin", ",.2f", ",.2f"),
    "lifetime_gain": ("Lifetime margin gained, as scored", ",.2f", ",.2f"),
}
"""The outcomes of `retention.measurement.campaign_readout`: heading, form of a mean per customer, form of a total."""
DEPARTURES = {
    "treated_but_not_contacted": ("planned contact was not made", "planned contacts were not made"),
    "held_out_but_contacted": ("held-out customer was contacted", "held-out customers were contacted"),
    "contacted_but_not_chosen": (
        "contacted customer was not on the list",
        "contacted customers were not on the list",
    ),
    "contacted_with_another_offer": ("customer got another offer", "customers got another offer"),
}
"""The words of each departure from the plan, for one and for several."""


def departures(contacts: Mapping[str, Any]) -> list[str]:
    """Sentences about the contacts that were not those planned; empty if all were. contacts: those of a readout.

    >>> departures({"held_out_but_contacted": 1200, "contacted_but_not_chosen": 0})
    ['1,200 held-out customers were contacted']
    """
    return [counted(contacts[name], *words) for name, words in DEPARTURES.items() if contacts.get(name)]
