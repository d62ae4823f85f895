"""The screen of `demo`."""

from typing import Any

from pipelines.screens.comparison import comparison
from pipelines.screens.tables import console, table_of, with_interval


def show_demo(content: dict[str, Any]) -> None:
    """Print the evaluation, the worth of the customers, the plan, and the next command to try."""
    scores, plan, currency = content["scores"], content["plan"], content["scores"]["currency"]
    console.print(comparison(content["metrics"]))
    table = table_of("customer base", "")
    table.add_row("customers", f"{scores['customers']:,}")
    table.add_row("expected to leave", f"{scores['expected_churners']:,.0f}")
    table.add_row("customer lifetime value", f"{currency} {scores['clv']:,.0f}")
    table.add_row("value at risk", f"{currency} {scores['value_at_risk']:,.0f}")
    table.add_row("the plan costs", f"{currency} {plan['expected_cost']:,.0f}")
    table.add_row("and earns", f"{currency} {with_interval(plan, 'expected_profit', '.0f')}")
    table.add_row("it breaks even at a save rate of", f"{plan['break_even_save_rate']:.1%}")
    console.print(table)
    console.print(f"Everything is in {content['folder']}; open {content['report']}.")
    console.print("The amounts rest on the assumptions in its stayworth.toml: margin, discount rate and the offer.")
    console.print(f"Next: {content['next']}")
