// What a legend says of each sensor's range: last, lowest, mean, highest, how many readings and how many good ones.

/** `{last, lastAt, min, mean, max, readings, good, sum}`; null where nothing good was read. */
export function statsOf(series) {
  let [min, max, weight, sum, readings, good] = [Infinity, -Infinity, 0, 0, 0, 0];
  let [last, lastAt] = [null, null];
  for (const point of series.points) {
    readings += point.all;
    good += point.good;
    const { value } = point;
    if (value === null || value === undefined) continue;
    const of = point.good || 1; // an uncertain reading counts as the one it is
    min = Math.min(min, point.low ?? value);
    max = Math.max(max, point.high ?? value);
    sum += value * of;
    weight += of;
    [last, lastAt] = [value, point.end];
  }
  const any = weight > 0;
  return { last, lastAt, min: any ? min : null, max: any ? max : null, mean: any ? sum / weight : null, readings, good };
}

/** What a counter counted in the range. */
export function increase(series) {
  return series.points.reduce((sum, each) => sum + (each.value ?? 0), 0);
}

/** The meter's last reading in the range. */
export function reached(series) {
  return series.points.findLast((each) => (each.reached ?? null) !== null)?.reached ?? null;
}

/** The stretches of states, `[[from, to, label, shares], …]`, equal neighbours joined; null where nothing is known. */
export function stretches(series, gaps, to, nowMs) {
  const found = [];
  const end = Math.min(to, nowMs);
  series.points.forEach((point, index) => {
    const isRaw = series.bucket === "raw";
    const next = series.points[index + 1]?.begin ?? end;
    const gap = gaps.find(([first]) => isRaw && first >= point.end && first < next);
    const until = isRaw ? (gap ? gap[0] : next) : point.end;
    const before = found.at(-1);
    if (before && before[2] === point.label && before[1] >= point.begin) before[1] = until;
    else found.push([point.begin, until, point.label]);
  });
  return found.filter(([, , label]) => label !== null);
}
