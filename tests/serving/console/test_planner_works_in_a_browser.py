"""The planner in a real browser: slider, keyboard, keeping a plan, downloads, two tabs with one name."""

import json
import re

import pandas as pd
import pytest
from playwright.sync_api import expect

from pipelines import run_folder
from pipelines.plan import make_plan
from tests.serving.console.campaign_shop import STRANGE, planning_console, shop_in
from tests.serving.console.opened import TOKEN, logged_in

pytestmark = pytest.mark.slow

DONE = "This is the plan for the settings above."


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return shop_in(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def console(config):
    with planning_console(config) as one:
        yield one
    told = str(one.journal)
    assert TOKEN not in told
    assert "cmd()" not in told
    assert "error" not in {line["event"] for line in one.journal}


@pytest.fixture
def page(browser, console):
    with logged_in(browser, console) as one:
        yield one


def planned(page, budget, *, campaign):
    """The page with the plan of a budget."""
    page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/')[2]}/plan?budget={budget}&campaign={campaign}")
    expect(page.locator("#state")).to_have_text(DONE)
    return page.locator("#plan")


def figures(plan):
    names = ("chosen", "treated", "cost", "profit", "low", "high")
    return [float(plan.get_attribute(f"data-{name}")) for name in names]


def commanded(tmp_path_factory, budget, *, campaign):
    twin = shop_in(tmp_path_factory.mktemp("twin"))
    return make_plan(twin, budget=budget, capacity=None, offer_names=(), campaign=campaign, outputs=[])


def test_the_curve_stands_there_before_a_budget_is_chosen(page, console):
    page.goto(f"{console.url}/plan")
    expect(page.locator("#state")).to_have_text("Choose a budget to see a plan.")
    expect(page.locator("#curve .main-svg").first).to_be_visible()
    assert "80 % interval" in page.locator("#curve").get_attribute("aria-label")
    expect(page.locator("#keep")).to_be_hidden()


def test_the_slider_moves_the_plan_and_the_figures_are_those_of_the_command(page, tmp_path_factory):
    planned(page, 100, campaign="moving")
    slider = page.get_by_label("Budget, USD: move along the curve")
    step = float(slider.get_attribute("step"))
    slider.focus()
    with page.expect_response(lambda answer: f"budget={100 + step:g}" in answer.url):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Budget in figures")).to_have_value(f"{100 + step:g}")
    expect(page.locator("#state")).to_have_text(DONE)
    told = commanded(tmp_path_factory, 100 + step, campaign="moving").summary
    names = ("chosen", "treated", "expected_cost", "expected_profit", "profit_p10", "profit_p90")
    assert figures(page.locator("#plan")) == [told[name] for name in names]
    assert f"budget={100 + step:g}" in page.url, "the address can be kept"
    text = page.locator("#result").inner_text()
    assert f"{told['break_even_save_rate']:.1%}" in text
    assert "40 customers: on the do-not-contact list" in text
    assert "30 customers: contacted within 30 days" in text
    low, high = told["gain_doubt"]
    assert f"the interval allows for {low:.2f} to {high:.2f} times" in text


def test_a_quick_hand_gets_the_last_of_its_wishes(page):
    planned(page, 50, campaign="quick")
    field = page.get_by_label("Budget in figures")
    for budget in ("60", "70", "80", "500"):
        field.fill(budget)
        page.wait_for_timeout(120)
    expect(page.locator("#plan dl")).to_contain_text("of a budget of 500")
    expect(page.locator("#state")).to_have_text(DONE)


def test_the_list_is_that_of_the_command_page_by_page(page, tmp_path_factory):
    planned(page, 300, campaign="paged")
    frame = commanded(tmp_path_factory, 300.0, campaign="paged").frame
    rows, shown = page.locator("#list tbody tr"), []
    for begin in range(0, len(frame), 50):
        expect(page.locator("#list caption")).to_contain_text(f"Ranks {begin + 1} to")
        shown += [(row.locator("th").inner_text(), row.locator("td").nth(2).inner_text()) for row in rows.all()]
        if begin + 50 < len(frame):
            page.get_by_role("button", name="Next →").click()
    doings = frame["treated"].map({True: "contact", False: "leave alone: held out"})
    assert shown == list(zip(frame["customer_id"], doings, strict=True))
    assert STRANGE in frame["customer_id"].tolist()


def test_what_cannot_be_planned_is_said(page):
    planned(page, 300, campaign="wrong")
    for label, text, said in (
        ("Budget in figures", "much", "'much' is not a budget"),
        ("Budget in figures", "-5", "'-5' is not a budget"),
        ("Maximum contacts", "1.5", "'1.5' is not a number of contacts"),
        ("Name of the campaign", "<script>", "'<script>' is not a valid campaign name"),
    ):
        before = page.get_by_label(label).input_value()
        page.get_by_label(label).fill(text)
        expect(page.locator("#wrong")).to_contain_text(said)
        expect(page.locator("#keep")).to_be_hidden()
        page.get_by_label(label).fill(before)
        expect(page.locator("#state")).to_have_text(DONE)
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    expect(page.locator("#wrong")).to_have_text("Choose at least one offer.")


def test_a_plan_is_kept_by_keyboard_and_downloaded_with_and_without_the_held_out(page, config, tmp_path):
    planned(page, 200, campaign="kept plan")
    page.get_by_role("button", name="Keep this plan and download").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#kept-plan h2")).to_be_focused()
    files = {}
    for name in ("Full list", "Mailing list"):
        with page.expect_download() as caught:
            page.get_by_role("link", name=name).click()
        caught.value.save_as(tmp_path / name)
        files[name] = pd.read_csv(tmp_path / name, dtype={"customer_id": str})
    assert caught.value.suggested_filename == "kept-plan-mailing.csv"
    kept = run_folder.read_table(config.folder / run_folder.PLANS / "kept-plan.parquet", next="")
    safe = kept["customer_id"].replace(STRANGE, f"'{STRANGE}")
    assert files["Full list"]["customer_id"].tolist() == safe.tolist()
    assert files["Full list"]["treated"].tolist() == kept["treated"].tolist()
    assert files["Mailing list"]["customer_id"].tolist() == safe[kept["treated"]].tolist()
    lines = [json.loads(line) for line in (config.folder / "audit.jsonl").read_text().splitlines()]
    mine = [one for one in lines if one.get("campaign") == "kept plan"]
    assert [one["what"] for one in mine] == ["plan", "export", "export"]
    assert [one["who"] for one in mine] == ["default"] * 3
    assert [one.get("customers") for one in mine] == [None, len(kept), int(kept["treated"].sum())]


def test_two_tabs_with_one_name_lose_nothing(page, browser, console, config):
    planned(page, 150, campaign="twice")
    with logged_in(browser, console) as other:
        planned(other, 100, campaign="twice")
        other.get_by_role("button", name="Keep this plan").click()
        expect(other.locator("#kept-plan")).to_be_visible()
        kept = (config.folder / run_folder.PLANS / "twice.json").read_bytes()
        page.get_by_role("button", name="Keep this plan").click()
        expect(page.locator("#not-kept")).to_contain_text("the campaign 'twice' already has a plan")
        expect(page.get_by_role("button", name="Keep this plan")).to_be_focused()
    assert (config.folder / run_folder.PLANS / "twice.json").read_bytes() == kept


def test_everything_is_reached_by_keyboard_and_has_a_name(page):
    planned(page, 300, campaign="keys")
    page.locator("body").press("Tab")
    reached = []
    for _ in range(40):
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.name || ''"))
        page.keyboard.press("Tab")
    order = [reached.index(name) for name in ("offer", "slider", "budget", "capacity", "campaign")]
    assert order == sorted(order)
    assert page.evaluate("[...document.querySelectorAll('input')].filter((one) => !one.labels.length).length") == 0
    assert page.evaluate("document.querySelectorAll('table th:not([scope])').length") == 0
    assert page.locator("h1").count() == 1
    snapshot = page.locator("#planner").aria_snapshot()
    assert re.search(r"slider .*move along the curve", snapshot)


def test_without_a_token_nothing_is_planned_kept_or_downloaded(console):
    import httpx

    with httpx.Client(base_url=console.url) as stranger:
        assert stranger.get("/plan").status_code == 303
        assert stranger.get("/data/plan?offer=voucher").status_code == 401
        assert stranger.post("/data/plans", json={}).status_code == 401
        for name in ("list", "mailing"):
            assert stranger.get(f"/export/plans/twice/{name}.csv").status_code == 401


@pytest.mark.parametrize("place", ["..", "no such campaign", "=cmd()", "<script>", "a%2Fb"])
def test_lists_of_no_campaign_are_not_there(console, place):
    assert console.client.get(f"/export/plans/{place}/list.csv").status_code == 404


def test_another_site_cannot_keep_a_plan(console, config):
    asked = {"offers": ["voucher"], "budget": 10.0, "campaign": "forged", "scores": "x"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert console.client.post("/data/plans", json=asked, headers=headers).status_code == 403
    assert not (config.folder / run_folder.PLANS / "forged.json").exists()
