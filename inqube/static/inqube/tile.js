// A sensor's tile on the machine page: a row with more room.

import { SensorRow, setAttribute, setText } from "./machine-card.js";
import { increaseText } from "./increase.js";
import { formatAge, formatClock, formatWallClock } from "./format.js";

export class Tile extends SensorRow {
  constructor(element, sensor, timezone) {
    super(element, sensor, timezone);
    this.pointer = element.querySelector(".pointer");
    this.expected = element.querySelector(".expected");
    this.increase = sensor.kind === "counter" ? element.querySelector(".range-none") : null;
  }

  show(nowMs, offline) {
    super.show(nowMs, offline);
    const { sensor } = this;
    if (!sensor.reading) return;
    const [ms, value] = sensor.reading;
    const isState = sensor.kind === "state";
    if (isState) setText(this.number, sensor.label ? sensor.label[0].toUpperCase() + sensor.label.slice(1) : "Unknown");
    const age = offline ? `as of ${formatClock(ms, this.timezone, nowMs)}` : `${formatAge(nowMs - ms)} ago`;
    setText(this.time, age);
    setText(this.expected, offline ? "" : this.expectation(ms));
    const said = ["late", "stale"].includes(sensor.freshness) ? [sensor.freshness] : [];
    if (sensor.quality !== "good") said.push(`${sensor.quality} quality`);
    setText(this.said, said.join(" "));
    if (this.pointer) {
      const part = Math.min(1, Math.max(0, (value - sensor.low) / (sensor.high - sensor.low)));
      setAttribute(this.pointer, "x", `${(100 * part).toFixed(2)}%`);
      this.pointer.removeAttribute("display");
    }
  }

  draw(nowMs) {
    super.draw(nowMs);
    if (this.increase) setText(this.increase, increaseText(this.sensor, this.timezone, nowMs));
  }

  expectation(ms) {
    const { sensor } = this;
    if (sensor.freshness === "late") return `, expected every ${formatAge(1000 * sensor.interval)}`;
    if (sensor.freshness === "stale") return `, at ${formatWallClock(ms, this.timezone)}`;
    return sensor.interval === null ? ", on change" : "";
  }
}
