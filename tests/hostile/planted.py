"""What somebody who can write to the served folder may lay there: bundles that no service may answer with."""

import json
import shutil
from pathlib import Path

from serving import champion

EVIL = b"cposix\nsystem\n(S'touch {marker}'\ntR."
"""A pickle that leaves a file behind if anybody ever reads it."""


def kinds(folder: Path, marker: Path) -> dict[str, str]:
    """Plants each kind beside the champion's bundle in `folder`; returns the name that a pointer would give."""
    bundles = folder / champion.BUNDLES
    name = json.loads((folder / champion.POINTER).read_text("utf-8"))["bundle"]
    flipped = shutil.copytree(bundles / name, bundles / "f11bbedf11bb")
    content = bytearray((flipped / "quiet.ubj").read_bytes())
    content[len(content) // 2] ^= 1
    (flipped / "quiet.ubj").write_bytes(content)
    pickled = shutil.copytree(bundles / name, bundles / "badc0ffeebad")
    (pickled / "model.pkl").write_bytes(EVIL.replace(b"{marker}", str(marker).encode()))
    shutil.copytree(bundles / name, folder.parent / "outside")
    return {
        "a flipped byte": flipped.name,
        "a pickle": pickled.name,
        "a path that leads out": "../../outside",
    }


def point_at(folder: Path, name: str) -> None:
    """Make a planted bundle the champion of the folder, under the number of the one that is."""
    pointer = folder / champion.POINTER
    told = json.loads(pointer.read_text("utf-8"))
    draft = pointer.with_name("draft")
    draft.write_text(json.dumps(told | {"bundle": name}), "utf-8")
    draft.replace(pointer)


def points_at(folder: Path) -> str:
    return json.loads((folder / champion.POINTER).read_text("utf-8"))["bundle"]
