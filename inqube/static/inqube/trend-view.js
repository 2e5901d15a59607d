// What a trend shows, as its URL says it: a range of time, whether that goes on, chart or table. No DOM.

const DEFAULT_RANGE = "8h";
const SHORTEST_MS = 1_000;
const LONGEST_MS = 36_525 * 86_400_000;
const EARLIEST_MS = 0;

/** `{range, from, to, follow, table}`: either a range by name, which ends now, or from and to. */
export function parseView(search, ranges) {
  const query = new URLSearchParams(search);
  const [from, to] = [Date.parse(query.get("from")), Date.parse(query.get("to"))];
  const isFixed = from < to; // false for what is no time
  const named = query.get("range");
  return {
    range: isFixed ? null : named in ranges ? named : DEFAULT_RANGE,
    from: isFixed ? from : null,
    to: isFixed ? to : null,
    follow: query.get("follow") !== "0",
    table: query.get("view") === "table",
  };
}

export function timeText(ms) {
  return new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
}

/** The query that says it, for sensors by address. */
export function viewQuery(view, sensors) {
  const pairs = sensors.map((each) => ["sensor", each]);
  if (view.range) pairs.push(["range", view.range]);
  else pairs.push(["from", timeText(view.from)], ["to", timeText(view.to)]);
  if (view.table) pairs.push(["view", "table"]);
  if (!view.follow) pairs.push(["follow", "0"]);
  const text = ([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%2F", "/").replaceAll("%3A", ":")}`;
  return `?${pairs.map(text).join("&")}`;
}

/** `[from, to]` in milliseconds. */
export function boundsOf(view, ranges, nowMs) {
  return view.range ? [nowMs - ranges[view.range], nowMs] : [view.from, view.to];
}

export function isLive(view) {
  return view.range !== null && view.follow;
}

/** From here to there, in whole seconds where that is fine enough, never beyond what there may be. */
export function between(view, from, to) {
  const step = to - from > 60_000 ? 1000 : 1;
  const least = Math.max(EARLIEST_MS, Math.floor(from / step) * step);
  return { ...view, range: null, from: least, to: Math.max(least + SHORTEST_MS, Math.ceil(to / step) * step) };
}

/** The same length, earlier (-0.5) or later (0.5) by a part of it, but no later than now. */
export function panned(view, [from, to], part, nowMs) {
  const latest = Math.max(to, nowMs);
  const shift = Math.min((to - from) * part, latest - to);
  return between(view, from + shift, to + shift);
}

/** A longer or a shorter range around a time in it. */
export function scaled(view, [from, to], factor, aroundMs, nowMs) {
  const span = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (to - from) * factor));
  const part = (aroundMs - from) / (to - from);
  const end = Math.min(Math.max(to, nowMs), aroundMs + span * (1 - part));
  return between(view, end - span, end);
}

/** The name of the shortest range that is at least as long. */
export function rangeOfSpan(span, ranges) {
  const sorted = Object.entries(ranges).sort((one, two) => one[1] - two[1]);
  return (sorted.find(([, length]) => length >= span * 0.999) ?? sorted.at(-1))[0];
}
