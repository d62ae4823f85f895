"""What `make docs` builds names every command, option, setting, column and feature, and its links lead somewhere."""

import re
import subprocess
import sys

import pytest
import typer

from features.families import catalogue
from features.ingest import schema
from pipelines.batches.staged_scores import SCHEMA
from pipelines.cli import app
from pipelines.config import Config
from pipelines.shop_files.read_settings import ReadTable
from retention.economics.offers import Offer
from tests.docs.pages import ROOT


@pytest.fixture
def reference(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import reference

    return reference


def test_every_command_and_option_is_there(reference):
    text = reference.commands()

    def look(group, name):
        for one, command in group.commands.items():
            if hasattr(command, "commands"):
                look(command, f"{name} {one}")
                continue
            section = text.split(f"## {name} {one}\n")[1].split("\n## ")[0]
            for option in command.params:
                assert all(way in section for way in option.opts if way.startswith("-")), (one, option.opts)

    look(typer.main.get_command(app), "stayworth")


def test_every_setting_is_there_with_its_default(reference):
    text = reference.settings()
    for section, field in Config.model_fields.items():
        part = {"offers": Offer, "read": ReadTable}.get(section, field.annotation)
        told = text.split("[read.orders]" if section == "read" else f"[{section}]")[1].split("\n## ")[0]
        for name, one in part.model_fields.items():
            [row] = [line for line in told.splitlines() if line.startswith(f"| `{name}` |")]
            assert one.is_required() == (" required " in row)
    assert "| `trials` | integer, at least 1, at most 10,000 | `30` |" in text


def test_every_column_and_feature_is_there_and_says_what_it_is(reference):
    text = reference.columns()
    for name in {*SCHEMA.names, *reference.LISTED, *(one for ours in schema.TABLES.values() for one in ours)}:
        assert f"`{name}`" in text
    numbered = {"reason_2", "reason_3"}
    assert {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")
    } <= numbered
    features = reference.features()
    assert all(f"`{one['name']}`" in features for one in catalogue.list_features())


def test_a_bar_and_a_tag_in_a_text_stay_text(reference, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    import build

    assert reference.table(("a",), [("x | y",)]).endswith("| x &#124; y |\n\n")
    assert "<script>" not in build.render_helpers.to_html(build.plain("a <script>alert(1)</script> tag"))


@pytest.mark.slow
def test_the_whole_site_is_built_and_its_links_lead_somewhere(tmp_path):
    build = [sys.executable, str(ROOT / "docs" / "build.py"), str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "code" / "features" / "families" / "recency.html").exists()
    pages = [page for page in tmp_path.rglob("*.html") if "code" not in page.parts]
    assert {"index.html", "readme.html", "commands.html"} <= {page.name for page in pages}
    for page in pages:
        for link in re.findall(r'href="([^"#:]+)[#"]', page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.relative_to(tmp_path)}: {link}"
