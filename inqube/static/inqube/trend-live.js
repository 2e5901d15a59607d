// What follows the time: readings from the feed are appended, buckets that are not over asked for again.

import { now } from "./clock.js";
import { bucketMs, readingPoint, refresh } from "./trend-data.js";

const LEAST_MS = 4_000; // between two questions
const MOST_MS = 60_000;
const RAW_EVERY_MS = 20_000; // frames hold the newest reading of each sensor, not every one: history has those
const PARTS = 6; // of a bucket, after which it is asked for again

/** Appends what the feed says of sensors that are shown reading by reading; says whether it did. */
export function append(shown, readings) {
  let changed = false;
  for (const [number, ...reading] of readings) {
    const each = shown.find(({ sensor }) => sensor.number === number);
    if (each?.series.bucket !== "raw") continue;
    const last = each.series.points.at(-1);
    if (last && reading[0] <= last.begin) continue; // late ones come with the next answer
    each.series.points.push(readingPoint(each.sensor, reading));
    changed = true;
  }
  return changed;
}

function merge(series, fresh, from) {
  const since = fresh.points[0]?.bucketAt ?? fresh.points[0]?.begin ?? Infinity;
  const kept = series.points.filter((each) => (each.bucketAt ?? each.begin) < since && each.end >= from);
  series.points = [...kept, ...fresh.points];
}

export class Follower {
  constructor() {
    this.askedAt = 0;
    this.busy = false;
  }

  /** A whole answer has just come. */
  reset() {
    this.askedAt = now();
  }

  every(shown) {
    const buckets = shown.map(({ series }) => series.bucket).filter((each) => each !== "raw");
    if (!buckets.length) return RAW_EVERY_MS;
    return Math.min(MOST_MS, Math.max(LEAST_MS, Math.min(...buckets.map(bucketMs)) / PARTS));
  }

  /** Asks for the end of the range, if it is time to; says whether something came. */
  async refresh(shown, [from, to]) {
    if (this.busy || document.hidden || !shown.length || now() - this.askedAt < this.every(shown)) return false;
    this.busy = true;
    this.askedAt = now();
    try {
      const since = Math.min(...shown.map(({ series }) => this.since(series, from)));
      const fresh = await refresh(new Map(shown.map(({ sensor, series }) => [sensor, series])), since, to, now());
      for (const { sensor, series } of shown) merge(series, fresh.get(sensor), from);
      return true;
    } catch {
      return false; // the feed says when the server is away; the chart stands until then
    } finally {
      this.busy = false;
    }
  }

  /** From the bucket before the last: late readings mostly belong there. */
  since(series, from) {
    if (series.bucket === "raw") return Math.max(from, now() - 2 * RAW_EVERY_MS);
    return series.points.at(-2)?.bucketAt ?? series.points.at(-1)?.bucketAt ?? from;
  }
}
