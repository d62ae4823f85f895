"""Aliases and bundles of the registered model, in a SQLite file."""

import shutil

import pytest

from features.errors import InputError
from models.artifacts import registry


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """MLflow takes seconds to make its tables: once for all tests."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with registry.session(f"sqlite:///{path}"):
        return path


@pytest.fixture
def uri(empty, tmp_path):
    shutil.copy(empty, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def registered(uri, folder, number):
    """A new version with a bundle of its own."""
    bundle = folder / f"model-{number}" / registry.BUNDLE
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_bytes(b"manifest %d\r\n" % number)
    (bundle / "quiet.ubj").write_bytes(bytes(range(256)))
    with registry.session(uri) as client:
        return registry.register(
            client,
            source=(folder / f"model-{number}").as_uri(),
            run_id=None,
            model_id=None,
            tags={"bundle": f"hash{number}", "gate": "accepted"},
        )


def aliases(uri):
    return {one.number: one.aliases for one in registry.versions(uri)}


@pytest.fixture
def three(uri, tmp_path):
    assert [registered(uri, tmp_path, number) for number in (1, 2, 3)] == ["1", "2", "3"]
    return uri


def test_without_a_database_there_is_no_version_and_none_is_made(tmp_path):
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert registry.versions(uri) == []
    with pytest.raises(InputError, match=r"no model has the alias 'champion'\n.*stayworth train") as caught:
        registry.fetch(uri, registry.find(uri, "champion").number, tmp_path, part=registry.BUNDLE)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_an_empty_registry_has_no_version(uri):
    assert registry.versions(uri) == []


def test_a_registered_version_serves_nobody_until_promoted(three):
    assert aliases(three) == {"3": (), "2": (), "1": ()}
    newest = registry.versions(three)[0]
    assert (newest.number, newest.bundle, newest.tags) == ("3", "hash3", {"bundle": "hash3", "gate": "accepted"})


def test_promotion_keeps_the_old_champion_as_previous(three):
    registry.set_champion(three, "1")
    assert aliases(three) == {"3": (), "2": (), "1": ("champion",)}
    registry.set_champion(three, "3")
    assert aliases(three) == {"3": ("champion",), "2": (), "1": ("previous",)}


def test_promoting_previous_rolls_back(three):
    registry.set_champion(three, "1")
    registry.set_champion(three, "3")
    registry.set_champion(three, registry.find(three, "previous").number)
    assert aliases(three) == {"3": ("previous",), "2": (), "1": ("champion",)}


def test_promoting_the_champion_changes_nothing(three):
    registry.set_champion(three, "1")
    registry.set_champion(three, "2")
    registry.set_champion(three, "2")
    assert aliases(three) == {"3": (), "2": ("champion",), "1": ("previous",)}


def test_an_unknown_version_is_refused_and_the_champion_stays(three):
    registry.set_champion(three, "1")
    with pytest.raises(InputError, match="no version 9; registered: 3, 2, 1"):
        registry.set_champion(three, "9")
    assert aliases(three)["1"] == ("champion",)


def test_cut_short_the_old_champion_still_serves(three, monkeypatch):
    from mlflow import MlflowClient

    registry.set_champion(three, "1")
    real = MlflowClient.set_registered_model_alias

    def cut(self, name, alias, version):
        if alias == "champion":
            raise KeyboardInterrupt
        real(self, name, alias, version)

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", cut)
    with pytest.raises(KeyboardInterrupt):
        registry.set_champion(three, "2")
    assert registry.find(three, "champion").number == "1"


def test_a_promotion_says_of_the_version_when_and_by_whom(three):
    registry.set_champion(three, "2", tags={"promoted_by": "ann"})
    assert registry.find(three, "champion").tags == {"bundle": "hash2", "gate": "accepted", "promoted_by": "ann"}


def test_a_rollback_cut_short_has_moved_the_champion_and_forgets_nothing_it_needs(three, monkeypatch):
    from mlflow import MlflowClient

    registry.set_champion(three, "1")
    registry.set_champion(three, "2")
    real = MlflowClient.set_registered_model_alias

    def cut(self, name, alias, version):
        if alias == "previous":
            raise KeyboardInterrupt
        real(self, name, alias, version)

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", cut)
    with pytest.raises(KeyboardInterrupt):
        registry.set_champion(three, "1")
    assert registry.find(three, "champion").number == "1"


def test_a_new_database_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    def cut(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(MlflowClient, "search_registered_models", cut)
    with pytest.raises(KeyboardInterrupt), registry.session(f"sqlite:///{tmp_path / 'mlflow.db'}"):
        raise AssertionError("opened half made")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_beneath_the_registry_is_one_clear_error(three):
    with pytest.raises(InputError, match="No space left on device"), registry.session(three):
        raise OSError(28, "No space left on device")


def test_every_name_and_byte_of_a_logged_model_counts(tmp_path):
    (tmp_path / "code").mkdir()
    (tmp_path / "MLmodel").write_text("a")
    (tmp_path / "code" / "model.py").write_text("b")
    hashes = [registry.contents_hash(tmp_path)]
    (tmp_path / "code" / "__pycache__").mkdir()
    (tmp_path / "code" / "__pycache__" / "model.pyc").write_bytes(b"c")
    (tmp_path / "registered_model_meta").write_text("MLflow's own, written as it loads")
    assert registry.contents_hash(tmp_path) == hashes[0]
    (tmp_path / "MLmodel").write_text("A")
    hashes.append(registry.contents_hash(tmp_path))
    (tmp_path / "code" / "evil.py").write_text("")
    hashes.append(registry.contents_hash(tmp_path))
    (tmp_path / "code" / "evil.py").rename(tmp_path / "evil.py")
    hashes.append(registry.contents_hash(tmp_path))
    assert len(set(hashes)) == 4


def test_a_download_is_the_bundle_byte_for_byte(three, tmp_path):
    registry.set_champion(three, "2")
    target = tmp_path / "fetched"
    target.mkdir()
    bundle = registry.fetch(three, registry.find(three, "champion").number, target, part=registry.BUNDLE)
    assert target in bundle.parents
    original = tmp_path / "model-2" / registry.BUNDLE
    assert {one.name: one.read_bytes() for one in bundle.iterdir()} == {
        one.name: one.read_bytes() for one in original.iterdir()
    }


def test_nothing_is_said_and_nothing_written_elsewhere(three, tmp_path, capfd, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    registry.set_champion(three, "1")
    registry.fetch(three, registry.find(three, "champion").number, tmp_path, part=registry.BUNDLE)
    assert capfd.readouterr() == ("", "")
    assert list(elsewhere.iterdir()) == []


def test_a_file_that_is_no_database_is_an_input_error(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database\n" * 100)
    with pytest.raises(InputError, match=r"mlflow.db: .*not a database"):
        registry.versions(f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_a_server_out_of_reach_is_an_input_error_that_keeps_the_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match="refused") as caught:
        registry.versions("http://user:a-secret@127.0.0.1:9")
    assert "a-secret" not in str(caught.value)
