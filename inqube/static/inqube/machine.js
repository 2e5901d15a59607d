// The machine page: goes on where the server's rendering ends.

import { everySecond, now, setClock } from "./clock.js";
import { heardUntil, isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { showStandings } from "./figures.js";
import { formatAge, formatClock } from "./format.js";
import { setAttribute, setText } from "./machine-card.js";
import { Plant } from "./plant-model.js";
import { Tile } from "./tile.js";
import { Timeline, totals, visible } from "./timeline.js";

const REDRAW_MS = 60_000;

const [data] = JSON.parse(document.getElementById("live").textContent);
setClock(data.now);
const plant = new Plant(data);
const [machine] = plant.machines;
const timeline = new Timeline(data.timeline, plant.timezone);
const figures = document.querySelector(".figures");
const tiles = new Map();
for (const element of document.querySelectorAll(".tile")) {
  const [, sensor] = plant.bySensor.get(Number(element.dataset.sensor));
  tiles.set(sensor, new Tile(element, sensor, plant.timezone));
}

const feed = new Feed([plant.slug], { [plant.slug]: [...plant.bySensor.keys()] });
let drawnAt = 0;
let pictogram = null;

function sinceText(nowMs, offline) {
  if (machine.condition.pictogram === "silent") return `since ${formatClock(machine.newest, plant.timezone, nowMs)}`;
  if (!machine.since || ["waiting", "none"].includes(machine.condition.pictogram)) return "";
  const [ms, changed] = machine.since;
  const clock = `since ${changed ? "" : "before "}${formatClock(ms, plant.timezone, nowMs)}`;
  return offline ? clock : `${clock}, ${changed ? "" : "over "}${formatAge(nowMs - ms)}`;
}

function showState(nowMs, offline) {
  const { condition } = machine;
  setAttribute(figures, "data-state", condition.pictogram);
  setAttribute(figures.querySelector(".state-figure use"), "href", `#i-${condition.pictogram}`);
  setText(figures.querySelector("[data-word]"), condition.word || "No state sensor");
  setText(figures.querySelector("[data-since]"), sinceText(nowMs, offline));
}

function showShare(nowMs) {
  const shown = visible(timeline.stretches, nowMs);
  const spent = totals(shown);
  const known = spent.filter(([each]) => each !== "silent").reduce((sum, [, , ms]) => sum + ms, 0);
  const running = spent.filter(([each]) => each === "running").reduce((sum, [, , ms]) => sum + ms, 0);
  setText(figures.querySelector("[data-running-percent]"), known ? ((100 * running) / known).toFixed(0) : "–");
  setText(figures.querySelector("[data-running-time]"), running ? formatAge(running) : "");
}

function show() {
  const nowMs = now();
  const offline = isOffline(feed);
  plant.judge(heardUntil(feed));
  for (const tile of tiles.values()) tile.show(nowMs, offline);
  showState(nowMs, offline);
  showStandings(plant, offline);
  if (pictogram !== null && pictogram !== machine.condition.pictogram && !offline) refreshTimeline();
  pictogram = machine.condition.pictogram;
}

function redraw() {
  drawnAt = now();
  for (const tile of tiles.values()) tile.draw(drawnAt);
  timeline.show(drawnAt);
  showShare(drawnAt);
}

/** From the server, which has seen every change: frames are merged, and a socket may have been away. */
async function refreshTimeline() {
  try {
    const response = await fetch(timeline.bar.dataset.timeline, { headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) return;
    timeline.stretches = (await response.json()).timeline;
    timeline.show(now());
    showShare(now());
  } catch {
    // The feed says when the server is away; the last timeline stands until then.
  }
}

const showFeed = showConnection(feed, plant.timezone);

feed.addEventListener("readings", ({ detail }) => {
  const changed = plant.apply(detail.readings);
  if (isOffline(feed)) return; // all at once, when the feed is live again
  for (const sensor of changed) tiles.get(sensor)?.draw(now());
  show();
});
feed.addEventListener("state", () => {
  if (feed.state === "live") {
    redraw();
    refreshTimeline();
  }
  show();
});

everySecond(() => {
  showFeed();
  show();
  if (isOffline(feed) || now() - drawnAt < REDRAW_MS) return;
  redraw();
  if (!document.hidden) refreshTimeline();
});
redraw();
