"""CHECKS 20 and 22 for promotion: a full disk, a failing registry, a changed file: the old champion serves on.

Two versions lie in a registry, the first is champion; each test breaks something and promotes the second.
"""

import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import InputError
from models.artifacts import registry
from models.artifacts.registered_model import load_champion
from pipelines import promotion, registry_audit
from pipelines.cli import main
from pipelines.config import load
from tests.registered import registered
from tests.shops import config_of

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
ACCEPTED = {"accepted": True, "reasons": [], "warnings": []}
EVIL = """
import pathlib
pathlib.Path({marker!r}).touch()
"""


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory, model, taught, cdnow_path):
    """A shop's folder, copied for each test; what MLflow logged lies beside it and is restored after each."""
    home = tmp_path_factory.mktemp("shop")
    (home / "stayworth.toml").write_text(config_of(cdnow_path))
    config = load(home / "stayworth.toml")
    for number in (1, 2):
        registered(config, home / f"bundle-{number}", model, taught[0], seed=number, made_at=NOW)
    promotion.promote(config, "1", now=NOW, why="passed the gate")
    return home


@pytest.fixture
def shop(two_versions):
    """The config; afterwards everything is as it was."""
    saved = two_versions.with_name("saved")
    shutil.copytree(two_versions, saved)
    yield load(two_versions / "stayworth.toml")
    for path in two_versions.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    shutil.copytree(saved, two_versions, dirs_exist_ok=True)  # the database in its place: MLflow keeps it open
    shutil.rmtree(saved)


def logged(shop, number):
    """The folder of a logged model."""
    with registry.session(shop.tracking_uri) as client:
        return Path(client.get_model_version_download_uri("stayworth", number).removeprefix("file://"))


def lines(shop):
    return [json.loads(line) for line in (shop.folder / registry_audit.FILE).read_text().splitlines()]


def stands(shop, *, with_lines=1):
    """The first version serves, byte for byte, and the audit log is whole."""
    (holder,) = [one for one in registry.versions(shop.tracking_uri) if "champion" in one.aliases]
    assert holder.number == "1"
    assert load_champion(shop.tracking_uri).scorer.version == holder.bundle
    assert len(lines(shop)) == with_lines


def test_nothing_broken_the_second_version_is_promoted(shop):
    assert promotion.promote(shop, "2", now=NOW, why="by hand") == {
        "champion": "2",
        "bundle": registry.numbered(shop.tracking_uri, "2").bundle,
        "before": "1",
        "changed": True,
    }
    assert [one["version"] for one in lines(shop)] == ["1", "2"]
    assert lines(shop)[1]["at"] == "2026-03-01T09:00:00+00:00"


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_no_room_for_the_audit_line_no_change(shop, monkeypatch, call):
    real = os.write

    def full(descriptor, *data):
        if data and len(data[0]) > 20:
            return real(descriptor, data[0][:20])  # the room that is left
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(registry_audit.os, call, full)
    with pytest.raises(InputError, match="cannot be written: No space left on device") as caught:
        promotion.promote(shop, "2", now=NOW, why="by hand")
    monkeypatch.undo()
    assert "No model changes without its audit line" in caught.value.next
    stands(shop)


def test_a_folder_that_cannot_be_written_no_change(shop):
    if os.getuid():
        shop.folder.chmod(0o500)
        (shop.folder / registry_audit.FILE).chmod(0o400)
        with pytest.raises(InputError, match="Permission denied"):
            promotion.promote(shop, "2", now=NOW, why="by hand")
    else:  # whom permissions do not stop
        (shop.folder / registry_audit.FILE).rename(shop.folder / "kept")
        (shop.folder / registry_audit.FILE).mkdir()
        with pytest.raises(InputError, match="Is a directory"):
            promotion.promote(shop, "2", now=NOW, why="by hand")
        (shop.folder / registry_audit.FILE).rmdir()
        (shop.folder / "kept").rename(shop.folder / registry_audit.FILE)
    stands(shop)


def test_a_registry_that_fails_after_the_audit_line_gets_a_second_line(shop, monkeypatch):
    def lost(*_: object, **__: object) -> None:
        raise InputError("MLflow says: connection lost")

    monkeypatch.setattr(registry, "set_champion", lost)
    with pytest.raises(InputError, match="connection lost"):
        promotion.promote(shop, "2", now=NOW, why="by hand")
    stands(shop, with_lines=3)
    assert lines(shop)[2]["failed"] == "MLflow says: connection lost"


@pytest.mark.parametrize("command", [["models", "promote", "2"], ["models", "rollback"], ["models", "list"], ["train"]])
def test_a_registry_out_of_reach_is_one_message_and_exit_code_2(shop, monkeypatch, capsys, command):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    config = shop.home / "stayworth.toml"
    config.write_text(config.read_text() + '[tracking]\nuri = "http://ann:a-secret@127.0.0.1:9"\n')
    monkeypatch.setattr(sys, "argv", ["stayworth", *command, "-c", str(config)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    told = capsys.readouterr()
    assert told.err.startswith("stayworth: http://…@127.0.0.1:9: MLflow says:")
    assert "a-secret" not in told.err + told.out
    stands(shop)


def test_a_line_that_a_crash_cut_short_does_not_swallow_the_next(shop):
    with (shop.folder / registry_audit.FILE).open("a") as file:
        file.write('{"at": "2026-03-')
    promotion.promote(shop, "2", now=NOW, why="by hand")
    first, torn, last = (shop.folder / registry_audit.FILE).read_text().splitlines()
    assert json.loads(first)["version"] == "1"
    assert torn == '{"at": "2026-03-'
    assert json.loads(last)["version"] == "2"


def test_a_changed_byte_in_the_registry_no_change(shop):
    path = logged(shop, "2") / registry.BUNDLE / "quiet.ubj"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match=r"quiet\.ubj does not match its hash"):
        promotion.promote(shop, "2", now=NOW, why="by hand")
    stands(shop)


def test_another_whole_bundle_in_its_place_no_change(shop):
    """It is signed, but it is not the one that was registered."""
    target = logged(shop, "2") / registry.BUNDLE
    shutil.rmtree(target)
    shutil.copytree(logged(shop, "1") / registry.BUNDLE, target)
    with pytest.raises(InputError, match=r"version 2: its bundle is \w{12}, and \w{12} was registered"):
        promotion.promote(shop, "2", now=NOW, why="by hand")
    stands(shop)


@pytest.mark.parametrize("attack", ["pickle", "loader", "code", "pickle in the bundle"])
def test_code_brought_by_a_model_is_refused_and_never_run(shop, attack, tmp_path):
    folder, marker = logged(shop, "2"), tmp_path / "was here"
    code = EVIL.format(marker=str(marker))
    if attack == "pickle":
        (folder / "python_model.pkl").write_bytes(f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode())
    elif attack == "pickle in the bundle":
        (folder / registry.BUNDLE / "model.pkl").write_bytes(f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode())
    elif attack == "loader":
        (folder / "code" / "evil.py").write_text(code)
        text = (folder / "MLmodel").read_text()
        assert "loader_module: mlflow.pyfunc.loaders.code_model" in text
        (folder / "MLmodel").write_text(
            text.replace("loader_module: mlflow.pyfunc.loaders.code_model", "loader_module: evil")
        )
    else:
        with (folder / "code" / "models" / "__init__.py").open("a") as file:
            file.write(code)
    with pytest.raises(InputError, match=r"holds files that no bundle has|files were changed or added"):
        promotion.promote(shop, "2", now=NOW, why="by hand")
    stands(shop)
    assert not marker.exists()


def test_scoring_runs_nothing_that_lies_beside_the_champions_bundle(shop, tmp_path):
    folder, marker = logged(shop, "1"), tmp_path / "was here"
    (folder / "python_model.pkl").write_bytes(f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode())
    for path in (folder / "code" / "models").rglob("*.py"):
        path.write_text(EVIL.format(marker=str(marker)))
    assert load_champion(shop.tracking_uri).scorer.version == registry.find(shop.tracking_uri, "champion").bundle
    assert not marker.exists()
