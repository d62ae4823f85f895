"""Several processes on one socket: all start or none, a killed one is replaced, none outlives the one that watches."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack

import httpx
import psutil
import pytest

from tests.conftest import ROOT

TOKEN = "a-token-of-this-test"
APP = "tests.serving.small_app"


class Served:
    """A running `serve` of a small application."""

    def __init__(self, folder, **options):
        options = {"port": 0, "token": TOKEN, "app": f"{APP}:app", "processes": 2} | options
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from serving.processes.launch import serve; serve(**{options})"],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.said = self.process.stdout.readline() + self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", self.said)
        self.url = found[0] if found else None

    def get(self, path):
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20)

    @property
    def workers(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    @property
    def logged(self):
        self.log.seek(0)
        return self.log.read()


@pytest.fixture
def served(tmp_path):
    running = []

    def start(**options):
        running.append(Served(tmp_path, **options))
        return running[-1]

    yield start
    for one in running:
        left = one.workers if one.process.poll() is None else []
        for process in [one.process, *left]:
            process.kill()
        one.process.communicate(timeout=20)
        one.log.close()


def until(true, seconds=20):
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_when_it_says_so_all_workers_answer_on_one_loopback_socket(served):
    one = served()
    family = [psutil.Process(one.process.pid), *one.workers]
    assert len(family) == 3
    listening = {c.laddr for p in family for c in p.net_connections("all") if c.status == psutil.CONN_LISTEN}
    assert [f"http://{address.ip}:{address.port}" for address in listening] == [one.url]
    assert not [c for p in family for c in p.net_connections("unix") if c.laddr]
    until(lambda: {int(one.get("/readyz").text) for _ in range(20)} == {p.pid for p in one.workers})
    assert one.said.count("Scores are served") == 1


def test_a_killed_worker_is_replaced_and_callers_are_answered_meanwhile(served):
    one = served()
    killed = one.workers[0]
    killed.kill()
    until(lambda: '"exit_code": -9' in one.logged)
    for _ in range(20):
        assert one.get("/readyz").status_code == 200
    until(lambda: {int(one.get("/readyz").text) for _ in range(20)} == {p.pid for p in one.workers} - {killed.pid})
    events = [json.loads(line) for line in one.logged.splitlines()]
    assert [event["exit_code"] for event in events if event["event"] == "worker replaced"] == [-9]


def held_by(one, callers):
    """How many of so many callers, who come one after the other and stay, each worker has."""
    with ExitStack() as stack:
        found = Counter()
        for _ in range(callers):
            client = stack.enter_context(httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20))
            found[int(client.get(f"{one.url}/readyz").text)] += 1
        return found


@pytest.mark.slow
def test_callers_who_stay_are_shared_out_evenly(served):
    one = served()
    for _ in range(3):
        held = held_by(one, 20)
        assert sorted(held) == sorted(worker.pid for worker in one.workers)
        assert max(held.values()) - min(held.values()) <= 2, held


def test_a_worker_that_hangs_keeps_callers_from_nobody_else(served):
    one = served()
    hanging, other = one.workers
    hanging.suspend()
    assert held_by(one, 10) == {other.pid: 10}
    hanging.resume()


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_of_them_after_the_last_answer(served, tmp_path, processes, with_signal):
    one = served(processes=processes)
    family = one.workers
    answers = []
    asking = threading.Thread(target=lambda: answers.append(one.get("/slow").status_code))
    asking.start()
    time.sleep(0.7)
    began = time.monotonic()
    one.process.send_signal(with_signal)
    assert one.process.wait(20) == 0
    assert time.monotonic() - began < 10
    asking.join(20)
    assert answers == [200]
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert "Traceback" not in one.logged
    assert list(tmp_path.glob("stayworth-*")) == [], "the folder of their metrics goes with them"


@pytest.mark.slow
def test_workers_end_when_the_one_that_watches_is_killed(served):
    one = served()
    family = one.workers
    assert len(family) == 2
    one.process.kill()
    assert psutil.wait_procs(family, timeout=15)[1] == []
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", int(one.url.rpartition(":")[2])))


@pytest.mark.parametrize("processes", [1, 2])
def test_what_cannot_start_says_why_and_leaves_nothing_behind(served, processes):
    one = served(app=f"{APP}:failing", processes=processes)
    assert one.process.wait(20) != 0
    assert one.url is None
    assert "these scores are torn" in one.logged
