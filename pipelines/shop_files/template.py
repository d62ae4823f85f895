"""The text of a first config: every key explained."""

TEMPLATE = """\
# Stayworth: who is about to leave, what they are worth, and what it pays to keep them.
# Lines marked GUESS were read off the file, lines marked ASSUMED are examples: put your own numbers there.

[data]                               # relative paths start at this file's folder
orders = {orders}
# exclude_products = ["POST", "TEST%"]   # product ids that are not purchases; % stands for anything
# interactions = "visits/*.parquet"      # customer_id, at, kind (visit, complaint, survey_score, …), value
# customers = "customers.csv"            # customer_id and attributes, one row per customer; its left_at (when they
#                                        # left, else empty) makes churn contractual
# treatments = "treatments.csv"          # past contacts: customer_id, at, campaign, offer, treated (yes, or no for
#                                        # customers held out), cost
# costs = "costs.csv"                    # customer_id, at, kind (service, delivery, marketing, …), amount
# Any of them may be a database: "postgresql://user@host/shop#orders", or "…#select … from …"

[columns.orders]                     # ours = "theirs"; the columns are {names}
{mapping}{unused}
# The other tables likewise: [columns.interactions], [columns.customers], [columns.treatments], [columns.costs]

{read}
[time]
{timezone}
{format}
horizon_days = 90                    # no order for this long (or left_at within it) is churn; `stayworth check` advises
# horizons = [30, 180]                 # further horizons to score, from the same model

[money]
currency = {currency}                     # {currency_note}
gross_margin = 0.40                  # ASSUMED: share of revenue that is margin, where a line has no cost
annual_discount_rate = 0.10          # ASSUMED: discount on money that comes a year later
lifetime_days = 1095                 # ASSUMED: how far customer lifetime value looks

# [features]
# attributes = ["plan"]                # columns of customers; they carry no time: name only what was always true

[train]
trials = 30                          # Optuna trials for the churn trees and for the value trees
seed = 7
# rows = 1_000_000                     # most rows to grow trees on; default 100_000; more are streamed from disk
# device = "cuda"                      # grow them on a GPU
# monotone = {{recency_days = 1}}        # churn may only rise (1) or only fall (-1) with a feature

[tracking]
uri = "sqlite:///mlflow.db"          # or the address of an MLflow server

[plan]
holdout_share = 0.1                  # share of the chosen customers held out at random, to measure the effect
salt = "stayworth"                   # changes who is held out
# do_not_contact = "do_not_contact.csv"  # CSV or Parquet with customer_id: nobody in it is contacted
# quiet_days = 30                      # suppress customers contacted by another campaign in the last so many days
# [plan.capacity]                      # the most contacts by channel in a campaign
# email = 5000

[output]
folder = "runs"                      # for the latest scores, plan, metrics and report
# store = "20GB"                     # at most for the log as it was read, so that it is read once; 0 keeps none

[[offers]]                           # one block per offer; every number here is ASSUMED
name = "voucher"
contact_cost = 0.50                  # per customer contacted
incentive_cost = 5.00                # paid when redeemed
# incentive_share = 0.25               # instead: share of the margin of one expected order; 10 % off at 40 % margin
save_rate = 0.10                     # share of those who can be saved it keeps; or {{alpha = 2, beta = 18}}
#                                    # or "measured": as `stayworth readout` has measured it so far
redeem_rate = 0.30                   # share of those who would have stayed anyway who redeem it
# channel = "email"                    # offers of one channel share its capacity
"""
