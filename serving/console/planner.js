"use strict";
// The planner: asks for the plan of what the form says, one answer at a time, the latest wish next.

const form = document.querySelector("form#planner");
if (form) {
  const [slider, budget, state, wrong, told, listed, curve] =
    ["slider", "budget", "state", "wrong", "told", "listed", "curve"].map((id) => document.getElementById(id));
  const keeping = document.getElementById("keep"), notKept = document.getElementById("not-kept");
  const kept = document.getElementById("kept");
  let asking = false, next = null, waiting = 0, seen = null;

  const wish = () => new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));

  function tell(place, text) {
    place.textContent = text;
    place.hidden = !text;
  }

  // The slider stands where the number is; what it says aloud is the number with its currency.
  function follow() {
    const amount = Number(budget.value.replaceAll(",", ""));
    slider.value = String(Number.isFinite(amount) ? amount : 0);
    slider.setAttribute("aria-valuetext", budget.value || "nothing yet");
  }

  function soon(milliseconds) {
    kept.replaceChildren();
    tell(notKept, "");
    keeping.hidden = true;
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(1), milliseconds);
  }

  async function ask(page, paged = false) {
    const asked = wish();
    if (asking) { next = page; return; }
    tell(wrong, "");
    if (!asked.has("offer")) { state.textContent = ""; tell(wrong, "Choose an offer at least."); return; }
    asking = true;
    state.textContent = "Computing the plan …";
    [told, listed].forEach((place) => place.setAttribute("aria-busy", "true"));
    try {
      history.replaceState(null, "", "/plan?" + asked);
      put(await piece("/data/plan?" + asked + "&page=" + page), asked, paged);
    } catch (error) {
      [told, listed].forEach((place) => place.replaceChildren());
      seen = null;
      keeping.hidden = true;
      state.textContent = "";
      tell(wrong, error.message);
    } finally {
      asking = false;
      [told, listed].forEach((place) => place.removeAttribute("aria-busy"));
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
      const said = await answer.json().catch(() => ({}));
      throw new Error(said.error || `The console answered with status ${answer.status}.`);
    }
    const made = document.createElement("template");
    made.innerHTML = await answer.text();
    return made.content;
  }

  function put(content, asked, paged) {
    const about = content.querySelector(".curve-told"), picture = content.querySelector(".picture");
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
    told.replaceChildren(content);
    const plan = told.querySelector("#plan");
    seen = plan && { asked, scores: plan.dataset.scores };
    keeping.hidden = !plan || plan.dataset.chosen === "0" || next !== null;
    state.textContent = plan ? "This is the plan for what stands above." : "Choose a budget to see a plan.";
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
    if (!seen) return;
    const button = keeping.querySelector("button");
    button.disabled = true;
    tell(notKept, "");
    state.textContent = "Keeping the plan …";
    const number = (name) => seen.asked.has(name) ? Number(seen.asked.get(name).replaceAll(",", "")) : null;
    try {
      kept.replaceChildren(await piece("/data/plans", {
        offers: seen.asked.getAll("offer"), budget: number("budget"), capacity: number("capacity"),
        campaign: seen.asked.get("campaign") || "", scores: seen.scores,
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
