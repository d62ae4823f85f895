"use strict";
// Forms that send JSON, the token in a printed link, and pieces of pages that are loaded later.

// Sends JSON to a path of ours and returns what came back; throws an Error whose text can be shown.
async function send(path, content, method = "POST") {
  const request = method === "GET"
    ? { method }
    : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
  let answer;
  try {
    answer = await fetch(path, { ...request, credentials: "same-origin" });
  } catch {
    throw new Error("The console does not answer. Is it still running?");
  }
  if (answer.status === 401 && path !== "/login") {
    location.assign("/login?why=ended&next=" + encodeURIComponent(location.pathname + location.search));
    throw new Error("Your token is no longer valid.");
  }
  if (answer.status === 204) return null;
  const reply = await answer.json().catch(() => ({}));
  if (answer.ok) return reply;
  throw new Error(typeof reply.error === "string" ? reply.error : `The console answered with status ${answer.status}.`);
}

// Shows an error in the form's own place for it.
function say(form, text) {
  const place = form.querySelector("[role=alert]");
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}

function goTo(place) {
  const target = new URL(place, location.origin);
  location.replace(target.origin === location.origin ? target.href : "/");
}

// A form with data-posts sends its fields as JSON; then the browser goes to data-then.
document.querySelectorAll("form[data-posts]").forEach((form) => form.addEventListener("submit", async (event) => {
  event.preventDefault();
  say(form, "");
  try {
    await send(form.dataset.posts, Object.fromEntries(new FormData(form)));
    goTo(form.dataset.then);
  } catch (error) {
    say(form, error.message);
    form.querySelector("input")?.select();
  }
}));

// The first link is printed with the token behind #, which browsers keep to themselves: log in by it.
async function logInByLink(form) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search);
    form.elements.token.value = token;
    form.requestSubmit();
    return;
  }
  // A visitor who follows a link from another site sends no cookie, but may hold one all the same.
  const answer = await fetch("/data/session", { credentials: "same-origin" });
  if (answer.status === 204) goTo(form.dataset.then);
}

const login = document.querySelector("form#login");
if (login) logInByLink(login);

// A piece of a page comes as HTML in which the server has escaped every text.
async function fill(place, path) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(path, { credentials: "same-origin" });
    if (answer.status === 401) await send(path, null, "GET");
    if (!answer.ok) {
      const reply = await answer.json().catch(() => ({}));
      throw new Error(reply.error || `The console answered with status ${answer.status}.`);
    }
    place.innerHTML = await answer.text();
    if (typeof draw === "function") place.querySelectorAll(".picture").forEach((picture) => draw(picture));
  } catch (error) {
    const line = document.createElement("p");
    line.className = "note wrong";
    line.setAttribute("role", "alert");
    line.textContent = error.message;
    place.replaceChildren(line);
  } finally {
    place.removeAttribute("aria-busy");
  }
}

window.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-loads]").forEach((place) => fill(place, place.dataset.loads));
  document.querySelectorAll("form[data-fills]").forEach((form) => form.addEventListener("submit", (event) => {
    event.preventDefault();
    const place = document.querySelector(form.dataset.fills);
    const waits = document.createElement("p");
    waits.className = "muted";
    waits.textContent = "Calculating …";
    place.replaceChildren(waits);
    fill(place, form.getAttribute("action") + "?" + new URLSearchParams(new FormData(form)));
  }));
});
