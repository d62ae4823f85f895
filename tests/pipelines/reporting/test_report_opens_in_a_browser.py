"""The report in a real browser: it opens offline, draws every picture, fits a phone, and prints whole."""

import pytest

from tests.pipelines.made_up_page import page as written

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(written(customers_named=5), "utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, report):
    """The page as it opens at a width, without a network; what went wrong in it is collected."""
    contexts = []

    def at(width):
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.trouble = []
        page.on("console", lambda message: page.trouble.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("requestfailed", lambda request: page.trouble.append(request.url))
        page.goto(report)
        return page

    yield at
    for context in contexts:
        context.close()


def test_pictures_are_drawn_as_they_come_into_view(opened):
    page = opened(1200)
    pictures = page.locator(".picture")
    assert pictures.count() == 12
    for place in range(pictures.count()):
        pictures.nth(place).scroll_into_view_if_needed()
        pictures.nth(place).locator("svg.main-svg").first.wait_for()
    assert page.trouble == []


def test_a_picture_says_its_figures_under_the_mouse(opened):
    page = opened(1200)
    curve = page.locator("#profit-curve")
    curve.scroll_into_view_if_needed()
    curve.locator("svg.main-svg").first.wait_for()
    box = curve.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    curve.locator(".hoverlayer text").first.wait_for()
    assert "USD" in curve.locator(".hoverlayer").text_content()


def test_it_fits_a_phone(opened):
    page = opened(390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_contents_lead_to_their_place_by_keyboard(opened):
    page = opened(1200)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "#first":
            break
    page.keyboard.press("Enter")
    assert page.url.endswith("#first")
    assert page.locator("#first").bounding_box()["y"] < 900


def test_print_holds_every_picture_and_opens_what_is_folded(opened):
    page = opened(1200)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".picture svg.main-svg").count() >= 12
    assert page.locator("details:not([open])").count() == 0
    pdf = page.pdf()
    assert pdf[:5] == b"%PDF-"
    assert len(pdf) > 100_000
    assert page.trouble == []
