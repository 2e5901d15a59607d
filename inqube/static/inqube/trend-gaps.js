// Where readings are missing, and how good those are that came: stretches of time out of points. No DOM.

const LATE_AFTER_INTERVALS = 3; // as freshness.js: a reading that is later than that is missed

/**
 * `{breaks, gaps}`, each `[[from, to], …]`: the times without readings that a sensor should have sent.
 *
 * A sensor that sends every `interval` seconds is missed after three of them, in buckets once as many are empty as that
 * takes: there the line breaks. Where that lasted until the sensor was stale, it is a gap, and hatched as all that is
 * stale. One that sends on change is never missed: its last value holds.
 */
export function missing(sensor, series, from, to, nowMs) {
  const end = Math.min(to, nowMs);
  if (sensor.interval === null) {
    const isEmpty = !series.points.some((each) => each.all);
    return { breaks: [], gaps: isEmpty ? [[from, end]] : [] };
  }
  const allowed = LATE_AFTER_INTERVALS * 1000 * sensor.interval;
  const breaks = [];
  let known = from;
  const close = (until) => {
    if (until > known && until - known >= allowed) breaks.push([known, until]);
  };
  for (const point of series.points) {
    if (!point.all) continue;
    close(point.begin);
    known = point.end;
  }
  close(end);
  return { breaks, gaps: breaks.filter(([since, until]) => until - since >= 1000 * sensor.stale) };
}

/** `[[from, to, quality], …]`: how good the readings are until the next ones, and null where they are missing. */
export function qualityRuns(series, gaps, to, nowMs) {
  const runs = gaps.map(([begin, end]) => [begin, end, null]);
  const known = series.points.filter((each) => each.quality !== null);
  let run = null;
  known.forEach((point, index) => {
    const next = known[index + 1]?.begin ?? Math.min(to, nowMs);
    const isMissed = gaps.some(([first]) => first >= point.end && first < next);
    const until = isMissed ? point.end : next;
    if (run?.[2] === point.quality && run[1] >= point.begin) run[1] = until;
    else runs.push((run = [point.begin, until, point.quality]));
  });
  return runs.sort((one, two) => one[0] - two[0]);
}

/** What lies in all of them. */
export function common(lists) {
  return lists.reduce((left, right) =>
    left.flatMap(([from, to]) =>
      right.map(([first, last]) => [Math.max(from, first), Math.min(to, last)]).filter(([begin, end]) => end > begin),
    ),
  );
}
