// The plant page: goes on where the server's rendering ends.

import { everySecond, now, setClock } from "./clock.js";
import { heardUntil, isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { showFigures } from "./figures.js";
import { filterMachines } from "./filter.js";
import { MachineCard } from "./machine-card.js";
import { countStates, Plant, stateWord } from "./plant-model.js";
import { followRates, rateFigure } from "./rates.js";

const REDRAW_MS = 60_000; // sparklines move on by half a bucket, also those of sensors that say nothing

const [data] = JSON.parse(document.getElementById("live").textContent);
setClock(data.now);
const plant = new Plant(data);
const cards = new Map();
for (const machine of plant.machines) {
  const element = document.querySelector(`[data-machine="${machine.id}"]`);
  cards.set(machine, new MachineCard(element, machine, plant.timezone));
}

const feed = new Feed([plant.slug]);
const applyFilter = filterMachines([...cards.values()]);
const rate = rateFigure(data.rates);
followRates(rate.url, () => feed.state === "live", (answer) => rate.figure.add(answer.readings_a_second));
const zones = [...document.querySelectorAll("[data-zone]")];
let drawnAt = now();

function show() {
  const nowMs = now();
  const offline = isOffline(feed);
  plant.judge(heardUntil(feed));
  for (const card of cards.values()) card.show(nowMs, offline);
  showFigures(plant, offline);
  rate.show(offline);
  for (const zone of zones) {
    const machines = plant.machines.filter((each) => each.zone === zone.dataset.zone);
    const states = countStates(machines).map(([state, count]) => `${count} ${stateWord(state)}`);
    zone.querySelector("[data-zone-states]").textContent = states.join(", ");
  }
  applyFilter();
}

function redraw() {
  drawnAt = now();
  for (const card of cards.values()) card.drawAll(drawnAt);
}

const showState = showConnection(feed, plant.timezone);

feed.addEventListener("readings", ({ detail }) => {
  const changed = plant.apply(detail.readings);
  if (isOffline(feed)) return; // all at once, when the feed is live again
  const nowMs = now();
  for (const sensor of changed) cards.get(plant.bySensor.get(sensor.number)[0]).draw(sensor, nowMs);
  show();
});
feed.addEventListener("state", () => {
  if (feed.state === "live") redraw();
  show();
});

everySecond(() => {
  showState();
  show();
  if (!isOffline(feed) && now() - drawnAt > REDRAW_MS) redraw();
});
