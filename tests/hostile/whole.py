"""What must hold of a shop's folder at any moment: no torn file, and a champion of which every byte is verified."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from models.artifacts import bundle, registry
from models.artifacts.registered_model import load_untouched
from models.scoring import batch_scores
from pipelines import registry_audit
from pipelines.batches import ledger
from pipelines.batches.ledger_table import PRECISION, rounded
from pipelines.config import load
from serving import active_model as served
from serving.store import score_store as store
from tests.hostile.files import Row
from tests.hostile.service import NUMBERS


def readable(runs: Path) -> int:
    """Reads every file that has a name to be read by; returns how many. Drafts begin with a dot."""
    count = 0
    for path in sorted(runs.rglob("*")):
        if path.is_dir() or any(part.startswith(".") for part in path.relative_to(runs).parts):
            continue
        if served.BUNDLES in path.parts:
            continue  # read by the pointer beside them alone
        count += 1
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix == ".jsonl":
            assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())
        elif path.suffix == ".parquet":
            pq.read_table(path)
        elif path.suffix == ".store":
            store.open_store(path)
    return count


def contents(runs: Path) -> dict[str, str]:
    """The SHA-256 of every file of the output folder that a command writes."""
    return {
        str(path.relative_to(runs)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(runs.rglob("*"))
        if path.is_file() and not {"served", "score_log"} & set(path.relative_to(runs).parts)
    }


def verified_champion(folder: Path) -> registry.Version:
    """The champion, every byte of what was logged checked; so are those that the audit log and the monitor name."""
    config = load(folder / "stayworth.toml")
    uri, runs = config.tracking_uri, config.folder
    versions = {one.number: one for one in registry.versions(uri)}
    holder = registry.find(uri, "champion")
    assert load_untouched(uri, holder).scorer.version == holder.bundle
    lines = [json.loads(line) for line in (runs / registry_audit.FILE).read_text("utf-8").splitlines()]
    named = {(line["version"], line["bundle"]) for line in lines}
    if (runs / "monitor.json").exists():
        told = json.loads((runs / "monitor.json").read_text("utf-8"))["model"]
        named.add((told["version"], told["bundle"]))
    for number, version in named - {(holder.number, holder.bundle)}:
        assert versions[number].bundle == version
        assert load_untouched(uri, versions[number]).scorer.version == version
    moved = [line for line in lines if line["what"] != "refuse" and "failed" not in line]
    assert moved[-1]["version"] == holder.number
    pointer = runs / "served" / served.POINTER
    if pointer.exists():
        name = json.loads(pointer.read_text("utf-8"))["bundle"]
        assert bundle.read(pointer.parent / served.BUNDLES / name).version in {one.bundle for one in versions.values()}
    return holder


def scored_anew(folder: Path, rows: list[Row], *, as_of: str, version: str) -> pd.DataFrame:
    """The scores of these rows as of a day by the bundle of that version, by customer."""
    uri = load(folder / "stayworth.toml").tracking_uri
    registered = next(one for one in registry.versions(uri) if one.bundle == version)
    model = load_untouched(uri, registered).scorer
    day = pd.Timestamp(as_of).date()
    return batch_scores.score_orders(model, pd.DataFrame(rows, columns=Row._fields), as_of=day).set_index("customer_id")


def reproduced_batches(folder: Path, known: dict[str, list[Row]]) -> dict[tuple[str, str], pd.DataFrame]:
    """Every batch of the ledger, of which each number must come again from the rows known on its day.

    Rounded as the ledger rounds, it must do so bit by bit.

    known: day → rows. Returns the batches with the reasons that came again, by day and version.
    """
    found = {}
    for entry in ledger.entries(folder / "runs"):
        day = entry.as_of.isoformat()
        kept = ledger.read(entry).set_index("customer_id")
        anew = scored_anew(folder, known[day], as_of=day, version=entry.model_version)
        assert set(anew.index) == set(kept.index)
        anew = anew.loc[kept.index]
        for name in NUMBERS:
            again = rounded(anew[name], precision=PRECISION[name])
            assert np.array_equal(again, kept[name]), (day, entry.model_version, name)
        found[day, entry.model_version] = anew.assign(segment=kept["segment"])
    return found
