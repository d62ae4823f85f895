"""Every link of the documentation leads to a file that is there, and to a heading that it has."""

import pytest

from tests.docs.pages import ROOT, anchors_of, links_of, pages


@pytest.mark.parametrize("page", pages())
def test_links_lead_to_files_and_headings(page):
    for link in links_of(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors_of(str(target.resolve().relative_to(ROOT))), f"{page}: {link}"


def test_every_page_is_reached_from_the_map():
    reached, ahead = set(), ["docs/README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = [
            ((ROOT / page).parent / one.partition("#")[0]).resolve() for one in links_of(page) if "://" not in one
        ]
        inside = [str(one.relative_to(ROOT)) for one in targets if one.suffix == ".md" and one.is_relative_to(ROOT)]
        ahead += [one for one in inside if one not in reached]
    decisions = {page for page in pages() if page.startswith("docs/decisions/")}
    assert set(pages()) - reached - decisions == set()
