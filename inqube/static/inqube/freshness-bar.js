// The freshness bar, as telemetry/templatetags/console.py divides it on the server.

const ORDER = ["fresh", "late", "stale", "none", "bad"];
const LEAST = 2; // percent: one bad sensor of a thousand is still seen
const GAP = 0.7;

export function showBar(svg, counts) {
  const key = ORDER.map((each) => counts[each]).join();
  if (svg.dataset.says === key) return;
  svg.dataset.says = key;
  const present = ORDER.filter((each) => counts[each]);
  const total = present.reduce((sum, each) => sum + counts[each], 0);
  const room = 100 - GAP * (present.length - 1);
  const wide = present.map((each) => Math.max(LEAST, (room * counts[each]) / total));
  const scale = room / wide.reduce((sum, each) => sum + each, 0);
  const [bars, hatch] = svg.querySelectorAll("pattern");
  const fills = { late: `url(#${bars.id})`, stale: `url(#${hatch.id})` };
  let x = 0;
  const segments = present.map((each, index) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.dataset.standing = each;
    rect.setAttribute("x", `${x.toFixed(2)}%`);
    rect.setAttribute("width", `${(wide[index] * scale).toFixed(2)}%`);
    rect.setAttribute("height", "100%");
    if (fills[each]) rect.setAttribute("fill", fills[each]);
    x += wide[index] * scale + GAP;
    return rect;
  });
  svg.replaceChildren(svg.querySelector("defs"), ...segments);
}
