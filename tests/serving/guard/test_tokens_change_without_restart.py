"""Named tokens: given, revoked and replaced while the service runs; a bad file changes nothing and is told."""

import os
from hashlib import sha256

import pytest

from features.errors import InputError
from serving import access_log
from serving.guard import tokens

BILLING, NIGHTLY = "billing-token-0123456789", "nightly-token-0123456789"


def line(name, token):
    return f'{name} = "sha256:{sha256(token.encode()).hexdigest()}"\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tokens.toml"
    path.write_text(line("billing", BILLING) + line("nightly", NIGHTLY))
    return path


@pytest.fixture
def told(monkeypatch):
    events = []
    monkeypatch.setattr(access_log, "write_event", events.append)
    return events


def test_each_token_has_its_name(file):
    known = tokens.tokens_from_file(file)
    assert known.name_of(BILLING.encode(), now_s=0) == "billing"
    assert known.name_of(NIGHTLY.encode(), now_s=0) == "nightly"
    assert tokens.single_token(BILLING).name_of(BILLING.encode(), now_s=0) == "default"


@pytest.mark.parametrize(
    "token", [b"", BILLING[:-1].encode(), BILLING.encode() + b"x", b"billing", sha256(BILLING.encode()).digest()]
)
def test_nothing_else_is_a_token(file, token):
    assert tokens.tokens_from_file(file).name_of(token, now_s=0) is None


def test_the_stored_digest_is_no_token(file):
    digest = sha256(BILLING.encode()).hexdigest()
    known = tokens.tokens_from_file(file)
    assert known.name_of(digest.encode(), now_s=0) is None
    assert known.name_of(f"sha256:{digest}".encode(), now_s=0) is None


def test_a_revoked_token_is_refused_within_a_second(file, told):
    known = tokens.tokens_from_file(file)
    assert known.name_of(BILLING.encode(), now_s=0.0) == "billing"
    file.write_text(line("nightly", NIGHTLY))
    assert known.name_of(BILLING.encode(), now_s=1.0) is None
    assert known.name_of(NIGHTLY.encode(), now_s=1.0) == "nightly"
    assert told == [{"event": "tokens changed", "added": [], "revoked": ["billing"], "replaced": []}]


def test_a_file_put_in_its_place_counts_too(file, told):
    known = tokens.tokens_from_file(file)
    assert known.name_of(BILLING.encode(), now_s=0.0) == "billing"
    new = file.with_suffix(".new")
    new.write_text(line("billing", "another-token-0123456789") + line("web", BILLING))
    os.replace(new, file)
    assert known.name_of(BILLING.encode(), now_s=1.0) == "web"
    assert told == [{"event": "tokens changed", "added": ["web"], "revoked": ["nightly"], "replaced": ["billing"]}]


def test_the_file_is_looked_at_once_a_second(file, monkeypatch):
    known = tokens.tokens_from_file(file)
    looks = []
    monkeypatch.setattr(tokens, "_state", lambda path: looks.append(path))
    monkeypatch.setattr(access_log, "write_event", lambda _: None)
    for tenth in range(25):
        known.name_of(b"x", now_s=100 + tenth / 10)
    assert len(looks) == 3


@pytest.mark.parametrize("broken", ["billing = ", "billing = 7", "\x00", 'billing = "short"', "a = 'sha256:12'", None])
def test_a_broken_file_changes_nothing_and_is_told_once(file, told, broken):
    known = tokens.tokens_from_file(file)
    known.name_of(b"x", now_s=0.0)
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken)
    for second in (1.0, 2.0, 3.0):
        assert known.name_of(BILLING.encode(), now_s=second) == "billing"
    [event] = told
    assert (event["event"], event["tokens"]) == ("tokens kept", 2)
    file.write_text(line("nightly", NIGHTLY))
    assert known.name_of(BILLING.encode(), now_s=4.0) is None


@pytest.mark.parametrize("content", ["", "# nobody\n"])
def test_a_file_without_a_token_lets_in_nobody(file, told, content):
    known = tokens.tokens_from_file(file)
    known.name_of(b"x", now_s=0.0)
    file.write_text(content)
    assert known.name_of(BILLING.encode(), now_s=1.0) is None
    assert told[0]["revoked"] == ["billing", "nightly"]


def test_plain_tokens_stand_in_a_private_file_only(tmp_path, told):
    path = tmp_path / "tokens.toml"
    path.write_text(f'billing = "{BILLING}"\n')
    path.chmod(0o640)
    with pytest.raises(InputError, match=r"others may read\n.*chmod 600"):
        tokens.tokens_from_file(path)
    path.chmod(0o600)
    known = tokens.tokens_from_file(path)
    assert known.name_of(BILLING.encode(), now_s=0.0) == "billing"
    path.chmod(0o644)
    assert known.name_of(BILLING.encode(), now_s=1.0) == "billing"
    assert told[0]["event"] == "tokens kept"


def test_a_file_into_which_everybody_may_write_is_refused(tmp_path):
    path = tmp_path / "tokens.toml"
    path.write_text(line("billing", BILLING))
    path.chmod(0o646)
    with pytest.raises(InputError, match=r"every user .* may write to the file.*\n.*chmod 600"):
        tokens.tokens_from_file(path)
    path.chmod(0o644)
    assert tokens.tokens_from_file(path).name_of(BILLING.encode(), now_s=0.0) == "billing"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "holds no token"),
        ("nonsense", "not TOML .*end of document"),
        ("a = 1\n\nb 2", "not TOML .*line 3"),
        ("a = 1\na = 2", "not TOML"),
        ("[a]\nb = 'c'", "token of a is not text"),
        ('a = "short"', "token of a is too short"),
        ('a = "with spaces in the token"', "token of a is too short, or cannot"),
        ('a = "sha256:0123"', "64 hexadecimal"),
        ('"a b" = "x"', "not a name"),
        ('"' + "a" * 65 + '" = "x"', "not a name"),
        (line("a", BILLING) + line("b", BILLING), "a and b have the same token"),
        ("# " + "x" * 1024 * 1024, "larger than"),
        ("a = " + "[" * 100_000, "not TOML"),
    ],
)
def test_an_unusable_file_is_refused_by_what_is_wrong(tmp_path, content, says):
    path = tmp_path / "tokens.toml"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match=says) as caught:
        tokens.tokens_from_file(path)
    assert str(path) in str(caught.value)


def test_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"No such file.*\n.*--tokens"):
        tokens.tokens_from_file(tmp_path / "tokens.toml")


@pytest.mark.parametrize("token", ["", "a b", "tökén", "line\nbreak"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token):
    with pytest.raises(InputError, match="STAYWORTH_TOKEN") as caught:
        tokens.single_token(token)
    assert not token or token not in str(caught.value)
