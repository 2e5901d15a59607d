// A machine's last hours as a bar, drawn as telemetry/templatetags/console.py places it on the server.

import { formatAge, formatClock, formatWallClock } from "./format.js";

const SPAN_MS = 8 * 3_600_000;
const HOUR_MS = 3_600_000;
const LABEL_PX = 46; // a label with some room, at 16 px to the rem
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

/** The bar as a sentence: how long what, then when it was silent or in fault. */
export function sentence(shown, timezone) {
  if (!shown.length) return "Nothing is known of the last 8 hours.";
  const spent = totals(shown).map(([, word, ms]) => `${word} ${formatAge(ms)}`);
  const clock = (ms) => formatWallClock(ms, timezone).slice(0, 5);
  const abnormal = shown
    .filter(([, , pictogram]) => pictogram === "fault" || pictogram === "silent")
    .map(([since, until, , word]) => `${word} from ${clock(since)} to ${clock(until)}`);
  return `Last 8 hours: ${spent.join(", ")}.${abnormal.length ? ` ${abnormal.join(", ")}.` : ""}`;
}

export class Timeline {
  constructor(stretches, timezone) {
    this.stretches = stretches;
    this.timezone = timezone;
    this.bar = document.querySelector("[data-timeline]");
    this.totals = document.querySelector("[data-totals]");
    this.hours = document.querySelector("[data-hours]");
    this.swatch = this.totals.querySelector(".swatch");
    this.shownAt = 0;
    new ResizeObserver(() => this.shownAt && this.showHours(this.shownAt)).observe(this.hours);
  }

  show(nowMs) {
    const shown = visible(this.stretches, nowMs);
    this.bar.replaceChildren(this.bar.querySelector("defs"), ...shown.map((each) => this.rect(each, nowMs)));
    this.bar.setAttribute("aria-label", sentence(shown, this.timezone));
    if (!shown.length) return;
    this.shownAt = nowMs;
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

  /** Labels at full hours of the plant's zone, as many as fit; offsets of zones are whole quarters of hours. */
  showHours(nowMs) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "16");
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const room = (LABEL_PX * rem * SPAN_MS) / Math.max(1, this.hours.clientWidth); // of a label, in time
    const every = Math.ceil(room / HOUR_MS);
    const quarter = HOUR_MS / 4;
    for (let ms = Math.ceil((nowMs - SPAN_MS) / quarter) * quarter; ms <= nowMs; ms += quarter) {
      const clock = new Intl.DateTimeFormat("en-GB", {
        timeZone: this.timezone, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      }).format(ms);
      if (!clock.endsWith(":00") || parseInt(clock, 10) % every) continue;
      if (ms < nowMs - SPAN_MS + room / 2 || ms > nowMs - 1.1 * room) continue;
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
