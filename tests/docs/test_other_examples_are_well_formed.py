"""What cannot be run here is checked as far as it can be: crontab, systemd units, the DAG, the makefile, settings."""

import ast
import configparser
import re
import shlex
import shutil
import subprocess
import tomllib

import numpy as np
import pytest
import typer

from features.ingest import schema
from features.kernel.slices import Orders
from pipelines.cli import app
from pipelines.config import Config
from tests.docs.exempt import ELSEWHERE
from tests.docs.pages import ROOT, blocks_of, pages, text_of
from tests.docs.walking import SETTINGS

OURS = [page for page in pages() if page not in ELSEWHERE and not page.startswith("docs/decisions/")]
BLOCKS = [block for page in OURS for block in blocks_of(page)]
KNOWN = {"sh", "bash", "toml", "python", "text", "ini", "crontab", "make", "mermaid", "csv", ""}
"""Languages that are run or checked; `csv` by test_exports_are_read_as_the_page_says.py; `text` and "" are drawings,
`mermaid` belongs to tests/test_house.py."""
UNIT_KEYS = {
    "Unit": {"Description", "After"},
    "Service": {"Type", "User", "Environment", "ExecStart", "SuccessExitStatus", "TimeoutStartSec", "Nice"},
    "Timer": {"OnCalendar", "Persistent", "RandomizedDelaySec"},
    "Install": {"WantedBy"},
}
"""The keys of systemd.unit(5), systemd.service(5) and systemd.timer(5) that our units use."""
TERMS = {"currency": "EUR", "gross_margin": 0.4, "annual_discount_rate": 0.1, "lifetime_days": 1095}
LEAST = {"data": {"orders": "orders.csv"}, "time": {"horizon_days": 90}, "money": TERMS}
"""The least that a config says."""


def titled(title):
    [block] = [one for one in BLOCKS if one.title == title]
    return block


def of(language):
    return [pytest.param(one, id=f"{one.page}:{one.line}") for one in BLOCKS if one.language == language]


def parsed(command):
    """Raises where a command of ours has an option or an argument that it does not take."""
    name, *words = command[1:]
    group = typer.main.get_command(app)
    with group.make_context("stayworth", [name, *words]) as context:
        group.get_command(context, name).make_context(name, words, parent=context)


def ours_in(text):
    """The commands of ours in a text of shell, each as its words; what a template or a variable would give is a day."""
    text = re.sub(r"\{\{.*?\}\}|\$\(\w+\)|\$\{?\w+\}?|\$@", "2025-01-01", text.replace("\\\n", " "))
    found = []
    for line in text.splitlines():
        words = shlex.shlex(line.partition(" #")[0], posix=True, punctuation_chars=True)
        words.commenters = ""
        words.whitespace_split = True
        command = []
        for word in [*words, ";"]:
            if set(word) <= set("();<>|&"):
                at = next((place for place, one in enumerate(command) if one.endswith("stayworth")), None)
                found += [command[at:]] if at is not None and "=" not in command[at] else []
                command = []
            else:
                command.append(word)
    return found


def shell_of(block):
    """What of a block a shell would read."""
    if block.language == "python":
        tree = ast.walk(ast.parse(block.code))
        return "\n".join(node.value for node in tree if isinstance(node, ast.Constant) and "--" in str(node.value))
    if block.language == "crontab":
        return "\n".join(line.split(None, 5)[5] for line in block.code.splitlines() if line[:1].isdigit())
    return block.code if block.language in ("sh", "bash", "make") else ""


def test_every_block_is_of_a_kind_that_is_checked():
    assert {block.language for block in BLOCKS} <= KNOWN


@pytest.mark.parametrize("page", OURS)
def test_every_command_of_ours_takes_these_options(page):
    for block in blocks_of(page):
        for words in ours_in(shell_of(block)):
            parsed(words)


@pytest.mark.parametrize("block", of("toml"))
def test_settings_are_known(block):
    assert block.title in (SETTINGS, "for example")
    given = tomllib.loads(block.code)
    Config(
        **(
            LEAST
            | {name: LEAST.get(name, {}) | part if isinstance(part, dict) else part for name, part in given.items()}
        )
    )


@pytest.mark.parametrize("block", of("python"))
def test_python_compiles(block):
    ast.parse(block.code)


@pytest.mark.parametrize("block", of("bash"))
def test_scripts_are_scripts(block):
    assert subprocess.run(["bash", "-n"], input=block.code, text=True, check=False).returncode == 0


def test_the_feature_that_is_shown_computes_what_it_says():
    [block] = blocks_of("docs/how-to/add-a-feature.md", "python")
    made = {}
    exec(block.code, made)  # it is our own page
    share = made["last_order_share"]
    [feature] = share.features
    assert feature.meaning == "of all spending in the last order"
    history = Orders(**({name: np.empty(0) for name in Orders._fields} | {"amount_cents": np.array([300, 100])}))
    assert share(history) == 0.25
    assert np.isnan(share(history._replace(amount_cents=np.array([0]))))


def test_lines_of_the_crontab_are_times_and_commands():
    [block] = [one for one in BLOCKS if one.language == "crontab"]
    ranges = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    lines = [line for line in block.code.splitlines() if not line.startswith("#")]
    times = [line for line in lines if not re.match(r"^[A-Z]+=", line)]
    assert len(times) == 2
    for line in times:
        *fields, _ = line.split(None, 5)
        for field, (low, high) in zip(fields, ranges, strict=True):
            assert field == "*" or low <= int(field) <= high, line
        assert "%" not in line, "cron ends a command at %"


@pytest.mark.parametrize("block", of("ini"))
def test_units_have_keys_that_systemd_knows(block):
    unit = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    unit.optionxform = str
    unit.read_string(block.code)
    assert all(set(unit[section]) <= UNIT_KEYS[section] for section in unit.sections())
    if "Timer" in unit and shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", unit["Timer"]["OnCalendar"]], check=True, capture_output=True)


def test_the_timer_and_the_service_belong_together():
    script = titled("nightly.sh")
    assert titled("stayworth-nightly.service").code.count(script.title) == 1
    assert titled("stayworth-nightly.timer")


def test_the_dag_is_the_nightly_run():
    tree = ast.parse(titled("stayworth_nightly.py").code)
    told = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [one.split()[1] for one in told if one.startswith("stayworth ")] == ["check", "score", "monitor", "score"]


def test_make_understands_the_makefile(tmp_path):
    (tmp_path / "Makefile").write_text(titled("nightly.mk").code)
    dry = subprocess.run(
        ["make", "--no-print-directory", "-n", "nightly", "DAY=2025-01-01"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert dry.stdout.splitlines()[0] == "stayworth score --as-of 2025-01-01 -o runs/scores-2025-01-01.parquet"


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_column_is_on_the_page_of_tables(table):
    section = text_of("docs/how-to/your-own-data.md").split(f"**`{table}`**")[1].split("\n**`")[0].split("\n## ")[0]
    told = {}
    for first in re.findall(r"^\| ([^|]+) \|", section, flags=re.MULTILINE)[1:]:
        told |= {one.strip("* "): "**" in one for one in first.split(",")}
    told.pop("---", None)
    assert told == {name: column.required for name, column in schema.TABLES[table].items()}


def test_commands_are_found_wherever_they_stand():
    assert ours_in('cd "$1" && stayworth check --json > x.json; A=1 stayworth score --as-of "$day" || exit') == [
        ["stayworth", "check", "--json"],
        ["stayworth", "score", "--as-of", "2025-01-01"],
    ]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 110
