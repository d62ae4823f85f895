"""`python -m serving` takes from its environment what `serve` takes, and says which variable cannot be used."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from features.errors import InputError
from serving.__main__ import options
from serving.processes.launch import serve

LEAST = {"STAYWORTH_SCORES": "scores.store"}


def test_it_starts_as_serve_starts_by_itself():
    given = options(LEAST)
    defaults = {name: one.default for name, one in inspect.signature(serve).parameters.items()}
    assert given.pop("port") == 3000
    assert given.pop("token") is None
    assert given.pop("hosts") == [""]
    assert given == {name: defaults[name] for name in given}


def test_every_option_has_its_variable():
    settings = {
        "TOKENS": "tokens.toml",
        "HOST": "0.0.0.0",
        "HOSTS": "scores.example,10.0.0.5",
        "PORT": "80",
        "WORKERS": "4",
        "MOST_IN_FLIGHT": "8",
        "TLS_CERT": "cert.pem",
        "TLS_KEY": "key.pem",
        "TOKEN": "",
    }
    assert options(LEAST | {f"STAYWORTH_{name}": value for name, value in settings.items()}) == {
        "port": 80,
        "token": None,
        "tokens_file": Path("tokens.toml"),
        "host": "0.0.0.0",
        "hosts": ["scores.example", "10.0.0.5"],
        "tls_cert": Path("cert.pem"),
        "tls_key": Path("key.pem"),
        "processes": 4,
        "most_in_flight": 8,
    }


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, r"STAYWORTH_SCORES, STAYWORTH_MODEL: there is nothing to serve"),
        ({"STAYWORTH_MODEL": ""}, r"nothing to serve"),
        (LEAST | {"STAYWORTH_PORT": "65536"}, r"STAYWORTH_PORT: '65536' is not a whole number from 0 to 65,535"),
        (LEAST | {"STAYWORTH_PORT": "-1"}, r"STAYWORTH_PORT: '-1'"),
        (LEAST | {"STAYWORTH_PORT": "tcp://10.0.0.1:3000"}, r"enableServiceLinks: false"),
        (LEAST | {"STAYWORTH_WORKERS": "0"}, r"STAYWORTH_WORKERS: '0' is not a whole number from 1 to 64"),
        (LEAST | {"STAYWORTH_WORKERS": "two"}, r"STAYWORTH_WORKERS: 'two'.*\n.*Leave it unset for 1"),
        (LEAST | {"STAYWORTH_MOST_IN_FLIGHT": "٣"}, r"STAYWORTH_MOST_IN_FLIGHT: '٣'"),
    ],
)
def test_what_cannot_be_used_is_named(environment, says):
    with pytest.raises(InputError, match=says):
        options(environment)


def test_it_ends_with_one_message():
    done = subprocess.run(
        [sys.executable, "-m", "serving"],
        env=os.environ | LEAST | {"STAYWORTH_HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("stayworth: --host: 0.0.0.0 can be reached from other machines")
