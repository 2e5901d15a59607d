// The figures above the machines: how many run, and how fresh the sensors are.

import { countStates, stateWord } from "./plant-model.js";
import { showBar } from "./freshness-bar.js";

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function pictogram(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Replaces an element's children, but only if what they say has changed. */
function replace(element, key, children) {
  if (element.dataset.says === key) return;
  element.dataset.says = key;
  element.replaceChildren(...children());
}

const find = (selector) => document.querySelector(selector);

function showStates(plant) {
  const states = countStates(plant.machines);
  find("[data-running]").textContent = states.find(([state]) => state === "running")?.[1] ?? 0;
  const others = states.filter(([state]) => state !== "running");
  replace(find("[data-states]"), JSON.stringify(others), () =>
    others.map(([state, count]) => {
      const note = make("span", "", "");
      note.dataset.state = state;
      note.append(pictogram(state), `${count} `, make("span", "word", stateWord(state)));
      return note;
    }),
  );
}

export function showStandings(plant, offline) {
  const counts = plant.standings();
  find("[data-fresh]").textContent = offline ? "–" : counts.fresh;
  showBar(find("[data-bar]"), counts);
  const notes = offline
    ? [["unknown while offline", ""]]
    : [
        [counts.late, "late"],
        [counts.stale, "stale"],
        [counts.none, "without data"],
        [counts.bad, "bad"],
      ].filter(([count]) => count);
  replace(find("[data-standings]"), JSON.stringify(notes), () =>
    notes.map(([count, word]) => make("span", word === "bad" ? "bad" : "", `${count} ${word}`.trim())),
  );
}

export function showFigures(plant, offline) {
  showStates(plant);
  showStandings(plant, offline);
}
