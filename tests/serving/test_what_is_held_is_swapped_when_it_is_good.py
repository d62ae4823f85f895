"""A new champion or a new batch is noticed, checked and swapped in; a bad one is told once and the last good serves."""

import json
import threading
import time
from pathlib import Path
from types import MappingProxyType

import pytest

from features.errors import InputError
from models.artifacts import bundle, registry
from serving import active_model, hot_reload
from serving.hot_reload import HotReload, refreshing

TRAINING = {"as_of": "1998-04-02", "horizon_days": 90, "seed": 7, "params": {}}


def text_of(path: Path) -> str:
    content = path.read_text()
    if content == "bad":
        raise InputError("is bad", where=str(path))
    return content


@pytest.fixture
def place(tmp_path):
    return tmp_path / "content"


@pytest.fixture
def told():
    return []


@pytest.fixture
def one(place, told):
    return HotReload("content", place, text_of, log_event=told.append)


def put(place, content):
    draft = place.with_name("draft")
    draft.write_text(content)
    draft.replace(place)


def test_nothing_is_held_before_there_is_something(one, place, told):
    one.refresh()
    assert (one.current, told) == (None, [])
    put(place, "first")
    one.refresh()
    assert one.current == "first"


def test_a_bad_one_is_told_once_and_the_last_good_serves(one, place, told):
    put(place, "good")
    one.refresh()
    put(place, "bad")
    one.refresh()
    one.refresh()
    assert one.current == "good"
    assert [said["event"] for said in told] == ["content loaded", "content refused"]
    assert told[1]["serving"] is True
    put(place, "better")
    one.refresh()
    assert one.current == "better"


def test_what_nobody_foresaw_is_passed_over_too(place, told):
    one = HotReload("content", place, json.loads, log_event=told.append)  # a path is no JSON: TypeError
    put(place, "anything")
    one.refresh()
    assert one.current is None
    assert told == [{"event": "content refused", "why": "cannot be read (TypeError)", "serving": False}]


def test_one_there_was_no_room_to_open_is_tried_again_and_told_once(one, place, told, monkeypatch):
    put(place, "good")
    with monkeypatch.context() as full:
        full.setattr(Path, "read_text", lambda _: (_ for _ in ()).throw(OSError("too many open files")))
        for _ in range(hot_reload.RETRY_AFTER_REFRESHES):
            one.refresh()
    assert one.current is None
    one.refresh()
    assert one.current == "good"
    assert [said["event"] for said in told] == ["content refused", "content loaded"]


def test_a_file_that_vanishes_takes_nothing_away(one, place):
    put(place, "good")
    one.refresh()
    place.unlink()
    one.refresh()
    assert one.current == "good"


def test_changes_are_noticed_beside_the_requests(one, place, monkeypatch):
    monkeypatch.setattr(hot_reload, "REFRESH_INTERVAL_S", 0.01)
    before = threading.active_count()
    with refreshing([one]):
        put(place, "first")
        deadline = time.monotonic() + 10
        while one.current is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert one.current == "first"
    assert threading.active_count() == before


@pytest.fixture
def bundled(model, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    bundle.write(folder, model, training=TRAINING)
    return folder


@pytest.fixture
def registered(monkeypatch, bundled):
    """A registry whose champion is the version of the dictionary, and its bundle."""
    version = {"number": "1"}

    def find(uri, alias):
        assert (uri, alias) == ("sqlite:///x", "champion")
        tags = {"headline": json.dumps({"roc_auc": 0.8})}
        return registry.Version(version["number"], ("champion",), "", None, MappingProxyType(tags))

    monkeypatch.setattr(registry, "find", find)
    monkeypatch.setattr(registry, "fetch", lambda *_, **__: bundled)
    return version


def test_the_champion_is_brought_once_and_answers(registered, tmp_path):
    folder = tmp_path / "served"
    assert active_model.fetch_champion("sqlite:///x", folder)
    assert not active_model.fetch_champion("sqlite:///x", folder)
    loaded = active_model.load(active_model.pointer_file(folder))
    assert (loaded.registered, loaded.metrics, loaded.as_of.isoformat()) == ("1", {"roc_auc": 0.8}, "1998-04-02")
    registered["number"] = "2"
    assert active_model.fetch_champion("sqlite:///x", folder)
    assert active_model.load(active_model.pointer_file(folder)).registered == "2"


@pytest.mark.usefixtures("registered")
def test_a_bundle_that_went_missing_is_brought_again(tmp_path):
    folder = tmp_path / "served"
    active_model.fetch_champion("sqlite:///x", folder)
    for path in sorted((folder / "bundles").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    assert active_model.fetch_champion("sqlite:///x", folder)
    active_model.load(active_model.pointer_file(folder))


def test_a_bundle_by_itself_answers_too(bundled):
    assert active_model.load(active_model.pointer_file(bundled)).registered is None


@pytest.mark.usefixtures("registered")
def test_a_changed_byte_is_refused_and_nothing_of_it_is_brought(bundled, tmp_path):
    content = bytearray((bundled / "quiet.ubj").read_bytes())
    content[100] ^= 1
    (bundled / "quiet.ubj").write_bytes(content)
    folder = tmp_path / "served"
    with pytest.raises(InputError, match=r"quiet\.ubj does not match its hash"):
        active_model.fetch_champion("sqlite:///x", folder)
    assert not (folder / active_model.POINTER).exists()


@pytest.mark.parametrize("name", ["../../etc", "a" * 11, "A" * 12, "/abcdefabcde", ""])
def test_a_pointer_leads_to_no_other_folder(tmp_path, name):
    (tmp_path / active_model.POINTER).write_text(json.dumps({"bundle": name}))
    with pytest.raises(InputError, match="does not name a champion"):
        active_model.load(active_model.pointer_file(tmp_path))


def test_old_bundles_go_but_the_one_before(registered, bundled, model, tmp_path):
    folder = tmp_path / "served"
    for number in range(4):
        registered["number"] = str(number)
        for path in bundled.iterdir():
            path.unlink()
        bundle.write(bundled, model, training=TRAINING | {"seed": number})
        active_model.fetch_champion("sqlite:///x", folder)
    assert len(list((folder / "bundles").iterdir())) == 2
    active_model.load(active_model.pointer_file(folder))
