// The past of sensors from the API, at the level that fits the chart's width, in one shape for readings and buckets.

const HISTORY = "/api/v1/telemetry/history";
const RAW_SPAN_MS = 86_400_000; // `auto` gives single readings up to here
const STATES_RAW_SPAN_MS = 3_600_000;
const RAW_A_PX = 3; // readings that a pixel takes before their band says as much
const BAR_PX = 6; // of a counter's increase
const STATE_PX = 2;
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, month: 2_592_000_000 };

export class RefusedError extends Error {}

/** About how long a bucket such as `15m` is. */
export function bucketMs(bucket) {
  const [, size, unit] = /^(\d+)(\w+)$/.exec(bucket);
  return Number(size) * UNITS_MS[unit];
}

const LINE = { bucket: "auto", agg: "avg,min,max,count,count_all,count_bad", fill: "null" };
const BARS = { bucket: "auto", agg: "delta,last,count,count_all,count_bad", fill: "null" };
const STATES = { bucket: "auto", agg: "duration,count", fill: "null" };

/** What to ask about a sensor: `{bucket, agg, fill, points}`. Few readings come as they are. */
export function questionFor(sensor, span, width) {
  const points = Math.max(2, Math.floor(width));
  if (sensor.kind === "counter") return { ...BARS, points: Math.ceil(points / BAR_PX) };
  if (sensor.kind === "state") {
    if (span > STATES_RAW_SPAN_MS || sensor.interval === null) return { ...STATES, points: Math.ceil(points / STATE_PX) };
    return { bucket: "raw", points: 10_000 };
  }
  const expected = sensor.interval === null ? 0 : span / (1000 * sensor.interval);
  if (span <= RAW_SPAN_MS && expected <= RAW_A_PX * points) return { bucket: "auto", points: RAW_A_PX * points };
  return { ...LINE, points };
}

async function ask(question, sensors, from, to, signal) {
  const pairs = [
    ...sensors.map((each) => ["sensor_id", each.id]),
    ["start", new Date(from).toISOString()],
    ["end", new Date(to).toISOString()],
    ...Object.entries(question),
  ];
  const response = await fetch(`${HISTORY}?${new URLSearchParams(pairs)}`, {
    headers: { Accept: "application/json" },
    signal,
  });
  const answer = await response.json();
  if (!response.ok) throw new RefusedError(answer.errors?.[0]?.detail ?? answer.detail ?? answer.title);
  return new Map(answer.map((each) => [each.sensor_id, each]));
}

/** Asks about sensors of equal questions at once; a map from sensor to the API's series. */
async function askAll(questions, from, to, signal) {
  const groups = new Map();
  for (const [sensor, question] of questions) {
    const key = JSON.stringify(question);
    groups.set(key, [...(groups.get(key) ?? []), sensor]);
  }
  const found = new Map();
  await Promise.all(
    [...groups].map(async ([key, sensors]) => {
      const answer = await ask(JSON.parse(key), sensors, from, to, signal);
      for (const each of sensors) found.set(each, answer.get(each.id));
    }),
  );
  return found;
}

/** A map from sensor to its series between two times, for a chart that is so many pixels wide. */
export async function load(sensors, from, to, width, nowMs, signal) {
  const questions = new Map(sensors.map((each) => [each, questionFor(each, to - from, width)]));
  const answers = await askAll(questions, from, to, signal);
  // More readings than fit: `auto` chose buckets, but those say nothing of quality.
  const again = sensors.filter((each) => each.kind === "gauge" && !questions.get(each).agg && answers.get(each).bucket !== "raw");
  if (again.length) {
    const points = Math.max(2, Math.floor(width));
    const more = await askAll(new Map(again.map((each) => [each, { ...LINE, points }])), from, to, signal);
    for (const [each, answer] of more) answers.set(each, answer);
  }
  return new Map(sensors.map((each) => [each, seriesOf(each, answers.get(each), from, to, nowMs)]));
}

/** The buckets from a time on anew, of the same size: what came since, and what came late for the newest. */
export async function refresh(shown, from, to, nowMs, signal) {
  const questions = new Map();
  for (const [sensor, series] of shown) {
    const { agg, fill } = sensor.kind === "counter" ? BARS : sensor.kind === "state" ? STATES : LINE;
    questions.set(sensor, series.bucket === "raw" ? { bucket: "raw", points: 10_000 } : { bucket: series.bucket, agg, fill });
  }
  const answers = await askAll(questions, from, to, signal);
  return new Map([...shown.keys()].map((each) => [each, seriesOf(each, answers.get(each), from, to, nowMs)]));
}

export function qualityWord(quality) {
  return quality >= 192 ? "good" : quality >= 64 ? "uncertain" : "bad";
}

/**
 * `{bucket, points}`, each point `{begin, end, value, low, high, all, good, quality}` and of a state `{label, shares}`.
 * A point's quality is its worst, null where nothing was read; its value null where nothing good was.
 */
function seriesOf(sensor, answer, from, to, nowMs) {
  if (answer.bucket === "raw") {
    return { bucket: "raw", points: answer.points.map((row) => readingPoint(sensor, row)) };
  }
  const step = bucketMs(answer.bucket);
  const names = answer.columns;
  const points = [];
  answer.points.forEach((row, index) => {
    const begin = Math.max(from, row[0]);
    const end = Math.min(answer.points[index + 1]?.[0] ?? row[0] + step, to, nowMs);
    if (end <= begin) return; // nothing of it has happened yet
    const cell = Object.fromEntries(names.map((name, column) => [name, row[column]]));
    points.push({ bucketAt: row[0], begin, end, ...bucketPoint(sensor, cell) });
  });
  return { bucket: answer.bucket, points };
}

export function readingPoint(sensor, [ms, value, quality]) {
  const word = qualityWord(quality);
  const point = { begin: ms, end: ms, all: 1, good: Number(word === "good"), quality: word };
  if (sensor.kind === "state") return { ...point, label: word === "bad" ? null : (sensor.states[value] ?? String(value)) };
  return { ...point, value: word === "bad" ? null : value, low: null, high: null, measured: value };
}

function bucketPoint(sensor, cell) {
  if (sensor.kind === "state") {
    const { ts, count, ...shares } = cell;
    return { all: count, good: count, quality: count ? "good" : null, shares, label: mainState(shares) };
  }
  const all = cell.count_all;
  const quality = !all ? null : cell.count === all ? "good" : cell.count_bad ? "bad" : "uncertain";
  const point = { all, good: cell.count, quality };
  if (sensor.kind === "counter") return { ...point, value: cell.delta, low: null, high: null, reached: cell.last };
  return { ...point, value: cell.avg, low: cell.min, high: cell.max };
}

/** The state that lasted longest; but a fault is never hidden by what lasted longer. */
function mainState(shares) {
  const lasted = Object.entries(shares).filter(([, seconds]) => seconds > 0);
  if (!lasted.length) return null;
  const fault = lasted.find(([label]) => label.toLowerCase() === "fault");
  return (fault ?? lasted.sort((one, two) => two[1] - one[1])[0])[0];
}
