"""The gate's checks of the candidate's bundle: signature, schema, features, scores, speed."""

import numpy as np
from pandas.api.types import is_numeric_dtype

from models.artifacts.signed_files import schema_hash
from models.prediction import NUMBERS
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import TIMED_ROWS, CandidateEvidence, Evidence

SLOWEST_SECONDS_PER_ROW = 0.002
"""Processor time of a score with its reasons. Ours takes about a twentieth; at this limit a million customers take
half an hour, and a request of a thousand two seconds of the ten it is given."""


def signed(evidence: CandidateEvidence) -> CheckResult:
    """Compare the hashes of the manifest and of every file in it."""
    flaw = evidence.candidate.unsigned
    return check_result(flaw is None, flaw or "every byte is as the manifest says")


def schema(evidence: Evidence) -> CheckResult:
    """Compare the hash of its features and its horizon, and check that the model takes rows of this log."""
    candidate = evidence.candidate
    if candidate.unsigned:
        return CheckResult("not examined", "nothing of an unsigned bundle is read")
    if candidate.manifest is None:
        return CheckResult("fail", candidate.unusable or "it has no manifest")
    names, stated = candidate.manifest["features"], candidate.manifest["schema_hash"]
    actual = schema_hash(names)
    if stated != actual:
        return CheckResult(
            "fail", f"its features hash to {actual}, not {stated} as it states: other features, or another order"
        )
    horizon = candidate.manifest["training"].get("horizon_days")
    if horizon != evidence.horizon_days:
        return CheckResult("fail", f"its horizon is {horizon} days, the config's {evidence.horizon_days}")
    if candidate.unusable and set(names) <= set(evidence.log_features):
        return CheckResult("fail", candidate.unusable)
    return CheckResult("pass", f"{len(names)} features, {evidence.horizon_days} days, schema {stated}")


def features(evidence: Evidence) -> CheckResult:
    """Check that the log gives every feature: a model cannot be served without one."""
    manifest = evidence.candidate.manifest
    if manifest is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    absent = [name for name in manifest["features"] if name not in evidence.log_features]
    if absent:
        return CheckResult("fail", f"the log does not give {len(absent)} of them: {', '.join(absent[:5])}")
    needed, given = len(manifest["features"]), len(evidence.log_features)
    return CheckResult("pass", f"all {needed} of them, of the {given} that it gives")


def scores(evidence: Evidence) -> CheckResult:
    """Check that every customer has a row, in order, and that every number is finite and possible."""
    table, rows = evidence.candidate.scores, evidence.rows
    if table is None:
        return CheckResult("not examined", "it scored nothing")
    if table["customer_id"].tolist() != rows["customer_id"].tolist():
        return CheckResult("fail", f"{len(table):,} scores for {len(rows):,} customers, or another order")
    missing = [name for name in NUMBERS if name not in table.columns or not is_numeric_dtype(table[name])]
    if missing:
        return CheckResult("fail", f"no numbers in {', '.join(missing)}")
    values = {name: table[name].to_numpy(np.float64) for name in NUMBERS}
    wrong = {name: int((~np.isfinite(column)).sum()) for name, column in values.items()}
    probability = values["churn_probability"]
    wrong["churn_probability outside 0 … 1"] = int(((probability < 0) | (probability > 1)).sum())
    for low, high in (("value_p10", "value_p90"), ("clv_p10", "clv_p90")):
        wrong[f"{low} above {high}"] = int((values[low] > values[high]).sum())
    bad = [f"{name} {count:,}" for name, count in wrong.items() if count]
    if bad:
        return CheckResult("fail", f"of {len(table):,} scores, some are no numbers or impossible: {', '.join(bad)}")
    return CheckResult("pass", f"{len(table):,} customers scored, every number finite")


def speed(evidence: CandidateEvidence) -> CheckResult:
    """Time a score on this machine, made as the service makes it."""
    seconds = evidence.candidate.seconds_per_row
    if seconds is None:
        return CheckResult("not examined", "it scored nothing")
    return check_result(
        seconds <= SLOWEST_SECONDS_PER_ROW,
        f"{seconds * 1e6:,.0f} µs of processor time per row with reasons, over {TIMED_ROWS:,} rows; the limit is "
        f"{SLOWEST_SECONDS_PER_ROW * 1e6:,.0f}",
    )
