// All panels of a chart: one for each unit, under each other, with one time axis and one pointer.

import { Panel } from "./trend-chart.js";
import { Colours } from "./trend-colours.js";
import { THIN, formatNumber } from "./format.js";
import { missing, qualityRuns } from "./trend-gaps.js";
import { showGutter } from "./trend-gutter.js";
import { ROW_PX } from "./trend-states.js";
import { stretches } from "./trend-stats.js";
import { Tooltip } from "./trend-tooltip.js";

const NARROW_PX = 600;
const HEIGHTS = [[1, 370, 290], [2, 240, 200], [Infinity, 180, 160]]; // by the number of panels: wide, narrow
const WIDER = 0.25; // a width that differs by more asks for other buckets

/** Sensors that can share an axis: same unit, same kind; states first. */
export function groups(sensors) {
  const found = new Map();
  for (const each of sensors) {
    const key = each.kind === "state" ? "state" : `${each.kind} ${each.unit}`;
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return [...found.values()].sort((one, two) => (two[0].kind === "state") - (one[0].kind === "state"));
}

/** The limits of a panel's first sensor: those of alarm rules, before its plausible range. */
export function limitsOf({ kind, low, high, unit, decimals, limits = [] }) {
  if (kind !== "gauge") return limits;
  const text = (word, value) => `Plausible ${word} ${formatNumber(value, Number.isInteger(value) ? 0 : decimals)}${unit ? THIN + unit : ""}`;
  const found = [...limits];
  if (high !== null) found.push({ value: high, kind: "plausible", severity: null, text: text("up to", high) });
  if (low !== null) found.push({ value: low, kind: "plausible", severity: null, text: text("from", low) });
  return found;
}

export class Board {
  constructor(element, sensors, timezone, { select, back }) {
    this.element = element;
    this.timezone = timezone;
    this.select = select;
    this.back = back;
    this.bounds = [0, 1];
    this.episodes = []; // alarms, see trend-draw.js
    this.hovered = null;
    this.pointedAt = null;
    this.colours = new Colours(() => this.panels.forEach((each) => each.redraw()));
    const { rem } = this.colours.now;
    this.layout = { left: 56 * rem, right: (element.clientWidth < NARROW_PX ? 70 : 118) * rem };
    this.panels = this.build(sensors, rem);
    this.tooltip = new Tooltip(element, timezone);
    element.addEventListener("mouseleave", () => this.tooltip.hide());
  }

  build(sensors, rem) {
    const parts = groups(sensors);
    const [, wide, narrow] = HEIGHTS.find(([most]) => parts.length <= most);
    return parts.map((group, index) => {
      const element = document.createElement("div");
      element.className = "trend-panel";
      this.element.append(element);
      const isLast = index === parts.length - 1;
      const isStates = group[0].kind === "state";
      const height = isStates ? group.length * ROW_PX + (isLast ? 42 : 24) : this.element.clientWidth < NARROW_PX ? narrow : wide;
      const places = group.map((sensor) => ({ sensor, place: sensor.place }));
      const panel = new Panel(element, places, this, { isLast, height: Math.round(height * rem) });
      element.addEventListener("mouseenter", () => (this.hovered = panel));
      return panel;
    });
  }

  get plotWidth() {
    return Math.max(100, this.element.clientWidth - this.layout.left - this.layout.right);
  }

  /** Draws the sensors' series; works out what of them is missing. */
  show(shown, bounds, nowMs) {
    this.bounds = bounds;
    const [from, to] = bounds;
    for (const each of shown) {
      each.until = Math.min(to, nowMs);
      Object.assign(each, missing(each.sensor, each.series, from, to, nowMs));
      each.runs = qualityRuns(each.series, each.gaps, to, nowMs);
      if (each.sensor.kind === "state") each.states = stretches(each.series, each.gaps, to, nowMs);
    }
    this.shown = shown;
    for (const panel of this.panels) {
      const own = panel.parts.map(({ sensor }) => shown.find((each) => each.sensor === sensor));
      const numbers = own.map(({ sensor }) => sensor.number);
      panel.show(own, limitsOf(own[0].sensor), this.episodes.filter(([number]) => numbers.includes(number)));
    }
  }

  /** Moves with the time, once that is a pixel. */
  follow(shown, bounds, nowMs) {
    const step = (bounds[1] - bounds[0]) / this.plotWidth;
    if (bounds[1] - this.bounds[1] >= step) this.show(shown, bounds, nowMs);
  }

  point(ms, panel) {
    if (panel !== this.hovered || !this.shown) return;
    this.pointedAt = ms;
    if (ms === null) this.tooltip.hide();
    else this.tooltip.show(ms, panel, this.shown);
  }

  drawn(panel) {
    showGutter(panel, this.colours.now.rem);
    for (const each of this.panels) each.align();
  }

  /** Keeps the chart as wide as its place; `ask` is called where that is worth other buckets. */
  whenWider(ask) {
    let asked = this.element.clientWidth;
    new ResizeObserver(() => {
      const width = this.element.clientWidth;
      if (!width) return;
      this.layout.right = (width < NARROW_PX ? 70 : 118) * this.colours.now.rem;
      for (const panel of this.panels) panel.resize(width);
      if (Math.abs(width - asked) < WIDER * asked) return;
      asked = width;
      ask();
    }).observe(this.element);
  }
}
