// The look's tokens as a canvas takes them; read once, and again when the theme changes.

const NAMES = ["surface", "ink", "ink-2", "ink-3", "line", "line-2", "band", "band-2", "run", "hatch-ink", "crit", "bad", "bad-ink"];
// By severity: of the line and the shape, and of words.
const SEVERITIES = { critical: ["crit", "crit-ink"], high: ["high", "high-ink"], medium: ["med-edge", "med-ink"], low: ["low", "low-ink"] };
const MOST_SERIES = 8;

function read() {
  const root = document.documentElement;
  // A token's own text may be `light-dark(…)`: only a property that uses it says which of the two counts.
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(--${name}, var(--ink-2))`;
    return getComputedStyle(probe).color;
  };
  const style = getComputedStyle(root);
  const found = {
    ...Object.fromEntries(NAMES.map((name) => [name, colour(name)])),
    severity: Object.fromEntries(
      Object.entries(SEVERITIES).map(([name, [edge, words]]) => [name, { edge: colour(edge), words: colour(words) }]),
    ),
    series: Array.from({ length: MOST_SERIES }, (_, index) => colour(`series-${index + 1}`)),
    dashes: Array.from({ length: MOST_SERIES }, (_, index) =>
      style.getPropertyValue(`--dash-${index + 1}`).trim().split(/\s+/).filter(Boolean).map(Number),
    ),
    face: style.getPropertyValue("--face"),
    rem: parseFloat(style.fontSize) / 16, // walls have larger ones
  };
  probe.remove();
  return found;
}

/** Colours that stay right: `changed` is called after the theme or the size of type has changed. */
export class Colours {
  constructor(changed) {
    this.now = read();
    const update = () => {
      this.now = read();
      changed();
    };
    new MutationObserver(update).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
  }
}

/** `rgb(1, 2, 3)` with less of it. */
export function faded(colour, part) {
  return `color-mix(in srgb, ${colour} ${100 * part}%, transparent)`;
}
