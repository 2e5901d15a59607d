// Alarms on every page: hears of them on the live feed, asks the server for the parts of this page that show them, and
// puts those where the page has the same. What is selected, focused and scrolled to stays.

import { sound } from "./alarm-sound.js";
import { applyMarks } from "./alarm-marks.js";
import { everySecond } from "./clock.js";
import { showConnection } from "./connection.js";
import { Feed, pageFeed } from "./feed.js";

const LEAST_MS = 1_000; // between two questions, however many alarms there are
const AGES_MS = 30_000; // durations go on also when nothing happens
const SAY_EVERY_MS = 5_000; // a flood must not keep a screen reader from all else
const URGENT = ["critical", "high"];

const frame = document.querySelector("[data-alarm-parts]");
const said = document.querySelector("[data-alarm-said]");
let feed = null;
let askedAt = 0;
let answeredAt = Date.now();
let waiting = null;
let asks = 0;

/** Asks soon; whatever happens until then is in the answer. */
function refresh() {
  if (waiting !== null) return;
  waiting = setTimeout(ask, Math.max(0, askedAt + LEAST_MS - Date.now()));
}

async function ask() {
  waiting = null;
  askedAt = Date.now();
  const number = (asks += 1);
  try {
    const response = await fetch(frame.dataset.alarmParts, { headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected || number !== asks) return; // a later answer is on its way
    put(await response.text());
    answeredAt = Date.now();
    showFeed();
  } catch {
    // What stands here is as of the last answer; the page's feed says when the server is away.
  }
}

function put(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  for (const part of answer.content.querySelectorAll("[data-part]")) {
    for (const old of document.querySelectorAll(`[data-part="${part.dataset.part}"]`)) replace(old, part);
  }
  const marks = answer.content.querySelector("[data-marks]");
  if (marks) applyMarks(marks);
}

function replace(old, part) {
  const fresh = part.cloneNode(true);
  const checked = new Set([...old.querySelectorAll("[name=ids]:checked")].map((each) => each.value));
  for (const each of fresh.querySelectorAll("[name=ids]")) each.checked = checked.has(each.value);
  sound.show(fresh);
  if (old.isEqualNode(fresh)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const scrolled = [scrollX, scrollY];
  old.replaceWith(fresh);
  if (focused) twin(fresh, focused)?.focus({ preventScroll: true });
  scrollTo(...scrolled);
  // A list that follows its selection counts again.
  fresh.closest("[data-selection]")?.dispatchEvent(new Event("change"));
}

/** What stands where the focused element stood: the same button of the same alarm, or the same link. */
function twin(fresh, focused) {
  const candidates = [...fresh.querySelectorAll(focused.localName)];
  const same = (name) => (each) => each.getAttribute(name) === focused.getAttribute(name);
  if (focused.name) return candidates.find((each) => same("name")(each) && same("value")(each));
  return candidates.find((each) => same("href")(each) && each.textContent === focused.textContent);
}

// --- Words for those who do not look ----------------------------------------------------------------------------

let sayAt = 0;
let untold = [];

function tell(title) {
  untold.push(title);
  if (untold.length > 1) return;
  setTimeout(() => {
    const [first, ...more] = untold;
    said.textContent = more.length ? `${first}, and ${more.length} more alarms` : first;
    untold = [];
    sayAt = Date.now();
  }, Math.max(0, sayAt + SAY_EVERY_MS - Date.now()));
}

function hear({ detail }) {
  refresh();
  if (detail.event?.kind !== "raised" || detail.alarm?.state !== "raised") return;
  if (detail.alarm.held_under || new Date(detail.alarm.shelved_until ?? 0) > Date.now()) return;
  if (URGENT.includes(detail.alarm.severity)) tell(detail.alarm.title);
  sound.beep(detail.alarm.severity);
}

// --- While nothing is heard -------------------------------------------------------------------------------------

/** What stands here stays, and says as of when; what nobody would take is not offered. */
function showFeed() {
  const isLost = ["offline", "ended"].includes(feed?.state);
  const banner = document.querySelector(".alarm-banner .newest");
  if (banner && isLost) banner.dataset.asOf = new Date(answeredAt).toTimeString().slice(0, 8);
  else if (banner) delete banner.dataset.asOf;
  for (const each of document.querySelectorAll("button:is([name=acknowledge], [name=unshelve])")) {
    each.disabled = isLost;
    each.title = isLost ? "Not live: the server does not answer." : "";
  }
}

// --- The feed ---------------------------------------------------------------------------------------------------

const plants = frame.dataset.plants.split(" ").filter(Boolean);
if (plants.length) {
  const isOwn = pageFeed === null; // the page's own script, which comes before this one, follows nothing
  feed = pageFeed ?? new Feed([]);
  feed.addEventListener("alarm", hear);
  feed.addEventListener("state", () => {
    showFeed();
    if (feed.state === "live") refresh();
  });
  feed.hear(plants);
  const says = ["[data-pill]", "[data-strip]"].every((each) => document.querySelector(each));
  if (isOwn && says) everySecond(showConnection(feed, "UTC"));
}
setInterval(() => {
  if (!document.hidden && Date.now() - askedAt >= AGES_MS) refresh();
}, AGES_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - askedAt >= AGES_MS) refresh();
});
sound.show(document);
