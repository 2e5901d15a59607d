// Writes what the page says in words and numbers: the value now, the legend, the range, and links to the same.

import { setAttribute, setText } from "./machine-card.js";
import { coverage } from "./trend-axis.js";
import { formatAge, formatNumber, formatTime, THIN } from "./format.js";
import { increase, reached, statsOf } from "./trend-stats.js";
import { timeText, viewQuery } from "./trend-view.js";

const WITH_SECONDS_MS = 3_600_000; // ranges that are shorter
const find = (selector) => document.querySelector(selector);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** The newest reading of the first sensor, with its age and quality. */
export function showNow(sensor, nowMs, timezone, offline) {
  const element = find("[data-now]");
  setAttribute(element, "data-freshness", sensor.freshness);
  setAttribute(element, "data-quality", sensor.quality);
  if (!sensor.reading) return;
  const [ms, value] = sensor.reading;
  const isState = sensor.kind === "state";
  setText(element.querySelector(".number"), isState ? capital(sensor.label ?? "unknown") : formatNumber(value, sensor.decimals));
  setText(element.querySelector(".unit"), sensor.unit ? THIN + sensor.unit : "");
  setText(element.querySelector("[data-standing]"), offline ? `As of ${formatTime(ms, timezone)}` : capital(sensor.freshness));
  const isOld = sensor.freshness === "late" || sensor.freshness === "stale";
  const at = isOld ? `, at ${formatTime(ms, timezone)}` : "";
  setText(element.querySelector("[data-age]"), offline ? sensor.quality : `${formatAge(nowMs - ms)} ago${at} · ${sensor.quality}`);
}

/** The figures of the range, a row for each sensor. */
export function showLegend(shown) {
  for (const { sensor, series } of shown) {
    const row = find(`[data-legend="${sensor.number}"]`);
    const number = (value) => (value === null ? "–" : formatNumber(value, sensor.decimals));
    const stats = statsOf(series);
    const isGauge = sensor.kind === "gauge";
    if (sensor.kind === "state") setText(row.querySelector("[data-last]"), series.points.findLast((each) => each.label)?.label ?? "–");
    const set = (name, text) => setText(row.querySelector(`[data-${name}]`), text);
    if (isGauge) set("last", number(stats.last));
    if (sensor.kind === "counter") {
      set("last", number(reached(series)));
      set("note", ` · +${number(increase(series))}${sensor.unit ? THIN + sensor.unit : ""} in this range`);
    }
    for (const name of ["min", "mean", "max"]) set(name, isGauge ? number(stats[name]) : "–");
    const isCounted = stats.readings > 0;
    set("good", isCounted ? `${((100 * stats.good) / stats.readings).toFixed(1)}${THIN}%` : "–");
    set("count", formatNumber(stats.readings, 0));
  }
}

/** What the chart shows, as a sentence for who does not see it. */
export function sentenceOf(shown, from, to, timezone) {
  const parts = shown.map(({ sensor, series, gaps }) => {
    const unit = sensor.unit ? ` ${sensor.unit}` : "";
    const { min, max, last } = statsOf(series);
    const silent = gaps.length ? `, ${gaps.length} time${gaps.length > 1 ? "s" : ""} without readings` : "";
    if (sensor.kind === "counter") return `${sensor.name}: ${formatNumber(increase(series), sensor.decimals)}${unit} more${silent}`;
    if (sensor.kind === "state" || min === null) return `${sensor.name}${silent}`;
    const number = (value) => formatNumber(value, sensor.decimals);
    const limits = (sensor.limits ?? []).map(({ text }) => `; limit: ${text.toLowerCase()}`).join("");
    return `${sensor.name}: ${number(min)} to ${number(max)}${unit}, last ${number(last)}${silent}${limits}`;
  });
  return `From ${formatTime(from, timezone)} to ${formatTime(to, timezone)}. ${parts.join(". ")}.`;
}

export function showCoverage(shown) {
  const numbers = shown.filter(({ sensor }) => sensor.kind !== "state").map(({ series }) => series);
  const lines = new Map(numbers.reverse().map((series) => [series.bucket, coverage(series)])); // the first of each level
  const how = [];
  if (shown.some(({ sensor }) => sensor.kind === "counter")) how.push("counters: increase of each bucket");
  if (shown.some(({ series, sensor }) => sensor.kind === "state" && series.bucket !== "raw")) {
    how.push("states: the longest of each bucket, a fault before all");
  }
  setText(find("[data-coverage]"), capital([...[...lines.values()].reverse(), ...how].join(" · ") || "–"));
}

function localInput(ms, timezone) {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(ms);
  return parts.replace(" ", "T");
}

/** `24 Nov 06:32 to 14:32 +05:30`: seconds where they matter, the year where it is not the same. */
export function rangeText(from, to, timezone) {
  const parts = [from, to].map((ms) => {
    const [day, month, clock, offset] = formatTime(ms, timezone).split(" ");
    const year = localInput(ms, timezone).slice(0, 4);
    return { date: `${day} ${month}`, year, clock: to - from < WITH_SECONDS_MS ? clock : clock.slice(0, 5), offset };
  });
  const [start, end] = parts;
  const withYear = start.year !== end.year || end.year !== localInput(Date.now(), timezone).slice(0, 4);
  const date = (each) => (withYear ? `${each.date} ${each.year}` : each.date);
  const last = date(start) === date(end) ? end.clock : `${date(end)} ${end.clock}`;
  const first = start.offset === end.offset ? start.clock : `${start.clock} ${start.offset}`;
  return `${date(start)} ${first} to ${last} ${end.offset}`;
}

/** The range in words, what is pressed, and every link that leads to the same range elsewhere. */
export function showRange(view, [from, to], addresses, timezone, live) {
  setText(find("[data-bounds]"), rangeText(from, to, timezone));
  const mark = (selector, isCurrent) => {
    for (const each of document.querySelectorAll(selector)) {
      if (isCurrent(each.dataset)) setAttribute(each, "aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  };
  mark("[data-range]", ({ range }) => range === view.range);
  mark("a[data-view]", ({ view: name }) => (name === "table") === view.table);
  setAttribute(find("[data-act=follow]"), "aria-pressed", String(live));
  setAttribute(find("[data-trend]"), "data-view", view.table ? "table" : "chart");
  for (const each of document.querySelectorAll("[data-range]")) each.href = viewQuery({ ...view, range: each.dataset.range }, addresses);
  for (const each of document.querySelectorAll("a[data-view]")) each.href = viewQuery({ ...view, table: each.dataset.view === "table" }, addresses);
  for (const each of document.querySelectorAll("[data-program]")) {
    const url = new URL(each.href);
    url.searchParams.set("start", timeText(from));
    url.searchParams.set("end", timeText(to));
    each.href = url;
  }
  const form = find("[data-choose]");
  if (!form.contains(document.activeElement)) {
    form.elements.from.value = localInput(from, timezone);
    form.elements.to.value = localInput(to, timezone);
  }
  keepRange(view, addresses);
}

/** Removing a sensor, or adding one, keeps the range. */
function keepRange(view, addresses) {
  for (const each of document.querySelectorAll("[data-keeps]")) {
    each.href = viewQuery(view, addresses.filter((address) => address !== each.dataset.keeps));
  }
  for (const form of document.querySelectorAll("form.add, [data-choose]")) {
    const pairs = [...new URLSearchParams(viewQuery(view, addresses))];
    const own = form.matches("[data-choose]") ? ["range", "from", "to"] : [];
    for (const each of form.querySelectorAll("input[type=hidden]:not([name=zone])")) each.remove();
    for (const [name, value] of pairs.filter(([each]) => !own.includes(each))) {
      const input = document.createElement("input");
      Object.assign(input, { type: "hidden", name, value });
      form.prepend(input);
    }
  }
}
