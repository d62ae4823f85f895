"""A bundle comes back as it was, or not at all; the same data, seed and lock give the same hash."""

import json

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.artifacts import bundle
from models.scoring import batch_scores
from pipelines.training.training_set import fit_model
from tests.registered import RECIPE

TRAINING = {"as_of": "1998-04-02"}


@pytest.fixture
def folder(model, tmp_path):
    bundle.write(tmp_path, model, training=TRAINING)
    return tmp_path


@pytest.fixture(scope="module")
def unsaved(taught):
    """The same model again, as it was made."""
    lesson, terms, _ = taught
    return fit_model(lesson, terms, RECIPE)


def test_scores_are_the_same_before_and_after(unsaved, taught, tmp_path):
    _, _, test = taught
    bundle.write(tmp_path, unsaved, training=TRAINING)
    back = bundle.read(tmp_path)
    pd.testing.assert_frame_equal(
        batch_scores.score(back, test).drop(columns="model_version"),
        batch_scores.score(unsaved, test).drop(columns="model_version"),
    )
    assert (tmp_path / "manifest.sha256").read_text().startswith(back.version)


def test_the_same_lesson_gives_the_same_hash(unsaved, folder, tmp_path):
    (tmp_path / "again").mkdir()
    second = bundle.write(tmp_path / "again", unsaved, training=TRAINING)
    assert second == (folder / "manifest.sha256").read_text().strip()


def test_a_thousand_flipped_bytes_are_found_before_anything_is_parsed(folder, monkeypatch):
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("parsed before the hashes were checked")

    monkeypatch.setattr(bundle.boosting, "from_ubj", parsed)
    files = sorted(folder.iterdir())
    sizes = np.array([path.stat().st_size for path in files])
    rng = np.random.default_rng(8)
    for number in range(1000):
        path = files[number % len(files)]
        place = int(rng.integers(sizes[number % len(files)]))
        good = path.read_bytes()
        flipped = bytearray(good)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(flipped))
        with pytest.raises(InputError):
            bundle.read(folder)
        path.write_bytes(good)


def test_missing_linked_and_foreign_files_are_refused(folder):
    elsewhere = folder.with_name("elsewhere.ubj")
    (folder / "quiet.ubj").rename(elsewhere)
    with pytest.raises(InputError, match=r"quiet\.ubj: cannot be read"):
        bundle.read(folder)
    (folder / "quiet.ubj").symlink_to(elsewhere)
    with pytest.raises(InputError, match="is a link"):
        bundle.read(folder)
    elsewhere.unlink()


@pytest.mark.parametrize("name", ["python_model.pkl", "MLmodel", "code"])
def test_what_no_bundle_has_is_refused_before_anything_is_parsed(folder, name, monkeypatch):
    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("parsed beside a foreign file")

    monkeypatch.setattr(bundle.boosting, "from_ubj", parsed)
    if name == "code":
        (folder / name).mkdir()
    else:
        (folder / name).write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match=rf"holds files that no bundle has \(1\): {name}"):
        bundle.read(folder)


def test_the_manifest_says_what_it_was_made_of(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    keeping = {"keeping_savable.ubj", "keeping_gain.ubj"}
    assert set(manifest["files"]) == {"quiet.ubj", "orders.ubj", "margin.ubj", "model.json", *keeping}
    assert manifest["training"] == {"as_of": "1998-04-02"}
    assert manifest["schema_hash"] == bundle.schema_hash(manifest["features"])
    assert manifest["schema_hash"] != bundle.schema_hash(manifest["features"][::-1])


def test_no_file_of_a_bundle_is_a_pickle(folder):
    assert {path.suffix for path in folder.iterdir()} == {".ubj", ".json", ".sha256"}
    for path in folder.iterdir():
        assert not path.read_bytes().startswith(b"\x80")
