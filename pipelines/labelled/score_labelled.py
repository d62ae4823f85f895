"""Score rows of a label table, and plan a campaign among them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import InputError
from features.ingest.table_source import parse_source
from models import CHAMPION
from models.artifacts import registry
from models.artifacts.registered_model import load_label_version
from models.labelled.label_scorer import VALUES, score_rows
from pipelines import run_folder
from pipelines.campaigns.configured_offers import select_offers
from pipelines.labelled.label_config import LabelConfig, read_rows
from pipelines.plan import do_not_contact
from retention.planning.retention_plan import Plan, plan
from retention.planning.suppression import suppressed_customers


def score_labelled(config: LabelConfig, *, table: str | None, output: str | Path | None) -> dict[str, Any]:
    """Score the rows of a file; they become the latest scores, and are written to `output` too."""
    if table is None:
        raise InputError(
            "a label table has no days to score as of: say which rows to score",
            where="score",
            next="stayworth score --input NEW.csv -o scores.csv",
        )
    latest = config.folder / run_folder.SCORES
    targets = [latest, *([Path(output)] if output else [])]
    source = parse_source(table)
    inputs = {path.resolve() for read in (source, config.resolved(config.data.labelled)) for path in read.paths()}
    for target in targets:
        run_folder.refuse_unwritable(target, kinds=run_folder.TABLES)
        if target.resolve() in inputs:
            raise InputError("is a table that is read", where=str(target), next="Name another file with -o.")
    version = registry.find(config.tracking_uri, CHAMPION)
    scorer = load_label_version(config.tracking_uri, version).scorer
    scores = score_rows(scorer, read_rows(source), where=table)
    for target in reversed(targets):
        run_folder.write_table(target, scores)
    totals = {name: float(scores[name].sum()) for name in ("expected_value", "gain") if name in scores}
    return {
        "customers": len(scores),
        "expected_leavers": float(scores["churn_probability"].sum()),
        **totals,
        **({"currency": scorer.currency} if totals else {}),
        "model_version": scorer.version,
        "written": [str(target) for target in reversed(targets)],
    }


SCORE = "Score first: stayworth score --input FILE."


def plan_labelled(
    config: LabelConfig,
    *,
    now: datetime,
    budget: float,
    capacity: int | None,
    offer_names: Sequence[str],
    campaign: str | None,
    outputs: list[Path],
    holdout: float | str | None,
) -> Plan:
    """Plan with these offers among the latest scores; written to the output folder and to `outputs`.

    Raises InputError where the table has no values: then no offer can be worth anything.
    """
    offers = select_offers(config, offer_names)
    targets = [config.folder / run_folder.PLAN, *outputs]
    for target in targets:
        run_folder.refuse_unwritable(target, kinds=run_folder.TABLES)
    if holdout == "auto":
        raise InputError(
            "rests on later readouts, which need a log of orders",
            where="--holdout auto",
            next="Give a share, as in --holdout 0.2.",
        )
    if shared := [offer.name for offer in offers if offer.incentive_share is not None]:
        raise InputError(
            f"{', '.join(shared)} pays a share of an order, and a label table has no orders",
            where="[[offers]]",
            next="Give incentive_cost, a sum of money, in place of incentive_share.",
        )
    scores = (
        None
        if config.names.future_value is None
        else run_folder.read_table(config.folder / run_folder.SCORES, next=SCORE)
    )
    if scores is None or any(name not in scores for name in VALUES):
        raise InputError(
            "the table says who left, and not what customers bring, so that no offer has a worth",
            where="plan",
            next='Name what each brought, [columns.labelled] future_value = "…", then train and score again. '
            "Without one, contact those of the highest churn_probability in the scores.",
        )
    name = campaign or f"campaign {now.date()}"
    chosen = plan(
        scores.assign(clv=scores["expected_value"]),
        offers,
        budget=budget,
        capacity=capacity,
        excluded=suppressed_customers(
            do_not_contact=do_not_contact(config),
            plans=config.folder / run_folder.PLANS,
            quiet_days=None,
            as_of=now.date(),
            campaign=name,
        ),
        holdout_share=config.plan.holdout_share if holdout is None else float(holdout),
        campaign=name,
        salt=config.plan.salt,
    )
    for target in reversed(targets):
        run_folder.write_table(target, chosen.frame)
    summary = {"kind": "label table"} | chosen.summary
    run_folder.write_json(config.folder / run_folder.PLAN_SUMMARY, summary)
    return replace(chosen, summary=summary | {"written": [str(target) for target in reversed(targets)]})
