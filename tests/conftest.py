"""What many tests need: real data, and a reader of orders with the terms the tests do not vary."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

from features.ingest.build_histories import Ingested, ingest
from features.ingest.log import Log
from tests.database import PASSWORD, SPELT
from tests.workers import compiled, migrated_once, of_all_workers, one_at_a_time  # noqa: F401  (fixtures)

collect_ignore = ["imported_commands.py"]  # to import it is all it does, and only the server of commands wants that
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as the Makefile and the command line do: training is slow else
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
CDNOW = ROOT / "pipelines" / "data" / "cdnow.parquet"


@pytest.fixture(scope="session")
def read() -> Callable[..., Ingested]:
    """Reads orders (path or frame): UTC, USD, margin 40 %, unless told otherwise."""

    def read_with(orders: str | Path | pd.DataFrame, now_us: int | None = None, **changes: object) -> Ingested:
        terms = {"timezone": "UTC", "currency": "USD", "gross_margin": 0.4}
        return ingest(Log(orders, **(terms | changes)), now_us=now_us)

    return read_with


@pytest.fixture(scope="session")
def cdnow_path() -> Path:
    return CDNOW


@pytest.fixture(scope="session")
def cdnow(read: Callable[..., Ingested]) -> Ingested:
    return read(CDNOW)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets beside the checkout; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the real data sets in {SHARED}")
    return SHARED


@pytest.fixture
def stayworth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command; returns exit code, standard output and standard error."""
    from pipelines.cli import main

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["stayworth", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def odd_ids() -> list[str]:
    """Ten thousand distinct ids, sorted: leading zeros, Unicode, 20 digits, what a spreadsheet would run."""
    rng = np.random.default_rng(1)
    alphabet = list("0123456789abcXYZ-_./ ,;\"'|äßéøΩжあ漢🙂#=+@%")
    ids = {"00123", "0", "007", "12345678901234567890", " lead", "trail ", "1e5", "NaN", "nan", "NULL", "1.0", "=1+1"}
    while len(ids) < 10_000:
        free = "".join(rng.choice(alphabet, rng.integers(1, 24)))
        ids.add(free if rng.random() < 0.5 else f"{rng.integers(1e18):020d}")
    return sorted(ids)


@pytest.fixture
def log() -> Callable[[str], pd.DataFrame]:
    """A frame of orders from lines like "ann 2020-01-01 5.00 [order_id [product_id]]"."""

    def parse(text: str) -> pd.DataFrame:
        rows = [line.split() for line in text.strip().splitlines()]
        columns = ["customer_id", "ordered_at", "amount", "order_id", "product_id"]
        return pd.DataFrame([row + [None] * (5 - len(row)) for row in rows], columns=columns).dropna(axis=1, how="all")

    return parse


@pytest.fixture(scope="session")
def online_retail(read: Callable[..., Ingested], shared: Path) -> Ingested:
    """Online Retail II, read as docs/examples/online_retail_ii.toml reads it."""
    return read(
        shared / "online_retail_ii" / "transactions.parquet",
        mapping={"orders": {"ordered_at": "ts", "source": "sheet"}},
        timezone="Europe/London",
        currency="GBP",
        exclude_products=("TEST%", "AMAZONFEE", "BANK CHARGES"),
    )


TERMS = {
    "horizon_days": 90,
    "currency": "USD",
    "gross_margin": 0.4,
    "annual_discount_rate": 0.1,
    "lifetime_days": 1095,
}


@pytest.fixture(scope="session")
def taught(read: Callable[..., Ingested]):
    """A lesson on a fifth of CDNOW's customers as of 1998-04-02, the terms, and the labelled rows of the test day."""
    from features.snapshots.labels import with_labels
    from features.snapshots.snapshot import snapshot
    from models.ensemble.business_terms import Terms
    from pipelines.training.training_set import training_set

    terms = Terms(**TERMS)
    frame = pd.read_parquet(CDNOW)
    histories = read(frame[frame["customer_id"].astype(int) % 5 == 0]).histories
    as_of = date(1998, 4, 2)
    test = with_labels(histories, snapshot(histories, as_of=[as_of]), horizon_days=90)
    return training_set(histories, terms, as_of=as_of), terms, test.to_pandas(date_as_object=False)


@pytest.fixture(scope="session")
def model(taught, of_all_workers):  # noqa: F811
    """A model made from that lesson, by one worker, and read from its bundle by all."""
    from models.artifacts import bundle
    from pipelines.training.training_set import fit_model
    from tests.registered import RECIPE

    lesson, terms, _ = taught
    folder = of_all_workers / "model"
    with one_at_a_time(of_all_workers, "training"):
        if not folder.exists():
            made = fit_model(lesson, terms, RECIPE)
            draft = folder.with_suffix(".draft")
            draft.mkdir()
            bundle.write(draft, made, training={"as_of": "1998-04-02"})
            draft.rename(folder)
    return bundle.read(folder)


@pytest.fixture(scope="session")
def batch(model, taught, cdnow_path, tmp_path_factory):
    """What is served (tests/serving/served.py): scores of a fifth of CDNOW's customers, and the model behind them."""
    from tests.serving.served import batch_in

    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 5 == 0]
    return batch_in(tmp_path_factory.mktemp("served"), model, taught[2], orders)


@pytest.fixture(scope="session")
def service(batch, tmp_path_factory):
    """A server with the batch; afterwards: a journal that names nobody, and nothing else written."""
    from tests.serving.running import SECRET_ID, TOKEN, running

    home = tmp_path_factory.mktemp("home")
    with running(batch.folder, home) as one:
        yield one
    told = json.dumps(one.journal)
    assert TOKEN not in one.said + told
    assert SECRET_ID not in told, "no customer is written down, whether asked for rightly or wrongly"
    assert "error" not in {line["event"] for line in one.journal}
    assert list(home.iterdir()) == []


@pytest.fixture(scope="session")
def server():
    """The address of a new server, without its #ROWS, as its owner ann; it runs under an account that is not root."""
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("needs PostgreSQL's initdb and postgres on the PATH")
    names = {account.pw_name for account in pwd.getpwall()}
    account = next((name for name in ("postgres", "nobody") if name in names), None)
    if os.geteuid() == 0 and account is None:
        pytest.skip("PostgreSQL does not run as root, and there is no account postgres or nobody")
    who = {"user": account, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="stayworth-postgres-"))
    (folder / "password").write_text(PASSWORD)
    if who:
        shutil.chown(folder, account)
        shutil.chown(folder / "password", account)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    new = f"initdb -D {folder}/data -U ann -A scram-sha-256 --pwfile {folder}/password -E UTF8 --locale C --no-sync"
    subprocess.run(new.split(), check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)
    settings = "listen_addresses=127.0.0.1 unix_socket_directories= fsync=off shared_buffers=1MB timezone=Asia/Kolkata"
    options = [word for setting in settings.split() for word in ("-c", setting)]
    with (folder / "log").open("w") as log:
        command = ["postgres", "-D", f"{folder}/data", "-p", str(port), *options]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **who)
    try:
        deadline = time.monotonic() + 30
        while "ready to accept" not in (folder / "log").read_text():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        yield f"postgresql://ann:{SPELT}@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tell(server):
    """Sends statements to the server, each for good; gives the rows of the last."""
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="needs the extra [postgres]")

    def send(*statements):
        with dbapi.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return send


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium without a window; tests that need it skip where it is absent.

    For a file of tests: while it is open an event loop runs here, and no test could run one of its own.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # another worker may keep both cores busy
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("needs Chromium (Debian's package chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
