"""What the default install brings has no published vulnerability, where the index that says so can be reached."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements.lock"
KNOWN: dict[str, str] = {}
"""Vulnerabilities that cannot reach us, by id, and why; one that is no longer found must go."""


@pytest.mark.slow
def test_the_lock_is_clean():
    command = [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--disable-pip", "--require-hashes", "-f", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout.startswith("{"):
        pytest.skip(f"the index of vulnerabilities cannot be reached: {done.stderr.strip().splitlines()[-1:]}")
    told = json.loads(done.stdout)["dependencies"]
    if all("skip_reason" in one for one in told):
        pytest.skip(f"the index of vulnerabilities cannot be reached: {told[0]['skip_reason']}")
    found = {hole["id"]: one["name"] for one in told for hole in one.get("vulns", [])}
    assert found.keys() == KNOWN.keys(), found
