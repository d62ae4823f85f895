"""The simulated shop's stayworth.toml: the owner's knowledge, without the truth."""

from pipelines.simulator import parameters
from pipelines.simulator.worlds import STANDARD, World

CONFIG = """\
# A made-up shop, written by stayworth simulate: customers {customers:,}, seed {seed}, as of {as_of}.
{world}# {hint}
# What is true of each customer stands in truth/; no command reads it.

[data]
orders = "orders/*.parquet"
interactions = "interactions/*.parquet"
customers = "customers.parquet"{left}
{more}
[columns.orders]
recorded_at = "recorded_at"          # when a line became known: not used unless it is named here

[time]
timezone = "UTC"
horizon_days = {horizon_days}                    # {churn}

[money]
currency = "{currency}"
gross_margin = 0.38                  # where a line has no cost; all of them have
annual_discount_rate = {annual_discount_rate:.2f}
lifetime_days = {lifetime_days}

[features]
attributes = ["acquired_by"]         # how a customer came: search, advert, friend

[train]
trials = 10
seed = 7

[plan]
holdout_share = 0.1                  # left alone at random, to measure the effect
salt = "simulated"
"""

OFFER = """
[[offers]]
name = "{name}"
channel = "{channel}"
contact_cost = {contact_cost:.2f}
incentive_cost = {incentive_cost:.2f}                # paid when redeemed
save_rate = {assumed_save_rate:.2f}                     # what the shop believes; the truth differs by customer
redeem_rate = {assumed_redeem_rate:.2f}
"""

BEFORE = """\
Try it: stayworth train, then stayworth score --as-of {as_of}, stayworth plan --budget 2000, and to see what comes of it
# stayworth simulate --continue . -o ../after"""
AFTER = """\
The campaign "{campaign}" has run; stayworth readout measures it. What it truly did stands in campaign_truth.json."""

TABLES = {
    "costs": 'costs = "costs/*.parquet"               # delivery and service\n',
    "treatments": 'treatments = "treatments.parquet"     # the contacts of the campaign, and its holdout\n',
}

LEFT = "      # left_at in it, the day a contract ended, makes churn contractual"
CHURN, CONTRACTUAL_CHURN = "no order for this long is churn", "a contract that ends within so many days is churn"


def config_text(*, customers: int, seed: int, as_of: str, campaign: str | None, world: World) -> str:
    """The text of the config, with the offers. campaign: the one that the shop has had; None: none yet."""
    tables = ("costs", "treatments") if campaign else ("costs",)
    terms = {
        "customers": customers,
        "seed": seed,
        "as_of": as_of,
        "horizon_days": parameters.HORIZON_DAYS,
        "currency": parameters.CURRENCY,
        "annual_discount_rate": parameters.ANNUAL_DISCOUNT_RATE,
        "lifetime_days": parameters.LIFETIME_DAYS,
        "hint": (AFTER if campaign else BEFORE).format(as_of=as_of, campaign=campaign),
        "world": "" if world.name == STANDARD else f"# World {world.name}: {world.words}.\n",
        "left": "" if world.contract is None else LEFT,
        "churn": CHURN if world.contract is None else CONTRACTUAL_CHURN,
        "more": "".join(TABLES[table] for table in tables),
    }
    return CONFIG.format(**terms) + "".join(OFFER.format(**vars(offer)) for offer in parameters.OFFERS)
