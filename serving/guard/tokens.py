"""Who may ask: named tokens, known by their SHA-256 only, and read again while the service runs.

A tokens file is TOML, a line for each caller; to revoke a token, delete its line:

    billing = "sha256:9f86d081884c7d65..."      printf %s "$TOKEN" | sha256sum
    nightly = "the token itself"                only in a file that nobody else may read (chmod 600)

A good token: python -c "import secrets; print(secrets.token_urlsafe(32))"
"""

import os
import re
import stat
import tomllib
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from features.errors import InputError
from serving import access_log

MIN_TOKEN_LENGTH = 16
"""Characters of a token."""
MOST_BYTES = 1024 * 1024
"""Of a tokens file."""
REREAD_INTERVAL_S = 1.0
"""Seconds between two looks at the file."""


class Tokens:
    """The callers by the digest of their token.

    With a `path`, they follow that file: a change counts from the first request a second later. A file that cannot be
    used changes nothing, and the journal says so; a file without a token lets in nobody.
    """

    def __init__(self, digests: dict[str, bytes], path: Path | None = None) -> None:
        self.digests = digests
        self.path = path
        self.seen = _state(path) if path else None
        self.looked_s = float("-inf")

    def name_of(self, token: bytes, *, now_s: float) -> str | None:
        """Whose token it is, or None. All of them are compared, each in constant time; `now_s` is a steady clock's."""
        if self.path and now_s - self.looked_s >= REREAD_INTERVAL_S:
            self.looked_s = now_s
            self._look(self.path)
        digest, found = sha256(token).digest(), None
        for name, known in self.digests.items():
            if compare_digest(digest, known):
                found = name
        return found

    def _look(self, path: Path) -> None:
        seen = _state(path)
        if seen == self.seen:
            return
        self.seen = seen
        try:
            digests = _read(path)
        except InputError as error:
            access_log.write_event({"event": "tokens kept", "why": error.what, "tokens": len(self.digests)})
            return
        before, self.digests = self.digests, digests
        access_log.write_event(
            {
                "event": "tokens changed",
                "added": sorted(digests.keys() - before.keys()),
                "revoked": sorted(before.keys() - digests.keys()),
                "replaced": sorted(name for name in digests.keys() & before.keys() if digests[name] != before[name]),
            }
        )


def single_token(token: str) -> Tokens:
    """The only token, of a caller named `default`."""
    if not re.fullmatch(r"[!-~]+", token):
        raise InputError(
            "the token cannot be sent in a header",
            where="STAYWORTH_TOKEN",
            next="Use printable ASCII characters without spaces.",
        )
    return Tokens({"default": _digest(token)})


def tokens_from_file(path: Path) -> Tokens:
    """The tokens of a file, which is followed from now on."""
    # A change between the two looks at the file is seen at the first request.
    tokens = Tokens({}, path)
    tokens.digests = _read(path)
    if not tokens.digests:
        raise InputError("there is no token in it", where=str(path), next='Add a line: name = "sha256:..."')
    return tokens


def _read(path: Path) -> dict[str, bytes]:
    """Digest by name; no message shows a token."""
    where = str(path)
    try:
        with path.open("rb") as file:
            mode, content = os.fstat(file.fileno()).st_mode, file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the tokens cannot be read ({error.strerror})", where=where, next="Check the path after --tokens."
        ) from error
    try:
        lines = tomllib.loads(content.decode()) if len(content) <= MOST_BYTES else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        place = re.search(r"at (line \d+|end of document)", str(error))
        raise InputError(
            f"this is no TOML ({place[0] if place else type(error).__name__})",
            where=where,
            next='A line is: name = "sha256:..."',
        ) from error
    if len(content) > MOST_BYTES:
        raise InputError(f"the file is larger than {MOST_BYTES:,} bytes", where=where, next="Is this the right file?")

    if mode & stat.S_IWOTH:
        raise InputError(
            "everybody on this machine may write into it, and so let in whom they like",
            where=where,
            next=f"Take that right away: chmod 600 {where}",
        )
    digests: dict[str, bytes] = {}
    for name, value in lines.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", name):
            raise InputError(
                f"{name[:70]!r} is no name for a token",
                where=where,
                next="Use up to 64 letters, digits and _ . @ - in the name.",
            )
        digest = _of_line(value, name=name, where=where, private=not mode & (stat.S_IRWXG | stat.S_IRWXO))
        for other, known in digests.items():
            if known == digest:
                raise InputError(f"{other} and {name} have one token", where=where, next="Give each its own.")
        digests[name] = digest
    return digests


def _of_line(value: object, *, name: str, where: str, private: bool) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"the token of {name} is no text", where=where, next=f'Write {name} = "sha256:..."')
    if value.startswith("sha256:"):
        if not re.fullmatch(r"sha256:[0-9a-fA-F]{64}", value):
            raise InputError(
                f"the SHA-256 of {name} is not 64 hexadecimal digits",
                where=where,
                next='Make it with: printf %s "$TOKEN" | sha256sum',
            )
        return bytes.fromhex(value.removeprefix("sha256:"))
    if not re.fullmatch(rf"[!-~]{{{MIN_TOKEN_LENGTH},}}", value):
        raise InputError(
            f"the token of {name} is too short, or cannot be sent in a header",
            where=where,
            next=f"Use at least {MIN_TOKEN_LENGTH} printable ASCII characters without spaces.",
        )
    if not private:
        raise InputError(
            f"the token of {name} stands in a file that others may read",
            where=where,
            next=f"Take their right away (chmod 600 {where}), or write the token as sha256:...",
        )
    return _digest(value)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _state(path: Path) -> tuple[int, ...] | None:
    """What is another after a change of the file; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
