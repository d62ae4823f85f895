"""A first `stayworth.toml` for a label table: columns and the meaning of the label read off it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from features.errors import InputError
from features.ingest.table_source import parse_source
from models.labelled.table_columns import ID_NAME, describe_columns, names_of
from pipelines.labelled.label_config import label_values, leaving_value, read_rows, require_column
from pipelines.shop_files.project_config import place_of

TEMPLATE = """\
# Stayworth: who is about to leave, learned from one row per customer. Such a table has no time: it gives churn
# probabilities with reasons, and plans where values are known. Lines marked GUESS were read off the file, lines marked
# ASSUMED are examples: put your own numbers there.

[data]                               # relative paths start at this file's folder
labelled = {place}

[columns.labelled]                   # ours = "theirs"; every other column is a feature
customer_id = {customer_id}
churned = {churned}
{value}

[label]
left = {left}    # {guess}
unused = []                          # columns not to learn from, such as those known only once a customer has left

[money]
currency = "USD"                     # ASSUMED: ISO 4217

[train]
trials = 20                          # Optuna trials, inside every fold
folds = 5                            # each judged by a model of the others
repeats = 2                          # the folds are drawn so often
seed = 7
# monotone = {{tenure = -1}}            # churn may only rise (1) or only fall (-1) with a column of numbers

[tracking]
uri = "sqlite:///mlflow.db"          # or the address of an MLflow server

[plan]
holdout_share = 0.1                  # share of the chosen customers held out at random, to measure the effect
# do_not_contact = "do_not_contact.csv"  # CSV or Parquet with customer_id: nobody in it is contacted

[output]
folder = "runs"

[[offers]]                           # one block per offer; every number here is ASSUMED
name = "voucher"
contact_cost = 0.50                  # per customer contacted
incentive_cost = 5.00                # paid when redeemed
save_rate = 0.10                     # share of would-be leavers it keeps; or {{alpha = 2, beta = 18}}
redeem_rate = 0.30                   # share of those who would have stayed anyway who redeem it
"""


CUSTOMER = ("customer", "client", "user", "member", "subscriber", "account", "person")
"""How the name of the column begins that names the customers."""
NO_VALUE = (
    '# future_value = "…"                 # what each customer brought afterwards, in money: then plans are possible'
)


def first_label_config(table: str, label: str, *, config_folder: Path, given: Mapping[str, str]) -> tuple[str, str]:
    """The text of the config of a label table, and a sentence about what was read off it.

    given: customer_id, future_value and left as the user names them. Raises InputError where the label has not two
    values, or no column can be the id.
    """
    if unknown := sorted(set(given) - {"customer_id", "future_value", "left"}):
        raise InputError(
            f"'{unknown[0]}' is not a column of a label table",
            where="--column",
            next="With --label it takes customer_id, future_value and left; every other column is a feature.",
        )
    source = parse_source(table)
    rows = read_rows(source)
    require_column(rows, label, where=table, key="churned")
    counts = label_values(names_of(rows[label]), where=table, column=label)
    left = leaving_value(list(counts), given.get("left"), column=label, where=table)
    for key in ("customer_id", "future_value"):
        if key in given:
            require_column(rows, given[key], where=table, key=key)
    own_id = given.get("customer_id") or _id_column(rows, label, where=table)
    value = given.get("future_value") or ("future_value" if "future_value" in rows.columns else None)
    stayed = next(other for other in counts if other != left)
    text = TEMPLATE.format(
        place=_quoted(place_of(source, config_folder)),
        customer_id=_quoted(own_id),
        churned=_quoted(label),
        value=f"future_value = {_quoted(value)}" if value else NO_VALUE,
        left=_quoted(left),
        guess="as given" if "left" in given else f"GUESS: {counts[left]:,} left, {counts[stayed]:,} ({stayed}) stayed",
    )
    said = (
        f"{len(rows):,} customers by {own_id}; {label} = {left} means left ({counts[left]:,}), {stayed} stayed "
        f"({counts[stayed]:,}); values: {value or 'none'}"
    )
    return text, said


def _id_column(rows: pd.DataFrame, label: str, *, where: str) -> str:
    """The column that names the customers: by its name, among those with another value in every row."""
    distinct = [str(name) for name in rows.columns if name != label and names_of(rows[name]).nunique() == len(rows)]
    columns = describe_columns(rows[distinct])
    found = (
        [name for name in distinct if name.lower().startswith(CUSTOMER)]
        or [name for name in distinct if ID_NAME.search(name)]
        or [name for name in distinct if columns[name].kind == "unused"]
    )
    if not found:
        raise InputError(
            "no column has another value in every row by which customers could be named",
            where=where,
            next="Say which it is: --column customer_id=NAME; if a customer has several rows, give one row each.",
        )
    return found[0]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
