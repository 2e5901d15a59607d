// What stands at a chart's axes: times in the plant's zone, numbers with their unit at the highest.

import { formatNumber, THIN } from "./format.js";
import { BELOW_PX, STRIP_STEP_PX } from "./trend-draw.js";

const VALUE_TICKS_PX = 62;
const TIME_TICKS_PX = [64, 90]; // in a narrow chart, and in a wide one
const NARROW_PX = 600;
const DIGIT_PX = 6.6;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const formats = new Map();

function part(ms, timezone, name, options) {
  const key = `${timezone} ${name}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hourCycle: "h23", ...options }));
  }
  return formats.get(key).format(ms).replace("Sept", "Sep");
}

const clock = (ms, timezone) => part(ms, timezone, "clock", { hour: "2-digit", minute: "2-digit" });
const day = (ms, timezone) => part(ms, timezone, "day", { day: "numeric", month: "short" });
const month = (ms, timezone) => part(ms, timezone, "month", { month: "short", year: "numeric" });

/** One label for each tick: the day where one begins, else the time; months where ticks are that far apart. */
export function timeLabels(splits, step, timezone) {
  return splits.map((ms) => {
    if (step >= 28 * DAY_MS) return month(ms, timezone);
    if (step >= DAY_MS) return day(ms, timezone);
    const time = clock(ms, timezone);
    if (step < MINUTE_MS) return part(ms, timezone, "wall", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    return time === "00:00" ? day(ms, timezone) : time;
  });
}

/** How many decimals tell ticks apart that are that far from each other. */
function decimalsOf(step) {
  const text = Number(step.toPrecision(6)).toString();
  return text.includes("e-") ? Number(text.split("e-")[1]) : (text.split(".")[1] ?? "").length;
}

export function valueLabels(splits, step, unit) {
  const decimals = decimalsOf(step);
  const shown = splits.filter((each) => each !== null);
  return splits.map((each) => {
    if (each === null) return "";
    const text = formatNumber(each, decimals);
    return each === shown.at(-1) && unit ? `${text}${THIN}${unit}` : text;
  });
}

function axis({ colours }) {
  return {
    stroke: () => colours()["ink-3"],
    font: `${12 * colours().rem}px ${colours().face}`,
    grid: { stroke: () => colours().line, width: 1 },
    ticks: { show: false },
  };
}

/** uPlot's axis of times, below the strips of quality; only the last panel's has words. */
export function timeAxis(panel) {
  const { rem } = panel.colours;
  const strips = BELOW_PX + (panel.isStates ? 0 : panel.parts.length * STRIP_STEP_PX);
  return {
    ...axis({ colours: () => panel.colours }),
    gap: strips,
    size: strips + (panel.isLast ? 18 * rem : 2),
    space: (plot) => TIME_TICKS_PX[plot.width < NARROW_PX ? 0 : 1] * rem,
    values: (plot, splits, number, space, step) =>
      panel.isLast ? timeLabels(splits, step, panel.page.timezone) : splits.map(() => ""),
  };
}

/** uPlot's axis of values, as wide as the widest of all panels. */
export function valueAxis(panel) {
  const { layout } = panel.page;
  if (panel.isStates) return { splits: () => [], grid: { show: false }, ticks: { show: false }, size: () => layout.left };
  const { rem } = panel.colours;
  return {
    ...axis({ colours: () => panel.colours }),
    gap: 8,
    space: VALUE_TICKS_PX * rem,
    values: (plot, splits, number, space, step) => valueLabels(splits, step, panel.unit),
    size: (plot, values) => {
      const longest = Math.max(4, ...(values ?? []).map((each) => each.length));
      layout.left = Math.max(layout.left, Math.ceil(longest * DIGIT_PX * rem) + 14);
      return layout.left;
    },
  };
}

/** `5 min`, `1 h`, `7 d`: how long a bucket is, in words. */
export function bucketWord(bucket) {
  const [, size, unit] = /^(\d+)(\w+)$/.exec(bucket);
  const words = { m: "min", h: "h", d: "d", w: Number(size) > 1 ? "weeks" : "week", month: Number(size) > 1 ? "months" : "month" };
  return `${size}${THIN}${words[unit]}`;
}

const NAMES = { m: ["minute", "minutes"], h: ["hour", "hours"], d: ["day", "days"], w: ["week", "weeks"], month: ["month", "months"] };

/** `1-minute rollup, 458 of 480 minutes have readings`; of single readings their number. */
export function coverage(series) {
  const having = series.points.filter((each) => each.all).length;
  const total = formatNumber(having, 0);
  if (series.bucket === "raw") return `Single readings, ${total}`;
  const [, size, unit] = /^(\d+)(\w+)$/.exec(series.bucket);
  const [one, many] = NAMES[unit];
  const things = size === "1" ? many : `${size}-${one} buckets`;
  return `${size}-${one} rollup, ${total} of ${formatNumber(series.points.length, 0)} ${things} have readings`;
}
