// The geometry of a sparkline, as telemetry/sparkline.py draws it on the server.

const SPAN_MS = 3_600_000;
const LEAST_GAP_MS = 300_000;
const LEFT = 1;
const RIGHT = 37.5;
const TOP = 2.5;
const BOTTOM = 11.5;
const LEAST_SPAN = 0.1; // of the plausible range

/** `{line, last: [x, y] | null}` for points `[ms, value]`, oldest first. */
export function sparkline(points, nowMs, { low, high, interval }) {
  const start = nowMs - SPAN_MS;
  const visible = points.filter(([ms]) => ms >= start);
  if (!visible.length) return { line: "", last: null };
  const values = visible.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const plausible = low !== null && high !== null ? high - low : 0;
  const span = Math.max(most - least, LEAST_SPAN * plausible) || 1;
  const gap = Math.max(LEAST_GAP_MS, 3000 * (interval ?? 0));
  let line = "";
  let [x, y] = [0, 0];
  let previous = -Infinity;
  for (const [ms, value] of visible) {
    x = LEFT + (RIGHT - LEFT) * Math.min(1, (ms - start) / SPAN_MS);
    y = (TOP + BOTTOM) / 2 - ((BOTTOM - TOP) * (value - (least + most) / 2)) / span;
    line += `${ms - previous > gap ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    previous = ms;
  }
  return { line, last: [x.toFixed(1), y.toFixed(1)] };
}
