// The system page and the first page of the admin: put what the server says now in place of what it said before.

const EVERY_MS = 10_000;
const GIVE_UP_AFTER = 3; // refreshes that failed, one after the other

const region = document.querySelector("[data-system]");
const strip = document.querySelector("[data-strip]");
let failed = 0;

/** A refresh must not take the focus, a selected text or the place in a table away. */
function isInUse() {
  const selection = getSelection();
  const selects = !selection.isCollapsed && region.contains(selection.anchorNode);
  return selects || region.contains(document.activeElement);
}

function show(html) {
  const scrolled = [...region.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const state = parsed.querySelector("[data-now]");
  if (!state) throw new Error("not the state of the system");
  region.replaceChildren(state);
  region.querySelectorAll(".scroll").forEach((each, index) => (each.scrollLeft = scrolled[index] ?? 0));
  document.querySelector("[data-as-of]").textContent = state.dataset.now;
}

function showStrip() {
  strip.hidden = failed < GIVE_UP_AFTER;
  const asOf = document.querySelector("[data-as-of]").textContent;
  strip.querySelector("[data-strip-text]").textContent = `All below is as of ${asOf} UTC: the server does not answer.`;
}

async function refresh() {
  if (document.hidden || isInUse()) return;
  try {
    const response = await fetch(region.dataset.system);
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    const html = await response.text();
    if (!isInUse()) show(html);
    failed = 0;
  } catch {
    failed += 1;
  }
  showStrip();
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
strip.querySelector("[data-try-now]").addEventListener("click", refresh);
