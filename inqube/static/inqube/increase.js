// How much a counter grew within its sparkline's points, as telemetry/increase.py tells it on the server.

import { formatClock, formatNumber, THIN } from "./format.js";

const SPAN_MS = 3_600_000;
const BUCKET_MS = 120_000;

/** `{amount, since}` of points `[ms, value]`, oldest first; null where there is too little or a reset within. */
export function increase(points, nowMs) {
  const visible = points.filter(([ms]) => ms >= nowMs - SPAN_MS);
  const [first, last] = [visible[0], visible.at(-1)];
  if (!first || last[0] - first[0] < BUCKET_MS) return null;
  if (visible.some(([, value], index) => index && value < visible[index - 1][1])) return null;
  return { amount: last[1] - first[1], since: first[0] + BUCKET_MS / 2 };
}

/** `+12.4 kWh since 14:31`, or nothing. */
export function increaseText(sensor, timezone, nowMs) {
  const found = increase(sensor.sparklinePoints(), nowMs);
  if (!found) return "";
  const unit = sensor.unit ? THIN + sensor.unit : "";
  return `+${formatNumber(found.amount, sensor.decimals)}${unit} since ${formatClock(found.since, timezone, nowMs)}`;
}
