// The overview: every plant's freshness and its machines' states, live.

import { everySecond, now, setClock } from "./clock.js";
import { isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { showBar } from "./freshness-bar.js";
import { Plant } from "./plant-model.js";

const data = JSON.parse(document.getElementById("live").textContent);

const WORDS = [["fresh", "fresh"], ["late", "late"], ["stale", "stale"], ["none", "without data"], ["bad", "bad"]];

function showStandings(card, plant, offline) {
  const counts = plant.standings();
  const said = WORDS.filter(([standing]) => standing === "fresh" || counts[standing]);
  card.querySelector("[data-standings-line]").textContent = offline
    ? "unknown while offline"
    : said.map(([standing, word]) => `${counts[standing]} ${word}`).join(", ");
  showBar(card.querySelector("[data-bar]"), counts);
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

function follow() {
  setClock(data[0].now);
  const plants = data.map((each) => new Plant(each));
  const feed = new Feed(plants.map((each) => each.slug));
  const bySlug = new Map(plants.map((each) => [each.slug, each]));

  const show = () => {
    const offline = isOffline(feed);
    for (const plant of plants) {
      if (!offline || !plant.machines[0]?.condition) plant.judge(now());
      const card = document.querySelector(`[data-plant="${plant.slug}"]`);
      showStandings(card, plant, offline);
      for (const machine of plant.machines) {
        showMachine(card.querySelector(`[data-machine="${machine.id}"]`), machine);
      }
    }
  };
  const showState = showConnection(feed, "UTC");
  feed.addEventListener("readings", ({ detail }) => bySlug.get(detail.plant).apply(detail.readings));
  feed.addEventListener("state", show);
  everySecond(() => {
    showState();
    show();
  });
}

if (data.length) follow();
else everySecond(() => {});
