"""The door's settings, and how they reach the processes that serve: by environment, as words."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from serving.guard import tokens
from serving.guard.tokens import Tokens


@dataclass(frozen=True)
class AccessPolicy:
    """Who is let in, under which of our names, with how much, how many at once, for how long.

    `hosts` are names beside the loopback ones; `most_in_flight` counts in each worker.
    """

    tokens: Tokens
    hosts: frozenset[str] = frozenset()
    most_bytes: int = 1024 * 1024
    most_in_flight: int = 64
    timeout_s: float = 10.0


def policy_from_environment(environment: Mapping[str, str]) -> AccessPolicy:
    """The door that `serving/processes/launch.py` described there."""
    most = environment.get("STAYWORTH_MOST_IN_FLIGHT", "")
    if file := environment.get("STAYWORTH_TOKENS"):
        known = tokens.tokens_from_file(Path(file))
    else:
        known = tokens.single_token(environment.get("STAYWORTH_TOKEN", ""))
    return AccessPolicy(
        tokens=known,
        hosts=host_names(environment.get("STAYWORTH_HOSTS", "").split(",")),
        most_in_flight=int(most) if most else AccessPolicy.most_in_flight,
    )


def host_names(names: Iterable[str]) -> frozenset[str]:
    """As a caller's Host header is compared with them: lower case, no final dot; empty ones are left out.

    >>> sorted(host_names(["Scores.Example.", "[::1]", ""]))
    ['[::1]', 'scores.example']
    """
    found = [name.strip().lower().removesuffix(".") for name in names if name.strip()]
    for name in found:
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", name):
            raise InputError(
                f"{name[:100]!r} is no host name",
                where="--hosts",
                next="Name each host as callers write it, without scheme, port or *: --hosts scores.example,10.0.0.5",
            )
    return frozenset(found)
