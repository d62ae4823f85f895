"""Build the documentation into build/docs from the pages and from the code itself; the output is not kept in git.

    index.html, how-to/, …    the pages of docs/; readme.html is the README
    commands.html, …          the reference (docs/reference.py)
    code/                     all modules, functions and classes with their docstrings, by pdoc

Run it with `make docs`, or `python docs/build.py [FOLDER]`.
"""

import html
import os
import re
import sys
import warnings
from pathlib import Path

import pdoc
import reference
from pdoc import render, render_helpers

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("features", "models", "retention", "pipelines", "serving")
REFERENCE = ("commands", "settings", "columns", "features")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Stayworth</title><style>
body {{ font: 16px/1.55 system-ui, sans-serif; color: #1b1f24; margin: 0 auto; max-width: 62rem; padding: 1rem; }}
a {{ color: #0a58a8; }} nav a {{ margin-right: 1rem; }} h1, h2, h3 {{ line-height: 1.25; }} img {{ max-width: 100%; }}
pre, code {{ font: 14px/1.45 ui-monospace, monospace; background: #f2f5f8; }}
pre {{ padding: .7rem; overflow-x: auto; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #d5dae0; }}
</style></head><body><nav aria-label="Documentation">{nav}</nav><main>{body}</main></body></html>
"""


def build(site: Path) -> None:
    """Build all pages into the folder."""
    put(site, "readme.html", with_site_links(ROOT / "README.md"))
    for page in sorted((ROOT / "docs").rglob("*.md")):
        put(site, address(page), with_site_links(page))
    for name in REFERENCE:
        put(site, f"{name}.html", getattr(reference, name)())
    render.env.filters["to_markdown"] = plain
    render.configure(docformat="markdown", show_source=False, footer_text="Stayworth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about types imported for mypy only: they are shown as written
        pdoc.pdoc(*PACKAGES, output_directory=site / "code")


def put(site: Path, name: str, markdown: str) -> None:
    """Write a page of Markdown as HTML, with links to all others."""
    title = re.search(r"^# (.*)$", markdown, flags=re.MULTILINE)
    up = "../" * name.count("/")
    links = {
        "Documentation": "index.html",
        **{page.capitalize(): f"{page}.html" for page in REFERENCE},
        "Code": "code/index.html",
    }
    nav = " ".join(f'<a href="{up}{target}">{label}</a>' for label, target in links.items())
    body = render_helpers.to_html(markdown)
    (site / name).parent.mkdir(parents=True, exist_ok=True)
    (site / name).write_text(PAGE.format(title=html.escape(title[1] if title else name), nav=nav, body=body), "utf-8")


def address(page: Path) -> str:
    """The path of a page of docs/ in the site."""
    if page == ROOT / "README.md":
        return "readme.html"
    name = page.relative_to(ROOT / "docs").with_suffix(".html")
    return str(name.with_name("index.html") if name.name == "README.html" else name)


def with_site_links(page: Path) -> str:
    """Read a page and point its links to the pages of the site, or to files of the repository."""

    def link(match: re.Match[str]) -> str:
        path, _, anchor = match[1].partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" in match[1] or not path:
            return match[0]
        if target.suffix == ".md" and (target.is_relative_to(ROOT / "docs") or target == ROOT / "README.md"):
            path = os.path.relpath(address(target), Path(address(page)).parent)
        elif target.suffix == ".py" and target.relative_to(ROOT).parts[0] in PACKAGES:
            code = Path("code", *target.relative_to(ROOT).with_suffix(".html").parts)
            path = os.path.relpath(code, Path(address(page)).parent)
        else:
            path = target.as_uri()
        return f"]({path}{'#' if anchor else ''}{anchor})"

    return re.sub(r"\]\(([^)\s]+)\)", link, page.read_text("utf-8"))


def plain(docstring: str) -> str:
    """Escape a docstring for Markdown: outside code, signs of HTML and Markdown stay text.

    >>> plain("a <kind> and `<kind>`")
    'a &lt;kind> and `<kind>`'
    """
    lines, is_example = [], False
    for line in docstring.splitlines():
        is_example = line.startswith(">>>") or (is_example and bool(line))
        lines.append(line if is_example or line.startswith("    ") else _outside_code(line))
    return "\n".join(lines)


def _outside_code(line: str) -> str:
    parts = re.split(r"(`[^`]*`)", line)
    text = [part if part.startswith("`") else part.replace("<", "&lt;").replace("*", r"\*") for part in parts]
    return re.sub(r"^(#+)", r"\\\1", "".join(text))


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    build(folder)
    print(f"Built {folder / 'index.html'}")
