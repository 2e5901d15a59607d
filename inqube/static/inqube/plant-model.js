// A plant in the browser: its machines and sensors with their latest readings. No DOM, no socket.

import { freshness, machineState, onChangeFreshness, qualityOf, standing } from "./freshness.js";

const HOUR_MS = 3_600_000;
const BUCKET_MS = 120_000; // the sparkline's, as the server's SQL has it

export class Sensor {
  constructor(data) {
    Object.assign(this, data);
    this.current = null; // the bucket that is being filled: {start, sum, n}
  }

  get quality() {
    return this.reading ? qualityOf(this.reading[2]) : "good";
  }

  get label() {
    return this.reading ? this.states[this.reading[1]] : undefined;
  }

  get standing() {
    return standing(this.freshness, this.quality);
  }

  /** Takes a reading unless it is older than the one shown; says whether it did. */
  apply(ms, value, quality) {
    if (this.reading && ms < this.reading[0]) return false;
    this.reading = [ms, value, quality];
    if (qualityOf(quality) === "good") this.collect(ms, value);
    return true;
  }

  collect(ms, value) {
    const start = ms - (ms % BUCKET_MS);
    if (this.current?.start !== start) {
      this.current = { start, sum: 0, n: 0 };
      // The server's mean of this bucket, if any, is the first of what is averaged from here on.
      const last = this.points.at(-1);
      if (last?.[0] === start) this.current = { start, sum: last[1], n: 1 };
      else this.points.push([start, value]);
    }
    this.current.sum += value;
    this.current.n += 1;
    this.points.at(-1)[1] = this.current.sum / this.current.n;
    while (this.points.length && this.points[0][0] < ms - HOUR_MS - BUCKET_MS) this.points.shift();
  }

  /** The hour's means, and on their end the latest value itself. */
  sparklinePoints() {
    if (!this.reading || this.quality === "bad") return this.points;
    const [ms, value] = this.reading;
    return [...this.points.filter(([time]) => time < ms), [ms, value]];
  }
}

export class Machine {
  constructor(data) {
    Object.assign(this, data);
    this.sensors = data.sensors.map((each) => new Sensor(each));
    this.stateSensor = this.sensors.find((each) => each.number === data.state);
  }

  /** Judges every sensor's freshness, and by it the machine. */
  judge(nowMs) {
    const own = (each) =>
      freshness(each.reading ? (nowMs - each.reading[0]) / 1000 : null, each.interval, each.stale);
    const regular = this.sensors.filter((each) => each.interval !== null).map(own);
    for (const each of this.sensors) {
      each.freshness = each.interval === null ? onChangeFreshness(own(each), regular) : own(each);
    }
    const sensor = this.stateSensor;
    this.condition = machineState(
      this.sensors.map((each) => each.freshness),
      sensor?.label,
      sensor?.reading ? sensor.quality : null,
      sensor !== undefined,
    );
    this.staleCount = this.sensors.filter((each) => each.freshness === "stale").length;
  }

  /** `hasAlarm` is what its card shows. */
  get isAbnormal() {
    if (this.hasAlarm || this.condition.pictogram === "fault") return true;
    return this.sensors.some((each) => ["stale", "bad"].includes(each.standing));
  }

  /** Milliseconds of the newest reading, null without one. */
  get newest() {
    const times = this.sensors.filter((each) => each.reading).map((each) => each.reading[0]);
    return times.length ? Math.max(...times) : null;
  }
}

// What needs a person first; the server counts in the same order.
const STATE_ORDER = [
  "fault", "unknown", "silent", "maintenance", "stopped", "idle", "other", "running", "none", "waiting",
];
const STATE_WORDS = { none: "without a state", waiting: "without data" };

export function stateWord(state) {
  return STATE_WORDS[state] ?? state;
}

/** `[["fault", 1], ["running", 3]]` */
export function countStates(machines) {
  const counts = new Map();
  for (const { condition } of machines) {
    counts.set(condition.pictogram, (counts.get(condition.pictogram) ?? 0) + 1);
  }
  return STATE_ORDER.filter((state) => counts.has(state)).map((state) => [state, counts.get(state)]);
}

export class Plant {
  constructor(data) {
    this.slug = data.slug;
    this.timezone = data.timezone;
    this.machines = data.machines.map((each) => new Machine(each));
    this.bySensor = new Map();
    for (const machine of this.machines) {
      for (const sensor of machine.sensors) this.bySensor.set(sensor.number, [machine, sensor]);
    }
  }

  /** Takes a frame's readings; returns the sensors that changed. */
  apply(readings) {
    const changed = new Set();
    for (const [number, ms, value, quality] of readings) {
      const [machine, sensor] = this.bySensor.get(number) ?? [];
      if (!sensor) continue; // added since the page was rendered
      const before = sensor.reading?.[1];
      if (!sensor.apply(ms, value, quality)) continue;
      if (sensor === machine.stateSensor && before !== value) machine.since = [ms, true];
      changed.add(sensor);
    }
    return changed;
  }

  judge(nowMs) {
    for (const machine of this.machines) machine.judge(nowMs);
  }

  /** `{fresh, late, stale, none, bad}` */
  standings() {
    const counts = { fresh: 0, late: 0, stale: 0, none: 0, bad: 0 };
    for (const [, sensor] of this.bySensor.values()) counts[sensor.standing] += 1;
    return counts;
  }
}
