"""The servers: ours and its peers, how each is started, and which requests it gets.

All return the scores of the same customers. By id: from the same store, or, "same booster", by the churn trees of the
bundle from features held in memory. From orders: by the whole model.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.accuracy_shops import ROOT
from benchmarks.environments import Unavailable, beside
from benchmarks.serving_client import TOKEN, Line, request
from benchmarks.serving_shop import STAYWORTH, Shop, registry

START_S = 180.0


@dataclass(frozen=True)
class Contestant:
    """A server and one of its routes."""

    server: str
    path: str
    ask: Callable[[Shop, int, int], Any]
    """The content of a request for so many customers, different ones each turn."""
    sizes: tuple[int, ...] = (1, 100, 1000)


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    ready_seconds: float
    family: list[psutil.Process] = field(default_factory=list)

    def cpu_ns(self) -> int:
        """CPU time of all its processes since they began, by the system's clock of each (Linux)."""
        return sum(time.clock_gettime_ns((~process.pid << 3) | 2) for process in self.family)

    def memory_mb(self) -> dict[str, float]:
        """Memory of its largest process: total and private."""
        largest = max((process.memory_full_info() for process in self.family), key=lambda memory: memory.uss)
        return {"rss_mb": largest.rss / 2**20, "own_mb": largest.uss / 2**20}


def by_id(shop: Shop, size: int, turn: int) -> dict[str, Any]:
    return {"customer_ids": _slice(shop.customers, size, turn)}


def as_histories(shop: Shop, size: int, turn: int) -> dict[str, Any]:
    return {"as_of": shop.as_of.isoformat(), "customers": _slice(shop.histories, size, turn)}


def as_frame(shop: Shop, size: int, turn: int) -> dict[str, Any]:
    """The same histories in MLflow's format of a data frame."""
    customers = _slice(shop.histories, size, turn)
    columns = list(customers[0]["orders"][0])
    data = [[customer["customer_id"], *order.values()] for customer in customers for order in customer["orders"]]
    frame = {"columns": ["customer_id", *columns], "data": data}
    return {"dataframe_split": frame, "params": {"as_of": shop.as_of.isoformat()}}


def _slice(all_: list[Any], size: int, turn: int) -> list[Any]:
    return [all_[(turn * size + place) % len(all_)] for place in range(size)]


CONTESTANTS = {
    "Stayworth, by id": Contestant("stayworth", "/v1/score", by_id),
    "Stayworth, from orders": Contestant("stayworth", "/v1/score_histories", as_histories, (1, 100)),
    "FastAPI, pydantic": Contestant("fastapi", "/pydantic", by_id),
    "FastAPI, plain JSON": Contestant("fastapi", "/plain", by_id),
    "FastAPI, same booster": Contestant("fastapi", "/booster", by_id),
    "FastAPI, same booster, one number": Contestant("fastapi", "/number", by_id),
    "FastAPI, plain JSON, httptools": Contestant("fastapi_fast", "/plain", by_id),
    "FastAPI, same booster, httptools": Contestant("fastapi_fast", "/booster", by_id),
    "BentoML as shipped": Contestant("bentoml", "/score", by_id),
    "mlflow models serve, from orders": Contestant("mlflow", "/invocations", as_frame, (1, 100)),
}
OURS, OURS_FROM_ORDERS = list(CONTESTANTS)[:2]


def command(server: str, shop: Shop, port: int, *, workers: int = 1) -> list[str]:
    """The command that starts a server."""
    python = [sys.executable, "-m"]
    if server == "stayworth":
        own = ["--bundle", str(shop.bundle), "--workers", str(workers)]
        return [STAYWORTH, "serve", "-c", str(shop.config), "--port", str(port), *own]
    if server.startswith("fastapi"):
        quiet = ["--no-access-log", "--log-level", "warning"]
        return [*python, "uvicorn", "benchmarks.peers.fastapi_scores:app", "--port", str(port), *quiet]
    if server == "bentoml":
        where = ["--port", str(port), "--host", "127.0.0.1", "--working-dir", str(ROOT)]
        return [*python, "bentoml", "serve", "benchmarks.peers.bentoml_scores:Scores", *where]
    model = ["-m", "models:/stayworth@champion", "--env-manager", "local"]
    return [*python, "mlflow", "models", "serve", *model, "--port", str(port), "--host", "127.0.0.1"]


def environment(server: str, shop: Shop) -> dict[str, str]:
    """Environment variables of a server, besides those of this process."""
    bin_ = str(Path(sys.executable).parent)
    variables = {
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",  # mlflow starts `python` and `uvicorn` by name
        "PYTHONPATH": str(ROOT),
        "STAYWORTH_TOKEN": TOKEN,
        "STAYWORTH_SCORES": str(shop.scores),
        "STAYWORTH_BUNDLE": str(shop.bundle),
        "MLFLOW_TRACKING_URI": registry(shop.folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BENTOML_DO_NOT_TRACK": "true",
        "BENTOML_HOME": str(shop.folder / "bentoml"),
    }
    if server == "fastapi_fast":
        variables["PYTHONPATH"] += f"{os.pathsep}{beside('uvloop')}"  # what uvicorn[standard] brings
    return variables


@contextmanager
def running(server: str, shop: Shop, *, workers: int = 1, started: list[str] | None = None) -> Iterator[Server]:
    """Run a server for the block, once it answers; its output goes to a log beside the shop.

    `started`: a command to use instead of its own, to which the port is added. Raises Unavailable if it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [*started, str(port)] if started else command(server, shop, port, workers=workers)
    variables = os.environ | environment(server, shop)
    log = shop.folder / f"{server}.log"
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(words, cwd=shop.folder, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, port, "/ping" if server == "mlflow" else "/readyz", begin, log)
            ready_seconds = time.perf_counter() - begin
            parent = psutil.Process(process.pid)
            yield Server(process, port, ready_seconds, [parent, *parent.children(recursive=True)])
        finally:
            rest = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            for child in psutil.wait_procs(rest, timeout=10)[1]:
                child.kill()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, begin: float, log: Path) -> None:
    while time.perf_counter() - begin < START_S:
        if process.poll() is not None:
            break
        try:
            line = Line(port)
            try:
                if line.ask(request(path))[0] == 200:
                    return
            finally:
                line.close()
        except OSError:
            pass
        time.sleep(0.02)
    last = (log.read_text("utf-8", "replace").strip() or "no output").splitlines()[-1]
    raise Unavailable(f"did not start: {last}")
