"""What somebody who can write to the served folder may lay there: bundles that no service may answer with."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from serving import active_model

EVIL = b"cposix\nsystem\n(S'touch {marker}'\ntR."
"""A pickle that leaves a file behind if anybody ever reads it."""


def kinds(folder: Path, marker: Path) -> Iterator[tuple[str, str]]:
    """Plants one kind after the other beside the champion's bundle; yields what it is and how a pointer would name it.

    marker: the file that shows that code of it was run.
    """
    bundles = folder / active_model.BUNDLES
    good = bundles / points_at(folder)
    yield "a flipped byte", flip(shutil.copytree(good, bundles / "f11bbedf11bb")).name
    pickled = shutil.copytree(good, bundles / "badc0ffeebad")
    (pickled / "model.pkl").write_bytes(EVIL.replace(b"{marker}", str(marker).encode()))
    yield "a pickle", pickled.name
    outside = shutil.copytree(good, folder.parents[1] / "outside")
    yield "a path that leads out", f"../../../{outside.name}"
    shutil.rmtree(outside)


def flip(bundle: Path) -> Path:
    """Change one bit of a bundle in its place; returns the bundle."""
    path = bundle / "quiet.ubj"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return bundle


def point_at(folder: Path, name: str) -> None:
    """Make a planted bundle the champion of the folder, under the number of the one that is."""
    pointer = folder / active_model.POINTER
    told = json.loads(pointer.read_text("utf-8"))
    draft = pointer.with_name("draft")
    draft.write_text(json.dumps(told | {"bundle": name}), "utf-8")
    draft.replace(pointer)


def points_at(folder: Path) -> str:
    return json.loads((folder / active_model.POINTER).read_text("utf-8"))["bundle"]
