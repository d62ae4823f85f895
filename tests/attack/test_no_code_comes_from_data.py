"""CHECKS 22 and 23 of the service: from bundle to answer nothing is unpickled and nobody outside is called.

What would bring code along, a pickle in a request or a file beside a bundle, is refused and never run.
"""

import hashlib
import json
import pickle
import shutil
from pathlib import Path
from types import MappingProxyType

import pytest

from features.errors import InputError
from models.artifacts import bundle, registry
from serving import active_model
from tests.serving.running import running
from tests.serving.served import asked_of

WATCHED = """
import ipaddress, os, pickle, sys
watched = os.open({path!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def watch(event, details):
    if event == "pickle.find_class":
        frame = sys._getframe(1)
        while frame is not None:
            if "/numba/" in frame.f_code.co_filename:
                return  # its cache of compiled code, in our own folder, is pickles: the stated exemption
            frame = frame.f_back
    elif event == "socket.connect":
        address = details[1]
        if isinstance(address, tuple) and ipaddress.ip_address(address[0]).is_loopback:
            return
    elif event not in ("socket.getaddrinfo", "os.system", "subprocess.Popen"):
        return
    os.write(watched, (event + " " + repr(details) + "\\n").encode())

sys.addaudithook(watch)
"""
CANARY = """
pickle.loads(pickle.dumps(len))
"""


class Touch:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_from_bundle_to_answers_nothing_is_unpickled_and_nobody_outside_is_called(batch, tmp_path):
    seen, folder = tmp_path / "seen", tmp_path / "served"
    shutil.copytree(batch.folder, folder)
    ids = batch.scores["customer_id"].head(5).tolist()
    with running(folder, tmp_path, log=tmp_path / "log", first=WATCHED.format(path=str(seen)) + CANARY) as one:
        for path, body in (
            ("/v1/score", {"customer_ids": ids}),
            ("/v1/explain", {"customer_ids": ids}),
            ("/v1/plan", {"budget": 100}),
            ("/v1/score_histories", asked_of(batch, ids)),
        ):
            assert one.client.post(path, json=body).status_code == 200
        for path in ("/v1/model", "/metrics", "/docs.json", "/readyz"):
            assert one.client.get(path).status_code == 200
        assert one.client.get("/readyz", headers={"Authorization": ""}).status_code == 401
    found = seen.read_text().splitlines()
    assert found[0] == "pickle.find_class ('builtins', 'len')", "the watch itself works"
    assert found[1:] == []


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain", "/v1/plan", "/v1/score_histories"])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/vnd.bentoml+pickle", 415),
        ("application/vnd.bentoml.pickle", 415),
        ("application/octet-stream", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("", 415),
        ("application/json, application/vnd.bentoml+pickle", 415),
        ("application/json; x=application/vnd.bentoml+pickle", 400),
        ("application/json", 400),
    ],
)
def test_a_pickle_is_refused_under_any_name_and_never_loaded(service, tmp_path, path, kind, status):
    marker = tmp_path / "was here"
    headers = {"Content-Type": kind, "Payload-Container": "NdarrayContainer", "Payload-Meta": '{"format": "pickle5"}'}
    answer = service.client.post(path, content=pickle.dumps(Touch(marker)), headers=headers)
    assert answer.status_code == status
    assert not marker.exists()
    pickle.loads(pickle.dumps(Touch(marker)))  # noqa: S301
    assert marker.exists(), "loaded, it would have left its mark"


@pytest.fixture
def fetched(monkeypatch, batch, tmp_path):
    """The bundle that the registry hands out, whatever lies in it."""
    place = tmp_path / "fetched"
    shutil.copytree(batch.folder / "bundle", place)
    version = registry.Version("1", ("champion",), "", None, MappingProxyType({"headline": json.dumps({})}))
    monkeypatch.setattr(registry, "find", lambda *_: version)
    monkeypatch.setattr(registry, "fetch", lambda *_, **__: place)
    return place


def test_a_bundle_that_is_one_is_brought(fetched, tmp_path):
    assert active_model.fetch_champion("sqlite:///x", tmp_path / "served")
    assert active_model.load(active_model.pointer_file(tmp_path / "served")).hash == bundle.signed_manifest(fetched)[1]


@pytest.mark.parametrize("name", ["code/evil.py", "MLmodel", "model.pkl", "quiet.py", ".hidden", "__pycache__/a.pyc"])
def test_a_bundle_with_a_file_that_none_has_is_refused(fetched, tmp_path, name):
    marker = tmp_path / "was here"
    (fetched / name).parent.mkdir(exist_ok=True)
    (fetched / name).write_bytes(pickle.dumps(Touch(marker)))
    with pytest.raises(InputError, match="holds files that no bundle has"):
        active_model.fetch_champion("sqlite:///x", tmp_path / "served")
    assert not marker.exists()
    assert not (tmp_path / "served" / active_model.POINTER).exists()


def sign(folder, name, **file):
    """Make the manifest say this of a file, and its hash say that of the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = file
    text = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sha256").write_text(hashlib.sha256(text).hexdigest() + "\n")


def test_a_signed_pickle_in_the_place_of_trees_is_refused(fetched, tmp_path):
    """Whoever can sign a bundle still brings no code: trees are parsed as UBJSON alone."""
    marker = tmp_path / "was here"
    content = pickle.dumps(Touch(marker))
    (fetched / "quiet.ubj").write_bytes(content)
    sign(fetched, "quiet.ubj", sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    with pytest.raises(InputError, match=r"the installed libraries cannot use the bundle \(XGBoostError\)\n"):
        active_model.fetch_champion("sqlite:///x", tmp_path / "served")
    assert not marker.exists()


@pytest.mark.parametrize("content", [pickle.dumps(len), b"[]", b""])
@pytest.mark.parametrize("name", ["quiet.ubj", "model.json"])
def test_one_planted_where_it_is_served_from_is_refused_and_replaced(fetched, tmp_path, name, content):
    served = tmp_path / "served"
    active_model.fetch_champion("sqlite:///x", served)
    [planted] = (served / "bundles").iterdir()
    (planted / name).write_bytes(content)
    sign(planted, name, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    with pytest.raises(InputError, match=r"the installed libraries cannot use the bundle|contains no trees"):
        active_model.load(active_model.pointer_file(served))
    assert active_model.fetch_champion("sqlite:///x", served)
    assert active_model.load(active_model.pointer_file(served)).hash == bundle.signed_manifest(fetched)[1]


def test_a_manifest_that_names_a_file_elsewhere_is_refused(fetched, tmp_path):
    sign(fetched, "../../secret", sha256="0" * 64, bytes=1)
    with pytest.raises(InputError, match="is not a bundle of format"):
        active_model.fetch_champion("sqlite:///x", tmp_path / "served")


def test_a_bundle_of_links_is_refused(fetched, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    (fetched / "quiet.ubj").unlink()
    (fetched / "quiet.ubj").symlink_to(secret)
    with pytest.raises(InputError, match="is a link"):
        active_model.fetch_champion("sqlite:///x", tmp_path / "served")
