// Readings a second: asked of the server, since frames are coalesced and a browser cannot count; and their last hour.

import { formatNumber } from "./format.js";
import { now } from "./clock.js";
import { setAttribute, setText } from "./machine-card.js";
import { sparkline } from "./sparkline.js";

const EVERY_MS = 10_000;
const HOUR_MS = 3_600_000;

export function formatRate(rate) {
  return formatNumber(rate, rate >= 10 ? 0 : 1);
}

/** Points `[ms, rate]` of an hour beside a number. */
export class RateFigure {
  constructor(number, svg, points) {
    this.number = number;
    this.line = svg?.querySelector(".spark-line");
    this.points = points;
    this.text = number.textContent;
  }

  add(rate) {
    const ms = now();
    this.text = formatRate(rate);
    this.points.push([ms, rate]);
    while (this.points[0][0] < ms - HOUR_MS) this.points.shift();
    if (!this.line) return;
    // A scale that has nothing at its foot, as telemetry/templatetags/console.py draws it.
    const high = 10 * Math.max(...this.points.map(([, each]) => each));
    setAttribute(this.line, "d", sparkline(this.points, ms, { low: 0, high, interval: null }).line);
  }

  show(offline) {
    setText(this.number, offline ? "–" : this.text);
  }
}

/** Calls `take` with the server's answer every 10 s while the feed is live and somebody looks. */
export function followRates(url, isLive, take) {
  setInterval(async () => {
    if (!isLive() || document.hidden) return;
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" } });
      if (response.ok && !response.redirected) take(await response.json());
    } catch {
      // The feed says when the server is away; the last rate stands until then.
    }
  }, EVERY_MS);
}

/** The figure of a page about one plant, or of all plants: gives the figure, and what says that it is unknown. */
export function rateFigure(points) {
  const number = document.querySelector("[data-rate]");
  const figure = new RateFigure(number, number.parentElement.querySelector(".rate-spark"), points);
  const note = document.querySelector("[data-rate-note]").firstElementChild;
  const show = (offline) => {
    figure.show(offline);
    setText(note, offline ? "unknown while offline" : "mean of the last minute");
  };
  return { figure, show, url: number.dataset.rate };
}
