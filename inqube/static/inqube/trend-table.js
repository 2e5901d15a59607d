// Points of sensors as the columns that uPlot takes: times, then for each sensor the value, the lowest, the highest.

/** Where a point stands: a reading at its time, a bucket in its middle; a value that holds, at its begin. */
function placeOf(point, holds) {
  return holds ? point.begin : (point.begin + point.end) / 2;
}

/**
 * A sensor's columns. Null breaks the line: where readings are missing, and where nothing good was read. Buckets that are empty
 * because the sensor sends more seldom are left out.
 */
export function tableOf({ sensor, series, breaks, until }) {
  const holds = sensor.interval === null;
  const rows = series.points
    .filter((each) => each.all)
    .map((each) => [placeOf(each, holds), each.value, each.low, each.high]);
  for (const [from, to] of breaks) rows.push([(from + to) / 2, null, null, null]);
  const last = series.points.filter((each) => each.all).at(-1);
  if (holds && last && last.value !== null) rows.push([until, last.value, last.low, last.high]);
  rows.sort((one, two) => one[0] - two[0]);
  const columns = [[], [], [], []];
  let before = -Infinity;
  for (const row of rows) {
    if (row[0] <= before) continue; // uPlot's times ascend; two readings of a millisecond are one pixel
    before = row[0];
    row.forEach((cell, index) => columns[index].push(cell));
  }
  return columns;
}

/** The least and the most of all values that are shown, null where there are none. */
export function extremes(shown) {
  let [least, most] = [Infinity, -Infinity];
  for (const { series } of shown) {
    for (const { value, low, high } of series.points) {
      if (value === null || value === undefined) continue;
      least = Math.min(least, low ?? value);
      most = Math.max(most, high ?? value);
    }
  }
  return least <= most ? [least, most] : null;
}

const NEAR = 0.5; // of the values' span: limits that are farther off stay out of sight

/** The range of a value axis: the values, the limits that are near, and some room. */
export function valueRange(shown, limits, fromZero) {
  const found = extremes(shown);
  const { low, high } = shown[0].sensor;
  if (!found) return fromZero || low === null || high === null || low >= high ? [0, 1] : [low, high];
  let [least, most] = found;
  if (fromZero) return [Math.min(0, least), most > 0 ? most * 1.12 : 1];
  const plausible = low !== null && high !== null ? high - low : 0;
  const span = Math.max(most - least, 0.02 * plausible) || Math.abs(most) * 0.02 || 1;
  for (const { value } of limits) {
    if (value > most && value < most + NEAR * span) most = value;
    if (value < least && value > least - NEAR * span) least = value;
  }
  const middle = (least + most) / 2;
  const half = Math.max(span, most - least) * 0.56;
  return [middle - half, middle + half];
}
