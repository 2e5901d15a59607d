// A machine's card: writes into the elements that the server rendered, never makes new ones.

import { formatAge, formatClock, formatNumber, formatTime, THIN } from "./format.js";
import { sparkline } from "./sparkline.js";

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export class SensorRow {
  constructor(element, sensor, timezone) {
    this.element = element;
    this.sensor = sensor;
    this.timezone = timezone;
    const find = (selector) => element.querySelector(selector);
    this.number = find(".number");
    this.unit = find(".unit");
    this.time = find("time");
    this.said = find(".said");
    this.line = find(".spark-line"); // none of states: between their numbers there is nothing
    this.dots = find(".spark-dots");
    this.last = find(".spark-last");
  }

  /** The value, its mark and its age. */
  show(nowMs, offline) {
    const { sensor, element } = this;
    setAttribute(element, "data-freshness", sensor.freshness);
    setAttribute(element, "data-quality", sensor.quality);
    if (!sensor.reading) return;
    const [ms, value] = sensor.reading;
    const isState = sensor.kind === "state";
    setText(this.number, isState ? (sensor.label ?? "unknown") : formatNumber(value, sensor.decimals));
    setText(this.unit, sensor.unit ? THIN + sensor.unit : "");
    setText(this.time, offline ? formatClock(ms, this.timezone, nowMs) : formatAge(nowMs - ms, true));
    setText(this.said, ["late", "stale"].includes(sensor.freshness) ? sensor.freshness : "");
  }

  /** What only a new reading, or the passing of minutes, changes. */
  draw(nowMs) {
    const { sensor } = this;
    if (this.line) this.drawLine(nowMs);
    if (sensor.reading) {
      const [ms] = sensor.reading;
      this.time.dateTime = new Date(ms).toISOString();
      this.time.title = formatTime(ms, this.timezone);
    }
  }

  drawLine(nowMs) {
    const { line, last } = sparkline(this.sensor.sparklinePoints(), nowMs, this.sensor);
    setAttribute(this.line, "d", line);
    setAttribute(this.dots, "d", last ? `M${last[0]} ${last[1]}H38` : "M1 7H38");
    setAttribute(this.last, "r", last ? "1.9" : "0");
    if (last) {
      setAttribute(this.last, "cx", last[0]);
      setAttribute(this.last, "cy", last[1]);
    }
  }
}

export class MachineCard {
  constructor(element, machine, timezone) {
    this.element = element;
    this.machine = machine;
    this.timezone = timezone;
    this.icon = element.querySelector(".state use");
    this.word = element.querySelector(".state .word");
    this.since = element.querySelector(".state .since");
    this.staleCount = element.querySelector(".stale-count");
    this.rows = new Map();
    for (const row of element.querySelectorAll("[data-sensor]")) {
      const sensor = machine.sensors.find((each) => each.number === Number(row.dataset.sensor));
      this.rows.set(sensor, new SensorRow(row, sensor, timezone));
    }
  }

  show(nowMs, offline) {
    const { machine, element } = this;
    const { pictogram, word } = machine.condition;
    machine.hasAlarm = element.querySelector("h3 .severity") !== null;
    setAttribute(element, "data-state", pictogram);
    element.toggleAttribute("data-folds", !machine.isAbnormal && pictogram !== "waiting");
    setAttribute(this.icon, "href", `#i-${pictogram}`);
    setText(this.word, word);
    setText(this.since, this.sinceText(nowMs, offline));
    this.staleCount.hidden = machine.staleCount === 0 || pictogram === "silent";
    setText(this.staleCount.lastElementChild, `${machine.staleCount} stale`);
    for (const row of this.rows.values()) row.show(nowMs, offline);
  }

  sinceText(nowMs, offline) {
    const { machine } = this;
    const { pictogram } = machine.condition;
    if (pictogram === "silent") return `since ${formatClock(machine.newest, this.timezone, nowMs)}`;
    // A duration that goes on counting while nothing is heard would be a claim.
    if (offline || !machine.since || pictogram === "waiting" || pictogram === "none") return "";
    const [ms, changed] = machine.since;
    return changed ? formatAge(nowMs - ms) : `over ${formatAge(nowMs - ms)}`;
  }

  draw(sensor, nowMs) {
    this.rows.get(sensor)?.draw(nowMs);
  }

  drawAll(nowMs) {
    for (const row of this.rows.values()) row.draw(nowMs);
  }
}
