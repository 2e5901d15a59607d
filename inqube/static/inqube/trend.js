// The trend page: goes on where the server's rendering ends, with a chart that is zoomed, panned and kept live.

import { everySecond, now, setClock } from "./clock.js";
import { isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { Plant } from "./plant-model.js";
import { Board } from "./trend-board.js";
import { load, RefusedError } from "./trend-data.js";
import { sentenceOf, showCoverage, showLegend, showNow, showRange } from "./trend-legend.js";
import { append, Follower } from "./trend-live.js";
import { episodes, takeAlarms, takeFromServer } from "./trend-server.js";
import { between, boundsOf, isLive, panned, parseView, rangeOfSpan, scaled, viewQuery } from "./trend-view.js";

const PAN_PART = 0.5;
const TABLES_EVERY_MS = 30_000;
const ALARMS_AFTER_MS = 1_000;

const data = JSON.parse(document.getElementById("live").textContent);
setClock(data.plants[0].now);
const plants = data.plants.map((each) => new Plant(each));
const sensors = data.shown.map((each, place) => {
  const plant = plants.find(({ slug }) => slug === each.plant);
  const [, sensor] = plant.bySensor.get(each.number);
  const title = data.shown.every(({ machine }) => machine === each.machine) ? sensor.name : `${sensor.name}, ${each.machine}`;
  return Object.assign(sensor, { id: each.id, address: each.address, limits: each.limits, place, title });
});
const { timezone } = data.plants[0];
const addresses = data.shown.map((each) => each.address);
const find = (selector) => document.querySelector(selector);

let view = parseView(location.search, data.ranges);
let frozenAt = now(); // the end of a range up to now that does not go on
let asking = null;
let tablesAt = 0;
let alarmsSoon = null;
let shown = []; // `{sensor, place, series, gaps, runs, states, until}` of each sensor
const follower = new Follower();

const board = new Board(find("[data-panels]"), sensors, timezone, {
  select: (from, to) => go(between(view, from, to)),
  back,
});

function bounds() {
  return boundsOf(view, data.ranges, isLive(view) ? now() : frozenAt);
}

/** To another view, with an entry in the browser's history unless it is one more step of the same kind. */
function go(next, { replace = false } = {}) {
  if (isLive(view) && !isLive(next)) frozenAt = now();
  view = next;
  find("[data-wrong]").hidden = true; // it was about the link that led here
  const query = viewQuery(view, addresses);
  if (replace) history.replaceState(history.state, "", query);
  else history.pushState({ isZoomed: true }, "", query);
  show();
}

function back() {
  const [from, to] = bounds();
  if (history.state?.isZoomed) history.back();
  else go(scaled(view, [from, to], 2, (from + to) / 2, now()));
}

function say(text) {
  const element = find("[data-refused]");
  element.textContent = text;
  element.hidden = !text;
}

/** Asks for all that the view shows. */
async function show() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const [from, to] = bounds();
  showRange(view, [from, to], addresses, timezone, isLive(view));
  try {
    const series = await load(sensors, from, to, board.plotWidth, now(), signal);
    shown = sensors.map((sensor) => ({ sensor, place: sensor.place, series: series.get(sensor) }));
    follower.reset();
    say("");
    draw();
    await Promise.all([showTables(signal), showAlarms(signal)]);
  } catch (error) {
    if (error.name === "AbortError") return;
    const why = error instanceof RefusedError ? error.message : "the server did not answer. What was drawn before stands.";
    say(`Not loaded: ${why}`);
  }
}

/** Tables, and where readings are if there are none here, are the server's to write. */
async function showTables(signal) {
  const isEmpty = shown.every(({ series }) => !series.points.some((each) => each.all));
  find("[data-trend]").toggleAttribute("data-empty", isEmpty);
  tablesAt = now();
  if (view.table || isEmpty) await takeFromServer(["[data-tables]", "[data-nothing]"], signal);
  find("[data-nothing]").hidden = !isEmpty;
}

async function showAlarms(signal) {
  board.episodes = await takeAlarms(signal);
  if (shown.length) draw();
}

function draw() {
  const [from, to] = bounds();
  board.show(shown, [from, to], now());
  showLegend(shown);
  showCoverage(shown);
  find("[data-says]").textContent = sentenceOf(shown, from, to, timezone);
}

// --- What people do --------------------------------------------------------------------------------------
const actions = {
  earlier: (options) => go(panned(view, bounds(), -PAN_PART, now()), options),
  later: (options) => go(panned(view, bounds(), PAN_PART, now()), options),
  in: (options) => go(scaled(view, bounds(), 0.5, board.pointedAt ?? (bounds()[0] + bounds()[1]) / 2, now()), options),
  wider: (options) => go(scaled(view, bounds(), 2, board.pointedAt ?? (bounds()[0] + bounds()[1]) / 2, now()), options),
  out: back,
  follow: () => {
    const [from, to] = bounds();
    if (isLive(view)) go({ ...view, follow: false });
    else go({ ...view, follow: true, from: null, to: null, range: view.range ?? rangeOfSpan(to - from, data.ranges) });
  },
};
const KEYS = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "wider", "−": "wider" };

document.addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  const target = event.target.closest("[data-act], [data-range], a[data-view], [data-go]");
  if (!target) return;
  event.preventDefault();
  if (target.dataset.act) actions[target.dataset.act]();
  else go({ ...parseView(new URL(target.href).search, data.ranges), follow: target.dataset.range ? true : view.follow });
});
find("[data-chart]").addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.metaKey || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  actions[action]({ replace: event.repeat }); // a key that is held down is one step back, not twenty
});
addEventListener("popstate", () => {
  if (isLive(view)) frozenAt = now();
  view = parseView(location.search, data.ranges);
  show();
});
board.whenWider(() => show());
board.episodes = episodes();

// --- What happens ----------------------------------------------------------------------------------------
const numbers = Object.fromEntries(plants.map((each) => [each.slug, [...each.bySensor.keys()]]));
const feed = new Feed(plants.map((each) => each.slug), numbers);
const showFeed = showConnection(feed, timezone);

function showReading() {
  const offline = isOffline(feed);
  if (!offline || !sensors[0].freshness) for (const each of plants) each.judge(now());
  showNow(sensors[0], now(), timezone, offline);
}

feed.addEventListener("readings", ({ detail }) => {
  plants.find(({ slug }) => slug === detail.plant)?.apply(detail.readings);
  if (isOffline(feed)) return;
  showReading();
  if (isLive(view) && append(shown, detail.readings)) draw();
});
feed.addEventListener("alarm", () => {
  clearTimeout(alarmsSoon); // however many there are
  alarmsSoon = setTimeout(() => showAlarms().catch(() => {}), ALARMS_AFTER_MS);
});
feed.addEventListener("state", () => {
  if (feed.state === "live" && shown.length && isLive(view)) show(); // what came while the page was away
  showReading();
});
everySecond(() => {
  showFeed();
  showReading();
  if (!isLive(view) || feed.state !== "live" || !shown.length) return;
  board.follow(shown, bounds(), now());
  showRange(view, bounds(), addresses, timezone, true);
  follower.refresh(shown, bounds()).then((came) => came && draw());
  if (view.table && now() - tablesAt > TABLES_EVERY_MS) showTables();
});
show();
