"""The console in a real browser: logging in and out, filters, pages, downloads, keyboard alone, phones, no scores."""

import re
import time
from hashlib import sha256

import pandas as pd
import pytest

from serving.console.pages import customer_address
from tests.serving.console.conftest import HOSTILE
from tests.serving.console.opened import TOKEN, logged_in, opened, watched

pytestmark = pytest.mark.slow

PLACES = ["/", "/?segment=VIP&churn_from=x", "/customers/nobody", "/nowhere"]


def test_who_logs_in_sees_the_list_and_who_logs_out_does_not(browser, console):
    with watched(browser) as page:
        page.goto(f"{console.url}/?segment=VIP")
        assert page.url == f"{console.url}/login?next=%2F%3Fsegment%3DVIP"
        page.get_by_label("Token").fill("a wrong token")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").filter(has_text="token is not valid").wait_for()
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{console.url}/?segment=VIP")
        assert page.evaluate("document.cookie") == "", "no script can read the token"
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url(f"{console.url}/login")
        page.goto(console.url)
        assert "/login" in page.url


def test_the_printed_link_logs_in_and_leaves_no_token_in_the_address(browser, shop, tmp_path):
    with opened(tmp_path, scores=shop.folder / "scores.store", model=shop.folder / "bundle", token=None) as one:
        asked = []
        with watched(browser) as page:
            page.on("request", lambda request: asked.append(request.url))
            page.goto(one.said.split()[-1])
            page.wait_for_url(f"{one.url}/")
            page.get_by_role("heading", name="Customers at risk").wait_for()
            page.go_back()
            assert "token" not in page.url
    assert not any("token" in url.partition("#")[0] for url in asked)


def test_a_token_taken_back_leads_to_the_log_in_and_back(browser, shop, tmp_path):
    file = tmp_path / "tokens.toml"

    def known(token: str) -> None:
        file.write_text(f'ann = "sha256:{sha256(token.encode()).hexdigest()}"\n')

    known("the-first-token-16")
    folder = shop.folder
    with (
        opened(tmp_path, scores=folder / "scores.store", model=folder / "bundle", token=None, tokens=file) as one,
        logged_in(browser, one, token="the-first-token-16") as page,
    ):
        page.goto(f"{one.url}/?sort=clv")
        known("the-second-token-16")
        time.sleep(1.2)
        page.get_by_role("link", name="Next →").click()
        page.get_by_text("Your token is no longer valid.").wait_for()
        page.get_by_label("Token").fill("the-second-token-16")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{one.url}/?sort=clv&page=2")


def test_filters_stand_in_the_address_and_the_back_button_works(page, shop):
    page.get_by_label("Segment").select_option("VIP")
    page.get_by_label("from", exact=True).fill("20")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("segment=VIP"))
    count = int(((shop.scores["segment"] == "VIP") & (shop.scores["churn_probability"] >= 0.2)).sum())
    assert page.locator("#totals").get_attribute("data-customers") == str(count)
    page.get_by_role("link", name="CLV", exact=True).click()
    assert "sort=clv" in page.url
    assert "segment=VIP" in page.url
    assert page.locator("th[aria-sort=descending]").inner_text() == "CLV ↓"
    page.get_by_role("link", name="CLV ↓").click()
    assert page.locator("th[aria-sort=ascending]").inner_text() == "CLV ↑"
    page.go_back()
    page.go_back()
    assert page.get_by_label("Segment").input_value() == "VIP"
    assert page.get_by_label("from", exact=True).input_value() == "20"


def test_pages_of_the_list_follow_each_other(page, shop):
    seen = page.locator("#customers tbody th").all_inner_texts()
    page.get_by_role("link", name="Next →").click()
    seen += page.locator("#customers tbody th").all_inner_texts()
    risk = shop.scores["gain"]
    order = shop.scores.assign(risk=risk).sort_values("risk", ascending=False, kind="stable")["customer_id"]
    assert seen == [one.replace("\u202e", "\\u202e") for one in order.head(100)]
    page.get_by_role("link", name="← Previous").click()
    assert page.locator("#customers tbody th").count() == 50


@pytest.mark.parametrize("kind", ["CSV for a spreadsheet", "Parquet"])
def test_an_export_is_a_download(page, console, shop, kind, tmp_path):
    page.goto(f"{console.url}/?segment=VIP")
    with page.expect_download() as held:
        page.get_by_role("link", name=kind).click()
    path = tmp_path / held.value.suggested_filename
    held.value.save_as(path)
    frame = pd.read_csv(path, dtype={"customer_id": "str"}) if path.suffix == ".csv" else pd.read_parquet(path)
    assert len(frame) == (shop.scores["segment"] == "VIP").sum()


def test_a_customer_is_searched_for_opened_and_asked_what_if(page, shop):
    counts = shop.orders["customer_id"].value_counts()
    someone = counts[counts > 4].index.sort_values()[0]
    page.get_by_label("Customer id or its first characters").fill(someone)
    page.keyboard.press("Enter")
    page.get_by_text("There is a customer with exactly this id").get_by_role("link").click()
    page.get_by_role("heading", name=f"Customer {someone}").wait_for()
    page.locator("#events").wait_for()
    page.locator("#adds-churn .main-svg").first.wait_for()
    page.locator("#in-all .main-svg").first.wait_for()
    assert page.locator("#events tbody tr").count() == len(
        shop.orders[shop.orders["customer_id"] == someone]["ordered_at"].unique()
    )
    page.get_by_label("Amount of an order").fill("no amount")
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("alert").filter(has_text="is not the amount").wait_for()
    page.get_by_label("Amount of an order").fill("100")
    page.keyboard.press("Enter")
    page.locator("#compared").wait_for()
    assert page.locator("#answer").get_by_text("instead of").is_visible()


def test_a_hostile_id_is_text_everywhere(page, console):
    asked = []
    page.on("dialog", lambda dialog: asked.append(dialog.message) or dialog.dismiss())
    seen = HOSTILE.replace("\u202e", "\\u202e")
    page.get_by_label("Customer id or its first characters").fill(HOSTILE)
    page.keyboard.press("Enter")
    page.locator("#customers").get_by_role("link", name=seen, exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == f"Customer {seen}"
    page.locator("#events").wait_for()
    page.goto(console.url + customer_address(HOSTILE + "?"))
    assert page.locator("main code").inner_text() == seen + "?"
    page.goto(f"{console.url}/?segment=<script>alert(1)</script>&reason=</select><script>alert(2)</script>&sort=<b>")
    page.goto(f"{console.url}/<script>alert(3)</script>")
    assert asked == []


def test_the_keyboard_alone_reaches_filter_list_and_pager(page, console):
    page.goto(console.url)
    reached = []
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()"))
        if reached[-1] == "Next →":
            break
    assert reached[0] == "Skip to the content"
    for name in ("At risk", "id", "segment", "reason", "churn_from", "churn_to", "least_clv", "sort", "Show"):
        assert name in reached, name
    first = page.locator("#customers tbody th a").first.inner_text()
    assert reached.index("segment") < reached.index("Show") < reached.index(first) < reached.index("Next →")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "whoever has no mouse sees where they are"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("page=2"))


def places(shop) -> list[str]:
    return [*PLACES, customer_address(shop.scores["customer_id"].iloc[0]), customer_address(HOSTILE)]


BASICS = """() => {
  const wrong = [];
  const own = (one) => one.labels?.length || one.getAttribute("aria-label");
  if (!document.documentElement.lang) wrong.push("no lang");
  if (!document.title.trim() || document.title.startsWith(" ·")) wrong.push("no title");
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  document.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((one) => {
    if (!own(one)) wrong.push("no label: " + one.outerHTML);
  });
  document.querySelectorAll("th").forEach((one) => { if (!one.scope) wrong.push("no scope: " + one.outerHTML); });
  document.querySelectorAll("table").forEach((one) => {
    if (!one.caption?.innerText.trim()) wrong.push("no caption");
  });
  document.querySelectorAll("a, button").forEach((one) => {
    if (!one.innerText.trim()) wrong.push("no name: " + one.outerHTML);
  });
  document.querySelectorAll("img, [role=img]").forEach((one) => {
    if (!(one.alt || one.getAttribute("aria-label"))) wrong.push("no words: " + one.outerHTML);
  });
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id twice");
  document.querySelectorAll("[aria-describedby]").forEach((one) => {
    if (!document.getElementById(one.getAttribute("aria-describedby"))) wrong.push("described by nothing");
  });
  const part = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const color = part(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  document.querySelectorAll("main *, header *, footer *").forEach((one) => {
    const said = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!said || one.closest("svg, script, option, .skip") || !one.getClientRects().length) return;
    const [a, b] = [light(part(getComputedStyle(one).color)), light(ground(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${one.outerHTML.slice(0, 100)}`);
  });
  return wrong;
}"""


def test_every_page_can_be_read_by_those_who_do_not_see_it_well(browser, page, console, shop):
    with watched(browser) as stranger:
        stranger.goto(f"{console.url}/login?why=ended")
        assert stranger.evaluate(BASICS) == []
    for place in places(shop):
        page.goto(console.url + place)
        if "/customers/" in place and "nobody" not in place:
            page.locator("#events").wait_for()
            page.get_by_label("Amount of an order").fill("10")
            page.keyboard.press("Enter")
            page.locator("#compared").wait_for()
        assert page.evaluate(BASICS) == [], place


def test_the_basics_see_what_is_wrong(browser):
    with watched(browser) as page:
        page.set_content("<main><input><table><tr><th>a</table><p style='color:#aaa'>pale</p><a href=x></a></main>")
        found = str(page.evaluate(BASICS))
    for fault in ("no lang", "no title", "no label", "no scope", "no caption", "no name", "contrast"):
        assert fault in found


def test_pages_fit_a_phone(browser, console, shop):
    with logged_in(browser, console, viewport={"width": 390, "height": 844}) as page:
        for place in places(shop):
            page.goto(console.url + place)
            if "/customers/" in place and "nobody" not in place:
                page.locator("#in-all .main-svg").first.wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
            for one in page.locator("#customers, #events").all():
                assert one.evaluate("table => table.offsetWidth <= table.parentElement.clientWidth"), place


def test_without_scores_each_page_says_which_command_makes_them(browser, shop, tmp_path):
    with opened(tmp_path, scores=tmp_path / "scores.store", model=tmp_path / "served") as one:
        with logged_in(browser, one) as page:
            for place in ("/", "/customers/7"):
                page.goto(one.url + place)
                assert page.get_by_role("heading", level=1).inner_text() == "There are no scores yet"
                assert page.get_by_text("stayworth score --as-of DAY").is_visible()
        answer = one.client.get("/export/customers.csv")
        assert answer.status_code == 503
        (tmp_path / "scores.store").write_bytes((shop.folder / "scores.store").read_bytes())
        for _ in range(50):
            if "Customers at risk" in one.client.get("/").text:
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the batch that came was not seen")


def test_without_a_model_or_a_log_a_page_says_what_it_cannot_show(shop, tmp_path):
    with opened(tmp_path, scores=shop.folder / "scores.store", model=tmp_path / "none") as one:
        answer = one.client.get(customer_address(shop.scores["customer_id"].iloc[0]))
        assert answer.status_code == 200
        assert "no model yet" in answer.text
        assert "does not know where the order log is" in answer.text
        answer = one.client.get("/data/history?id=7")
        assert answer.status_code == 503
        assert "does not know where the order log is" in answer.json()["error"]
