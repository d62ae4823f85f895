"""Each export on the page of exports is one that `init` recognises: it writes the lines that the page shows."""

import tomllib

import pytest

from features.ingest.build_histories import ingested
from features.ingest.reading import reading
from pipelines.config import load
from pipelines.init import first_config
from tests.docs.pages import blocks_of

PAGE = "docs/how-to/exports.md"
PAIRS = [
    (export, settings)
    for export, settings in zip(blocks_of(PAGE), blocks_of(PAGE)[1:], strict=False)
    if export.language == "csv"
]


@pytest.mark.parametrize(("export", "settings"), PAIRS, ids=[export.title for export, _ in PAIRS])
def test_init_writes_what_the_page_shows(export, settings, tmp_path):
    (tmp_path / export.title).write_text(export.code.partition("\n")[2])
    config = first_config(str(tmp_path / export.title), config_folder=tmp_path)
    (tmp_path / "stayworth.toml").write_text(config.text)
    assert config.question is None
    written = tomllib.loads(config.text)
    for section, tables in tomllib.loads(settings.code).items():
        assert tables["orders"].items() <= written[section]["orders"].items()
    with reading(load(tmp_path / "stayworth.toml").log, now_us=None) as opened:
        assert ingested(opened).histories.customers


def test_every_export_has_its_settings():
    assert len(PAIRS) == len(blocks_of(PAGE, "csv")) == len(blocks_of(PAGE, "toml"))
