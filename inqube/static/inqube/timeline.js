// A machine's last hours as a bar, drawn as telemetry/templatetags/console.py places it on the server.

import { formatAge, formatClock } from "./format.js";

const SPAN_MS = 8 * 3_600_000;
const HOUR_MS = 3_600_000;
const FULL = [5, 30];
const BARS = { fault: [1, 38], idle: [26, 9], stopped: [33, 2], other: [15, 20], unknown: [15, 20] };
const SVG = "http://www.w3.org/2000/svg";

function percent(ms, nowMs) {
  return `${(100 * (1 - (nowMs - ms) / SPAN_MS)).toFixed(3)}%`;
}

/** What of `[[since, until, pictogram, word], …]` lies in the last hours; the last stretch goes on until now. */
export function visible(stretches, nowMs) {
  const start = nowMs - SPAN_MS;
  return stretches
    .map(([since, until, ...what], index) => [
      Math.max(since, start),
      index === stretches.length - 1 ? nowMs : until,
      ...what,
    ])
    .filter(([since, until]) => until > since);
}

/** `[[pictogram, word, ms], …]`, the longest first, silence at the end. */
export function totals(shown) {
  const spent = new Map();
  for (const [since, until, pictogram, word] of shown) {
    const key = `${pictogram}\n${word}`;
    spent.set(key, (spent.get(key) ?? 0) + until - since);
  }
  return [...spent]
    .map(([key, ms]) => [...key.split("\n"), ms])
    .sort((one, two) => (one[0] === "silent") - (two[0] === "silent") || two[2] - one[2]);
}

export class Timeline {
  constructor(stretches, timezone) {
    this.stretches = stretches;
    this.timezone = timezone;
    this.bar = document.querySelector("[data-timeline]");
    this.totals = document.querySelector("[data-totals]");
    this.hours = document.querySelector("[data-hours]");
    this.swatch = this.totals.querySelector(".swatch");
  }

  show(nowMs) {
    const shown = visible(this.stretches, nowMs);
    this.bar.replaceChildren(this.bar.querySelector("defs"), ...shown.map((each) => this.rect(each, nowMs)));
    if (!shown.length) return;
    this.totals.replaceChildren(
      ...totals(shown).map(([pictogram, word, ms]) => {
        const item = document.createElement("li");
        item.dataset.pictogram = pictogram;
        if (this.swatch) item.append(this.swatch.cloneNode(true));
        item.append(`${word} ${formatAge(ms)}`);
        return item;
      }),
    );
    this.showHours(nowMs);
  }

  rect([since, until, pictogram, word], nowMs) {
    const rect = document.createElementNS(SVG, "rect");
    const [y, height] = BARS[pictogram] ?? FULL;
    rect.dataset.pictogram = pictogram;
    rect.setAttribute("x", percent(since, nowMs));
    rect.setAttribute("width", `${((100 * (until - since)) / SPAN_MS).toFixed(3)}%`);
    rect.setAttribute("y", y);
    rect.setAttribute("height", height);
    if (pictogram === "silent") rect.setAttribute("fill", "url(#silence)");
    const title = document.createElementNS(SVG, "title");
    const clock = (ms) => formatClock(ms, this.timezone, nowMs);
    title.textContent = `${word}, ${clock(since)} to ${clock(until)}, ${formatAge(until - since)}`;
    rect.append(title);
    return rect;
  }

  /** Labels at the full hours of the plant's zone; offsets of zones are whole quarters of hours. */
  showHours(nowMs) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "16");
    const quarter = HOUR_MS / 4;
    for (let ms = Math.ceil((nowMs - SPAN_MS) / quarter) * quarter; ms <= nowMs; ms += quarter) {
      const clock = new Intl.DateTimeFormat("en-GB", {
        timeZone: this.timezone, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      }).format(ms);
      if (!clock.endsWith(":00") || ms < nowMs - SPAN_MS * 0.97 || ms > nowMs - SPAN_MS * 0.08) continue;
      svg.append(this.label(percent(ms, nowMs), "middle", clock));
    }
    svg.append(this.label("100%", "end", "now"));
    this.hours.replaceChildren(svg);
  }

  label(x, anchor, text) {
    const element = document.createElementNS(SVG, "text");
    element.setAttribute("x", x);
    element.setAttribute("y", "12");
    element.setAttribute("text-anchor", anchor);
    element.textContent = text;
    return element;
  }
}
