"""The pages of the documentation, taken apart: blocks of code, commands, links and the headings they lead to."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    code: str

    @property
    def title(self) -> str:
        """What its first line says in a comment, "" if it is none: the file or the purpose of the block."""
        return self.code.splitlines()[0].removeprefix("# ") if self.code.startswith("# ") else ""


def pages() -> list[str]:
    """Every page, by its path from the root."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [str(page.relative_to(ROOT)) for page in found]


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks_of(page: str, language: str = "") -> list[Block]:
    """The fenced blocks of a page from top to bottom, of one language or of all."""
    text = text_of(page)
    found = [Block(page, text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in FENCE.finditer(text)]
    return [one for one in found if language in ("", one.language)]


def commands_of(block: Block) -> list[str]:
    """The commands of a block of shell, each with the lines it is continued on; comments of their own are left out."""
    lines = block.code.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip() and not line.startswith("#")]


def prose_of(page: str) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", text_of(page))


def links_of(page: str) -> list[str]:
    return [one[1] or one[2] for one in LINK.finditer(prose_of(page))]


def anchors_of(page: str) -> set[str]:
    """What a link may name behind `#`, as GitHub makes it of the headings."""
    titles = re.findall(r"^#+ (.*)$", prose_of(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
