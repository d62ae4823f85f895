"use strict";
// The planner: requests the plan for the form's settings, one request at a time; the latest settings come next.

const form = document.querySelector("form#planner");
if (form) {
  const [slider, budget, state, wrong, result, listed, curve] =
    ["slider", "budget", "state", "wrong", "result", "listed", "curve"].map((id) => document.getElementById(id));
  const keeping = document.getElementById("keep"), notKept = document.getElementById("not-kept");
  const kept = document.getElementById("kept");
  let asking = false, next = null, waiting = 0, shown = null;

  const wish = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));

  function tell(place, text) {
    place.textContent = text;
    place.hidden = !text;
  }

  // The slider stands where the number is; what it says aloud is the number with its currency.
  function follow() {
    const amount = Number(budget.value.replaceAll(",", ""));
    slider.value = String(Number.isFinite(amount) ? amount : 0);
    slider.setAttribute("aria-valuetext", budget.value || "no budget yet");
  }

  function soon(milliseconds) {
    kept.replaceChildren();
    tell(notKept, "");
    keeping.hidden = true;
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(1), milliseconds);
  }

  async function ask(page, paged = false) {
    const query = wish();
    if (asking) { next = page; return; }
    tell(wrong, "");
    if (!query.has("offer")) { state.textContent = ""; tell(wrong, "Choose at least one offer."); return; }
    asking = true;
    state.textContent = "Computing the plan …";
    [result, listed].forEach((place) => place.setAttribute("aria-busy", "true"));
    try {
      history.replaceState(null, "", "/plan?" + query);
      put(await piece("/data/plan?" + query + "&page=" + page), query, paged);
    } catch (error) {
      [result, listed].forEach((place) => place.replaceChildren());
      shown = null;
      keeping.hidden = true;
      state.textContent = "";
      tell(wrong, error.message);
    } finally {
      asking = false;
      [result, listed].forEach((place) => place.removeAttribute("aria-busy"));
    }
    if (next !== null) { const then = next; next = null; ask(then); }
  }

  // HTML in which the server has escaped every text.
  async function piece(path, content) {
    const request = content
      ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) }
      : {};
    let answer;
    try {
      answer = await fetch(path, { ...request, credentials: "same-origin" });
    } catch {
      throw new Error("The console does not answer. Is it still running?");
    }
    if (answer.status === 401) {
      location.assign("/login?why=ended&next=" + encodeURIComponent(location.pathname + location.search));
      throw new Error("Your token is no longer valid.");
    }
    if (!answer.ok) {
      const reply = await answer.json().catch(() => ({}));
      throw new Error(reply.error || `The console answered with status ${answer.status}.`);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    return template.content;
  }

  function put(content, query, paged) {
    const about = content.querySelector(".curve-result"), picture = content.querySelector(".picture");
    const figure = JSON.parse(picture.querySelector("script").textContent);
    curve.setAttribute("role", "img");
    curve.setAttribute("aria-label", picture.getAttribute("aria-label"));
    Plotly.react(curve, figure.data, figure.layout, options);
    about.remove();
    slider.max = about.dataset.most;
    slider.step = about.dataset.step;
    slider.disabled = false;
    follow();
    listed.replaceChildren(...content.querySelectorAll("#plan-list"));
    result.replaceChildren(content);
    const plan = result.querySelector("#plan");
    shown = plan && { query, scores: plan.dataset.scores };
    keeping.hidden = !plan || plan.dataset.chosen === "0" || next !== null;
    state.textContent = plan ? "This is the plan for the settings above." : "Choose a budget to see a plan.";
    if (paged) listed.querySelector("#list-heading")?.focus();
  }

  slider.addEventListener("input", () => { budget.value = slider.value; follow(); soon(250); });
  form.addEventListener("input", (event) => {
    if (event.target === slider) return;
    if (event.target === budget) follow();
    soon(event.target.type === "checkbox" ? 0 : 500);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); soon(0); });
  listed.addEventListener("click", (event) => {
    if (event.target.dataset.page) ask(Number(event.target.dataset.page), true);
  });
  keeping.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!shown) return;
    const button = keeping.querySelector("button");
    button.disabled = true;
    tell(notKept, "");
    state.textContent = "Keeping the plan …";
    const number = (name) => shown.query.has(name) ? Number(shown.query.get(name).replaceAll(",", "")) : null;
    try {
      kept.replaceChildren(await piece("/data/plans", {
        offers: shown.query.getAll("offer"), budget: number("budget"), capacity: number("capacity"),
        campaign: shown.query.get("campaign") || "", scores: shown.scores,
      }));
      keeping.hidden = true;
      state.textContent = "The plan is kept.";
      kept.querySelector("h2").focus();
    } catch (error) {
      state.textContent = "";
      tell(notKept, error.message);
    } finally {
      button.disabled = false;
      if (!notKept.hidden) button.focus();
    }
  });
  window.addEventListener("DOMContentLoaded", () => ask(1));
}
