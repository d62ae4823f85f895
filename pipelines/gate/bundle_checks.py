"""The gate's checks of the candidate's bundle: signature, schema, features, scores, speed."""

import numpy as np
from pandas.api.types import is_numeric_dtype

from models.artifacts import bundle
from models.prediction import NUMBERS
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import TIMED_ROWS, Evidence

SLOWEST_SECONDS_PER_ROW = 0.002
"""Processor time of a score with its reasons. Ours takes about a twentieth; at this limit a million customers take
half an hour, and a request of a thousand two seconds of the ten it is given."""


def signed(evidence: Evidence) -> CheckResult:
    """The hash of the manifest, and of every file in it."""
    flaw = evidence.candidate.unsigned
    return check_result(flaw is None, flaw or "every byte is what the manifest says")


def schema(evidence: Evidence) -> CheckResult:
    """The manifest's own hash of its features, the horizon, and that the model takes rows of this log."""
    candidate = evidence.candidate
    if candidate.unsigned:
        return CheckResult("not examined", "nothing of an unsigned bundle is read")
    if candidate.manifest is None:
        return CheckResult("fail", candidate.unusable or "it has no manifest")
    names, said = candidate.manifest["features"], candidate.manifest["schema_hash"]
    found = bundle.schema_hash(names)
    if said != found:
        return CheckResult(
            "fail", f"its features hash to {found}, and it says {said}: other features, or another order"
        )
    horizon = candidate.manifest["training"].get("horizon_days")
    if horizon != evidence.horizon_days:
        return CheckResult("fail", f"it looks {horizon} days ahead, the config {evidence.horizon_days}")
    if candidate.unusable and set(names) <= set(evidence.offered):
        return CheckResult("fail", candidate.unusable)
    return CheckResult("pass", f"{len(names)} features, {evidence.horizon_days} days, schema {said}")


def features(evidence: Evidence) -> CheckResult:
    """Nobody can serve a model that asks for what its shop does not record."""
    manifest = evidence.candidate.manifest
    if manifest is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    absent = [name for name in manifest["features"] if name not in evidence.offered]
    if absent:
        return CheckResult("fail", f"the log cannot give {len(absent)}: {', '.join(absent[:5])}")
    return CheckResult("pass", f"all {len(manifest['features'])} of them, of {len(evidence.offered)} that it gives")


def scores(evidence: Evidence) -> CheckResult:
    """A row for every customer, in their order, and every number finite and possible."""
    found, rows = evidence.candidate.scores, evidence.rows
    if found is None:
        return CheckResult("not examined", "it scored nothing")
    if found["customer_id"].tolist() != rows["customer_id"].tolist():
        return CheckResult("fail", f"{len(found):,} scores for {len(rows):,} customers, or in another order")
    missing = [name for name in NUMBERS if name not in found.columns or not is_numeric_dtype(found[name])]
    if missing:
        return CheckResult("fail", f"no numbers in {', '.join(missing)}")
    values = {name: found[name].to_numpy(np.float64) for name in NUMBERS}
    wrong = {name: int((~np.isfinite(column)).sum()) for name, column in values.items()}
    probability = values["churn_probability"]
    wrong["churn_probability outside 0 … 1"] = int(((probability < 0) | (probability > 1)).sum())
    wrong["value_p10 above value_p90"] = int((values["value_p10"] > values["value_p90"]).sum())
    bad = [f"{name} {count:,}" for name, count in wrong.items() if count]
    if bad:
        return CheckResult("fail", f"of {len(found):,} scores, not numbers or impossible: {', '.join(bad)}")
    return CheckResult("pass", f"{len(found):,} customers scored, every number finite")


def speed(evidence: Evidence) -> CheckResult:
    """Timed on this machine, as a service would score."""
    seconds = evidence.candidate.seconds_per_row
    if seconds is None:
        return CheckResult("not examined", "it scored nothing")
    return check_result(
        seconds <= SLOWEST_SECONDS_PER_ROW,
        f"{seconds * 1e6:,.0f} µs of processor time a row with reasons, over {TIMED_ROWS:,} rows; at most "
        f"{SLOWEST_SECONDS_PER_ROW * 1e6:,.0f}",
    )
