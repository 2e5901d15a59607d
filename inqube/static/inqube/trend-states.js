// State sensors as strips, drawn as the machine's timeline draws them: shape before colour, a fault in colour too.

import { hatch, type } from "./trend-draw.js";

export const ROW_PX = 46;
const STRIP_PX = 30;
const NAMED_FROM = 1.6; // times the word's width
const HEIGHTS = { idle: 9, stopped: 2 }; // of STRIP_PX, from the bottom

function paint(ctx, label, left, bottom, width, colours, px) {
  const known = label.toLowerCase();
  const height = (HEIGHTS[known] ?? STRIP_PX) * px;
  if (known === "maintenance") {
    ctx.lineWidth = px;
    ctx.strokeStyle = colours["ink-2"];
    ctx.strokeRect(left + px / 2, bottom - height + px / 2, Math.max(0, width - px), height - px);
    return;
  }
  const isFault = known === "fault";
  ctx.fillStyle = isFault ? colours.crit : known in HEIGHTS || known === "running" ? colours.run : colours["band-2"];
  const more = isFault ? 4 * px : 0;
  ctx.fillRect(left, bottom - height - more, Math.max(px, width), height + 2 * more);
}

/** `shown`: `[{states: [[from, to, label], …], gaps}, …]`, one below the other. */
export function drawStates(plot, shown, colours, px) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top - 4 * px, bbox.width, bbox.height + 8 * px);
  ctx.clip();
  type(ctx, colours, px);
  shown.forEach(({ states, gaps }, index) => {
    const row = bbox.height / shown.length;
    const bottom = bbox.top + row * index + (row + STRIP_PX * px) / 2;
    const at = (ms) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(ms, "x", true)));
    for (const [from, to, label] of states) {
      const left = at(from);
      paint(ctx, label, left, bottom, at(to) - left, colours, px);
    }
    for (const [from, to] of gaps) {
      const left = at(from);
      ctx.clearRect(left, bottom - (STRIP_PX + 4) * px, at(to) - left, (STRIP_PX + 8) * px);
      hatch(ctx, colours["hatch-ink"], left, bottom - STRIP_PX * px, at(to) - left, STRIP_PX * px, px);
    }
    for (const [from, to, label] of states) name(ctx, label, at(from), at(to), bottom, colours, px);
  });
  ctx.restore();
}

/** The state's word, where the strip leaves room for it. */
function name(ctx, label, left, right, bottom, colours, px) {
  const known = label.toLowerCase();
  const width = ctx.measureText(label).width;
  if (right - left < NAMED_FROM * width) return;
  const isLow = known in HEIGHTS;
  ctx.fillStyle = isLow ? colours["ink-2"] : known === "maintenance" ? colours["ink-2"] : colours.surface;
  ctx.fillText(label, left + 8 * px, bottom - (isLow ? 20 : STRIP_PX / 2) * px);
}
