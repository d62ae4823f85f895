"""docs/serving.md and docs/deployment.md: commands run as they stand, and answers have the form that is shown."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from pipelines.cli import app
from serving import access_log, contract, prometheus
from serving.__main__ import options
from serving.guard import access_policy
from serving.guard.guard import REFUSALS
from serving.guard.tokens import tokens_from_file
from tests.serving.running import TOKEN

ROOT = Path(__file__).parents[2]
PAGE = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in ("serving.md", "deployment.md"))
URL = "http://127.0.0.1:3000"
BLOCKS = re.findall(r"^```([a-z]+)\n(.*?)^```\n(?:\n```json\n(.*?)^```\n)?", PAGE, flags=re.MULTILINE | re.DOTALL)
OPEN_ENDED = {"added", "metrics", "summary"}
"""Maps of which an example may show a part."""


def commands(start):
    """The commands of all `sh` blocks that start with a word, each with the answer shown for its block."""
    found = []
    for language, code, answer in BLOCKS:
        lines = re.split(r"\n(?=[a-z])", code.strip()) if language == "sh" else []
        found += [(line, answer) for line in lines if line.startswith(f"{start} ")]
    return found


def programs(language):
    return [code for kind, code, _ in BLOCKS if kind == language]


def run(*words, url):
    """Standard output of a program that has the token; it must end well."""
    done = subprocess.run(words, env=os.environ | {"TOKEN": TOKEN}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (url, done.stdout, done.stderr)
    return done.stdout


def same_form(shown, said, name=""):
    """Whether an answer has the keys and the types of the example, at every depth."""
    if name.startswith("next_order_") and None in (shown, said):
        return True
    if isinstance(shown, dict):
        keys = shown.keys() <= said.keys() if name in OPEN_ENDED else shown.keys() == said.keys()
        return keys and all(same_form(shown[key], said[key], key) for key in shown)
    if isinstance(shown, list):
        return bool(shown) == bool(said) and all(same_form(*pair) for pair in zip(shown, said, strict=False))
    return isinstance(said, type(shown)) or {type(shown), type(said)} == {int, float}


@pytest.mark.parametrize(("command", "answer"), commands("curl"))
def test_a_curl_example_gets_the_answer_that_is_shown(service, command, answer):
    command = command.replace(URL, service.url).replace("curl ", "curl -sS --fail-with-body ", 1)
    said = run("bash", "-c", command, url=service.url)
    if answer:
        assert same_form(json.loads(answer), json.loads(said)), said


@pytest.mark.parametrize("code", programs("python"))
def test_a_python_example_runs(service, code):
    assert float(run(sys.executable, "-c", code.replace(URL, service.url), url=service.url)) > 0


@pytest.mark.parametrize("command", [command for command, _ in commands("stayworth")])
def test_a_stayworth_example_is_a_command_with_these_options(command):
    group = typer.main.get_command(app)
    name, *words = shlex.split(command)[1:]
    with group.make_context("stayworth", [name, *words]) as context:
        group.get_command(context, name).make_context(name, words, parent=context)


def test_a_token_is_made_and_written_down_as_it_says(tmp_path):
    [(make, _)], [(hashed, _)] = commands("python3"), commands("printf")
    token = subprocess.run(shlex.split(make), capture_output=True, text=True, check=True).stdout.strip()
    told = subprocess.run(["bash", "-c", hashed], env=os.environ | {"TOKEN": token}, capture_output=True, check=True)
    file = tmp_path / "tokens.toml"
    file.write_text(f'billing = "sha256:{told.stdout.decode().split()[0]}"\n')
    assert tokens_from_file(file).name_of(token.encode(), now_s=0) == "billing"
    [example] = programs("toml")
    file.write_text(example)
    file.chmod(0o600)
    assert set(tokens_from_file(file).digests) == set(tomllib.loads(example)) == {"billing", "nightly"}


def test_the_limits_are_those_of_the_code():
    limits = dict(re.findall(r"^\| ([a-z][^|]+?) \| ([^|]+?) \|$", PAGE.split("## Limits")[1], flags=re.MULTILINE))
    assert limits["body"] == "1 MiB, JSON, complete within 10 s"
    assert (access_policy.AccessPolicy.most_bytes, access_policy.AccessPolicy.timeout_s) == (1024 * 1024, 10)
    assert limits["customers in a request"] == f"{contract.MOST_IDS:,}; {contract.MOST_EXPLAINED} for `explain`"
    assert limits["orders, and interactions, of a customer in a request"] == f"{contract.MOST_EVENTS:,} each"
    assert limits["an amount"].startswith(f"{contract.LARGEST_AMOUNT:g}".replace("+", ""))
    assert limits["requests at once"].startswith(f"{access_policy.AccessPolicy.most_in_flight} in each process")


def test_every_status_of_the_door_is_explained():
    told = {int(one) for row in re.findall(r"^\| (\d[\d, ]+) \|", PAGE, flags=re.MULTILINE) for one in row.split(",")}
    assert {status for status, _ in REFUSALS.values()} | {200, 404, 405, 422, 503} == told


def test_every_variable_and_metric_and_event_is_named():
    variables = set(re.findall(r"`(STAYWORTH_[A-Z_]+)`", PAGE))
    code = "".join((ROOT / "serving" / name).read_text() for name in ("__main__.py", "settings.py", "fetch.py"))
    assert variables == set(re.findall(r"STAYWORTH_[A-Z_]+[A-Z]", code))
    unit = dict(re.findall(r"^Environment=([A-Z_]+)=(.*)$", PAGE, flags=re.MULTILINE))
    assert options(unit)["processes"] == 2
    for metric in (prometheus.SECONDS, prometheus.ROWS, prometheus.REFUSED):
        assert f"`{metric.describe()[0].name}" in PAGE
    events = set(re.findall(r'"event": "([a-z ]+)"', "".join(p.read_text() for p in (ROOT / "serving").rglob("*.py"))))
    prose = " ".join(PAGE.split())
    assert {one for one in events if f"`{one}`" not in prose} <= {"request"}


def test_its_other_examples_are_well_formed():
    assert len(BLOCKS) == PAGE.count("\n```") / 2 - sum(bool(answer) for _, _, answer in BLOCKS)
    [line] = [json.loads(code) for code in programs("json") if '"event"' in code]
    assert {"time", "event", *access_log.FIELDS} == set(line)
    for code in programs("yaml"):
        assert yaml.safe_load(code)
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists()
    anchors = {
        f"#{re.sub(r'[^a-z -]', '', title.lower()).replace(' ', '-')}" for title in re.findall(r"^## (.*)$", PAGE, re.M)
    }
    assert set(re.findall(r"\]\((?:deployment\.md)?(#[^)]+)\)", PAGE)) == anchors
