// The overview: every plant's worst, freshness and rate, its machines' states and a value of each zone, live.

import { detail, icon, notReporting, outranks, title, words, worst } from "./attention.js";
import { everySecond, now, setClock } from "./clock.js";
import { heardUntil, isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { showFigures } from "./figures.js";
import { formatAge, formatClock } from "./format.js";
import { showBar } from "./freshness-bar.js";
import { SensorRow, setAttribute, setText } from "./machine-card.js";
import { Plant } from "./plant-model.js";
import { followRates, RateFigure, rateFigure } from "./rates.js";

const REDRAW_MS = 60_000;
const WORDS = [["fresh", "fresh"], ["late", "late"], ["stale", "stale"], ["none", "without data"], ["bad", "bad"]];

const data = JSON.parse(document.getElementById("live").textContent);

class Card {
  constructor(element, plant, rates) {
    this.element = element;
    this.plant = plant;
    const find = (selector) => element.querySelector(selector);
    this.worst = find("[data-worst]");
    this.standings = find("[data-standings-line]");
    this.bar = find("[data-bar]");
    this.rate = new RateFigure(find("[data-plant-rate]"), find(".rate-spark"), rates);
    this.rows = new Map();
    for (const row of element.querySelectorAll("[data-sensor]")) {
      const [, sensor] = plant.bySensor.get(Number(row.dataset.sensor));
      this.rows.set(sensor, new SensorRow(row, sensor, plant.timezone));
    }
    this.machines = new Map(
      plant.machines.map((each) => [each, element.querySelector(`[data-machine="${each.id}"]`)]),
    );
  }

  show(nowMs, offline) {
    const counts = this.plant.standings();
    const said = WORDS.filter(([standing]) => standing === "fresh" || counts[standing]);
    const line = said.map(([standing, word]) => `${counts[standing]} ${word}`).join(", ");
    setText(this.standings, offline ? "unknown while offline" : line);
    showBar(this.bar, counts);
    this.showWorst(nowMs, offline);
    this.rate.show(offline);
    for (const [machine, element] of this.machines) showMachine(element, machine);
    for (const row of this.rows.values()) row.show(nowMs, offline);
  }

  showWorst(nowMs, offline) {
    if (!this.plant.machines.length) return;
    const found = worst(this.plant.machines);
    const alarm = this.element.querySelector("[data-worst-alarm]"); // as the server has last told it
    this.element.toggleAttribute("data-calls", alarm !== null && outranks(alarm.dataset.worstAlarm, found));
    setAttribute(this.worst, "data-worst", found?.concern.kind ?? "");
    setAttribute(this.worst.querySelector("use"), "href", `#i-${icon(found?.concern)}`);
    setText(this.worst.querySelector("b"), found ? title(found.concern) : "Nothing abnormal");
    setText(this.worst.querySelector("span span"), found ? detail(found, nowMs, offline) : "");
  }
}

function showMachine(element, machine) {
  const { pictogram, word } = machine.condition;
  if (element.dataset.state === pictogram && element.dataset.word === word) return;
  element.dataset.state = pictogram;
  element.dataset.word = word;
  element.title = `${machine.name}: ${word || "reporting"}`;
  element.querySelector("svg").setAttribute("aria-label", element.title);
  element.querySelector("use").setAttribute("href", `#i-${pictogram}`);
}

class Concerns {
  constructor(cards) {
    this.cards = cards;
    this.list = document.querySelector("[data-concerns]");
    this.blank = document.querySelector("template[data-concern]").content.firstElementChild;
    this.calm = document.querySelector("[data-all-report]");
    this.says = null;
  }

  show(nowMs, offline) {
    const found = this.cards
      .flatMap((card) => notReporting(card.plant.machines).map((concern) => ({ card, concern })))
      .sort((one, two) => one.concern.since - two.concern.since);
    const says = found.map(({ concern }) => `${concern.machine.id} ${concern.kind} ${words(concern)}`).join("\n");
    if (says !== this.says && !this.list.contains(document.activeElement)) {
      this.says = says;
      this.list.replaceChildren(...found.map((each) => this.row(each)));
      this.shown = found;
    }
    // Ages by what the rows say, also while a focused link keeps the list from changing.
    this.shown?.forEach(({ card, concern }, index) => {
      const current = found.find((each) => each.concern.machine === concern.machine && each.concern.kind === concern.kind);
      const since = (current ?? { concern }).concern.since;
      const { timezone } = card.plant;
      const time = this.list.children[index].querySelector("time");
      setText(time, offline ? formatClock(since, timezone, nowMs) : formatAge(nowMs - since));
    });
    this.calm.hidden = found.length > 0;
  }

  row({ card, concern }) {
    const row = this.blank.cloneNode(true);
    row.dataset.kind = concern.kind;
    const link = row.querySelector("a");
    link.href = card.machines.get(concern.machine).href;
    link.title = card.element.querySelector("h2").textContent;
    link.textContent = concern.machine.name;
    row.querySelector("use").setAttribute("href", `#i-${concern.kind === "bad" ? "none" : icon(concern)}`);
    row.querySelector(".what > span").textContent = words(concern);
    return row;
  }
}

/** All plants as one, for the figures on top. */
function together(plants) {
  return {
    machines: plants.flatMap((each) => each.machines),
    standings() {
      const total = { fresh: 0, late: 0, stale: 0, none: 0, bad: 0 };
      for (const plant of plants) {
        for (const [standing, count] of Object.entries(plant.standings())) total[standing] += count;
      }
      return total;
    },
  };
}

function sumOfRates() {
  const total = new Map();
  for (const { rates } of data) for (const [ms, rate] of rates) total.set(ms, (total.get(ms) ?? 0) + rate);
  return [...total].sort(([one], [two]) => one - two);
}

/** `12`, `99+`, or empty for none; nothing for who may not decide. */
function showLetters(count) {
  const figure = document.querySelector("[data-letters]");
  if (!figure) return;
  setText(figure, count || "0");
  document.querySelector("[data-none-waiting]").hidden = Boolean(count);
  document.querySelector("[data-some-waiting]").hidden = !count;
  const counts = document.querySelectorAll("[data-letters-count]");
  for (const each of counts) each.firstChild.data = count;
}

function follow() {
  setClock(data[0].now);
  const plants = data.map((each) => new Plant(each));
  const all = together(plants);
  const feed = new Feed(plants.map((each) => each.slug));
  const cards = plants.map((plant, index) => {
    return new Card(document.querySelector(`[data-plant="${plant.slug}"]`), plant, data[index].rates);
  });
  const bySlug = new Map(cards.map((each) => [each.plant.slug, each]));
  const concerns = new Concerns(cards);
  const total = rateFigure(sumOfRates());
  let drawnAt = 0;

  const show = () => {
    const nowMs = now();
    const offline = isOffline(feed);
    for (const plant of plants) plant.judge(heardUntil(feed));
    for (const card of cards) card.show(nowMs, offline);
    showFigures(all, offline);
    total.show(offline);
    concerns.show(nowMs, offline);
    if (offline || nowMs - drawnAt < REDRAW_MS) return;
    drawnAt = nowMs;
    for (const card of cards) for (const row of card.rows.values()) row.draw(nowMs);
  };

  const showState = showConnection(feed, "UTC");
  feed.addEventListener("readings", ({ detail: frame }) => {
    const card = bySlug.get(frame.plant);
    const changed = card.plant.apply(frame.readings);
    if (isOffline(feed)) return; // all at once, when the feed is live again
    for (const sensor of changed) card.rows.get(sensor)?.draw(now());
  });
  feed.addEventListener("state", () => {
    if (feed.state === "live") drawnAt = 0;
    show();
  });
  followRates(total.url, () => feed.state === "live", ({ readings_a_second: rates, dead_letters: letters }) => {
    showLetters(letters);
    for (const card of cards) card.rate.add(rates[card.plant.slug] ?? 0);
    total.figure.add(Object.values(rates).reduce((sum, each) => sum + each, 0));
  });
  everySecond(() => {
    showState();
    show();
  });
}

if (data.length) follow();
else everySecond(() => {});
