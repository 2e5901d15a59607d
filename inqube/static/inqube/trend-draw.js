// What a chart has beside its lines: silence hatched, limits, the strip of quality. Draws on the canvas.

import { formatAge } from "./format.js";

const NAMED_FROM_PX = 24; // a hatched block that is wider says how long it is
export const STRIP_PX = 7;
export const BELOW_PX = 10; // the strips lie so far below the plot
export const STRIP_STEP_PX = 12; // from one sensor's strip to the next
export const ALARMS_PX = 18; // the strip above the plot
const SHAPE_PX = 13;
const LEAST_PX = 3; // of what is not good: a single bad reading is seen
const DASHES = { HH: [7, 4], LL: [7, 4], H: [2, 3], L: [2, 3] };

/** Lines at 45°, 2 px every 6. */
export function hatch(ctx, colour, x, y, width, height, px) {
  if (width <= 0) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.beginPath();
  const step = 6 * Math.SQRT2 * px;
  for (let at = x - height - ((x + y) % step); at < x + width + step; at += step) {
    ctx.moveTo(at, y + height);
    ctx.lineTo(at + height, y);
  }
  ctx.lineWidth = 2 * px;
  ctx.strokeStyle = colour;
  ctx.stroke();
  ctx.restore();
}

/** Where nothing was read, behind the lines; named where there is room. */
export function drawGaps(plot, gaps, colours, px) {
  const { ctx, bbox } = plot;
  for (const [from, to] of gaps) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    hatch(ctx, colours["hatch-ink"], left, bbox.top, right - left, bbox.height, px);
    if (right - left < NAMED_FROM_PX * px) continue;
    ctx.save();
    type(ctx, colours, px);
    ctx.textAlign = "center";
    const text = `no readings ${formatAge(to - from)}`;
    const width = ctx.measureText(text).width;
    ctx.translate((left + right) / 2, bbox.top + bbox.height / 2);
    if (width + 16 * px > right - left) ctx.rotate(-Math.PI / 2);
    ctx.fillStyle = colours.surface;
    if (width < Math.max(bbox.height, right - left)) {
      ctx.fillRect(-width / 2 - 4 * px, -8 * px, width + 8 * px, 16 * px);
      ctx.fillStyle = colours["ink-2"];
      ctx.fillText(text, 0, 0);
    }
    ctx.restore();
  }
}

/** Text as on the page; uPlot leaves behind how it wrote its axes. */
export function type(ctx, colours, px) {
  ctx.font = `${12 * colours.rem * px}px ${colours.face}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
}

/** The shape of a severity with its letter, as on the page, in a square of `size`; outlined, or filled. */
export function drawShape(ctx, severity, left, top, size, colours, px, isFilled = false) {
  const { edge, words } = colours.severity[severity];
  const [right, bottom, middle, centre] = [left + size, top + size, left + size / 2, top + size / 2];
  ctx.save();
  ctx.beginPath();
  if (severity === "critical") ctx.rect(left, top, size, size);
  else if (severity === "high") ctx.moveTo(middle, top), ctx.lineTo(right, bottom), ctx.lineTo(left, bottom);
  else if (severity === "medium") ctx.moveTo(middle, top), ctx.lineTo(right, centre), ctx.lineTo(middle, bottom), ctx.lineTo(left, centre);
  else ctx.arc(middle, centre, size / 2, 0, 2 * Math.PI);
  ctx.closePath();
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.lineWidth = 1.3 * px;
  ctx.strokeStyle = edge;
  ctx.fillStyle = isFilled ? edge : colours.surface;
  ctx.fill();
  ctx.stroke();
  ctx.fillStyle = isFilled ? colours.surface : words;
  ctx.font = `700 ${0.56 * size}px ${colours.face}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(severity[0].toUpperCase(), middle, centre + (severity === "high" ? 0.14 : 0.04) * size);
  ctx.restore();
}

/** `limits`: `[{value, kind: "HH" | "H" | "L" | "LL" | "plausible", severity, text}, …]`; those in sight. */
export function drawLimits(plot, limits, colours, px) {
  const { ctx, bbox } = plot;
  ctx.save();
  type(ctx, colours, px);
  for (const { value, kind, severity, text } of limits) {
    const y = plot.valToPos(value, "y", true);
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) continue;
    const { edge, words } = colours.severity[severity] ?? { edge: colours["line-2"], words: colours["ink-3"] };
    ctx.setLineDash((DASHES[kind] ?? []).map((each) => each * px));
    ctx.lineWidth = (kind === "plausible" ? 1 : 1.25) * px;
    ctx.strokeStyle = edge;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    const isAbove = y > bbox.top + 16 * px;
    const left = bbox.left + (severity ? 26 : 8) * px;
    if (severity) drawShape(ctx, severity, bbox.left + 8 * px, y + (isAbove ? -16 : 4) * px, SHAPE_PX * px, colours, px);
    ctx.textBaseline = isAbove ? "bottom" : "top";
    ctx.setLineDash([]);
    ctx.lineWidth = 4 * px; // a rim, so that it can be read on lines
    ctx.lineJoin = "round";
    ctx.strokeStyle = colours.surface;
    ctx.strokeText(text, left, y + (isAbove ? -3 : 3) * px);
    ctx.fillStyle = words;
    ctx.fillText(text, left, y + (isAbove ? -3 : 3) * px);
  }
  ctx.restore();
}

/** Alarms above the plot, each from its begin to its end: `[[sensor number, from, to or null, severity, standing], …]`. */
export function drawAlarms(plot, episodes, nowMs, colours, px) {
  const { ctx, bbox } = plot;
  if (!episodes.length) return;
  ctx.save();
  type(ctx, colours, px);
  const middle = bbox.top - (ALARMS_PX / 2 + 2) * px;
  ctx.textAlign = "right";
  ctx.fillStyle = colours["ink-3"];
  ctx.fillText("Alarms", bbox.left - 8 * px, middle);
  const right = bbox.left + bbox.width;
  const placed = episodes
    .map(([, from, to, severity, standing]) => ({
      left: Math.max(bbox.left, plot.valToPos(from, "x", true)),
      end: Math.min(right, plot.valToPos(to ?? nowMs, "x", true)),
      severity,
      isFilled: standing === "raised",
    }))
    .filter(({ left, end }) => left <= right && end >= bbox.left)
    .reverse(); // the oldest first, as they came
  for (const { left, end, severity } of placed) {
    ctx.fillStyle = colours.severity[severity].edge;
    ctx.fillRect(left, middle - 3 * px, Math.max(2 * px, end - left), 6 * px);
  }
  let free = -Infinity; // where a shape has room
  for (const { left, severity, isFilled } of placed) {
    const at = Math.max(0, left - (SHAPE_PX + 2) * px);
    if (at < free) continue;
    drawShape(ctx, severity, at, middle - (SHAPE_PX / 2) * px, SHAPE_PX * px, colours, px, isFilled);
    free = at + (SHAPE_PX + 3) * px;
  }
  ctx.restore();
}

/** A strip for each sensor below the plot: `[{runs, place}, …]`. */
export function drawQuality(plot, strips, colours, px) {
  const { ctx, bbox } = plot;
  ctx.save();
  type(ctx, colours, px);
  nameStrips(plot, strips, colours, px);
  ctx.beginPath();
  ctx.rect(bbox.left, 0, bbox.width, ctx.canvas.height);
  ctx.clip();
  strips.forEach(({ runs }, index) => {
    const y = bbox.top + bbox.height + (BELOW_PX + index * STRIP_STEP_PX) * px;
    const placed = runs.map(([from, to, quality]) => {
      const left = plot.valToPos(from, "x", true);
      const right = Math.max(left + (quality === "good" ? 0 : LEAST_PX * px), plot.valToPos(to, "x", true));
      drawRun(ctx, quality, left, y, right - left, colours, px);
      return { left, right, quality };
    });
    const marked = placed.filter((each) => each.quality !== "good");
    for (const { left, right, quality } of marked) {
      if (quality === null) continue;
      const width = ctx.measureText(quality).width + 10 * px;
      if (right + width > bbox.left + bbox.width) continue;
      // Not where it would cover something that is not good either.
      if (marked.some((other) => other.left > left && other.left < right + width)) continue;
      drawName(ctx, quality, right, width, y, colours, px);
    }
  });
  ctx.restore();
}

/** Which strip is whose, in the margin. */
function nameStrips({ ctx, bbox }, strips, colours, px) {
  ctx.textAlign = "right";
  strips.forEach(({ place }, index) => {
    ctx.fillStyle = strips.length > 1 ? colours.series[place] : colours["ink-3"];
    const y = bbox.top + bbox.height + (BELOW_PX + index * STRIP_STEP_PX + STRIP_PX / 2) * px;
    ctx.fillText(strips.length > 1 ? String(place + 1) : "Quality", bbox.left - 8 * px, y);
  });
  ctx.textAlign = "left";
}

function drawRun(ctx, quality, left, y, width, colours, px) {
  const height = STRIP_PX * px;
  if (quality === null) hatch(ctx, colours["hatch-ink"], left, y, width, height, px);
  else if (quality === "uncertain") {
    ctx.clearRect(left, y, width, height);
    ctx.setLineDash([2 * px, 2 * px]);
    ctx.strokeStyle = colours["ink-2"];
    ctx.lineWidth = px;
    ctx.strokeRect(left + px / 2, y + px / 2, width - px, height - px);
  } else {
    ctx.fillStyle = quality === "bad" ? colours.bad : colours.band;
    ctx.fillRect(left, y, width, height);
  }
}

function drawName(ctx, quality, left, width, y, colours, px) {
  ctx.fillStyle = colours.surface;
  ctx.fillRect(left, y - 2 * px, width, (STRIP_PX + 4) * px);
  ctx.fillStyle = quality === "bad" ? colours["bad-ink"] : colours["ink-2"];
  ctx.fillText(quality, left + 5 * px, y + (STRIP_PX / 2) * px);
}
