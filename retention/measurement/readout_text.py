"""What a readout compares and notices, in words: the same in the terminal and on the console's page."""

from collections.abc import Mapping
from typing import Any

OUTCOMES = {
    "stayed": ("Customers kept", ".1%", ",.0f"),
    "orders": ("Orders", ",.2f", ",.0f"),
    "margin": ("Margin", ",.2f", ",.2f"),
    "clv_kept": ("Lifetime value kept, as scored", ",.2f", ",.2f"),
}
"""The outcomes of `retention.measurement.campaign_readout`: heading, form of a mean per customer, form of a total."""
DEPARTURES = {
    "treated_but_not_contacted": "to be contacted were not",
    "held_out_but_contacted": "held out were contacted",
    "contacted_but_not_chosen": "contacted were not on the list",
    "contacted_with_another_offer": "got another offer",
}


def departures(contacts: Mapping[str, Any]) -> list[str]:
    """How many contacts were not those planned, of what a readout says of its contacts.

    >>> departures({"held_out_but_contacted": 1200, "contacted_but_not_chosen": 0})
    ['1,200 held out were contacted']
    """
    return [f"{contacts[name]:,} {words}" for name, words in DEPARTURES.items() if contacts.get(name)]
