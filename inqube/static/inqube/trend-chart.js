// One panel of a chart: the sensors of one unit, drawn by uPlot.

import { timeAxis, valueAxis } from "./trend-axis.js";
import { faded } from "./trend-colours.js";
import { ALARMS_PX, drawAlarms, drawGaps, drawLimits, drawQuality } from "./trend-draw.js";
import { common } from "./trend-gaps.js";
import { drawStates } from "./trend-states.js";
import { tableOf, valueRange } from "./trend-table.js";

const { uPlot } = globalThis; // a classic script that the page loads before its modules
const POINT_EVERY_PX = 12; // readings that are farther apart are dots too

/** Each bucket of a counter as a bar from its begin to its end. */
function barPaths(panel, index) {
  return (plot) => {
    const path = new Path2D();
    const bottom = plot.valToPos(0, "y", true);
    for (const { begin, end, value } of panel.shown[index].series.points) {
      if (!value) continue;
      const left = plot.valToPos(begin, "x", true);
      const right = plot.valToPos(end, "x", true);
      const top = plot.valToPos(value, "y", true);
      path.rect(left, top, Math.max(1, right - left - (right - left > 4 ? 1 : 0)), bottom - top);
    }
    return { stroke: null, fill: path, clip: null, flags: 0 };
  };
}

export class Panel {
  /**
   * `parts`: `[{sensor, place}, …]`, the place being that among the page's sensors. `page` has what panels share:
   * colours, timezone, bounds, layout `{left, right}`, and what to do: `select(from, to)`, `back()`, `point(ms, panel)`, `drawn(panel)`.
   */
  constructor(element, parts, page, { isLast, height }) {
    this.element = element;
    this.page = page;
    this.parts = parts;
    this.isLast = isLast;
    this.height = height;
    this.isCounter = parts[0].sensor.kind === "counter";
    this.isStates = parts[0].sensor.kind === "state";
    this.unit = parts[0].sensor.unit;
    this.limits = [];
    this.episodes = [];
    this.shown = [];
    this.plot = null;
  }

  /** `shown`: a `{sensor, place, series, gaps, runs, until}` for each part. */
  show(shown, limits, episodes) {
    this.shown = shown;
    this.limits = limits;
    this.episodes = episodes;
    const tables = this.isStates ? [[this.page.bounds, ...shown.flatMap(() => [[0, 0], [0, 0], [0, 0]])]] : shown.map(tableOf);
    this.gaps = common(shown.map((each) => each.gaps));
    const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
    if (this.plot) this.plot.setData(data);
    else this.plot = new uPlot(this.options(), data, this.element);
  }

  resize(width) {
    if (this.plot && this.plot.width !== width) this.plot.setSize({ width, height: this.height });
  }

  get colours() {
    return this.page.colours.now;
  }

  options() {
    const mean = this.parts.map((_, index) => 1 + 3 * index);
    return {
      width: this.element.clientWidth,
      height: this.height,
      ms: 1,
      tzDate: (ms) => uPlot.tzDate(new Date(ms), this.page.timezone),
      legend: { show: false },
      padding: [() => 10 + (this.episodes.length ? ALARMS_PX : 0), this.page.layout.right, 0, 0],
      series: [{}, ...this.parts.flatMap((part, index) => this.lines(part, index))],
      bands: mean.map((each) => ({ series: [each + 2, each + 1], fill: () => this.bandColour((each - 1) / 3) })),
      scales: {
        x: { time: true, range: () => this.page.bounds },
        y: { range: () => (this.isStates ? [0, this.parts.length] : valueRange(this.shown, this.limits, this.isCounter)) },
      },
      axes: [timeAxis(this), valueAxis(this)],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        sync: { key: "trend", scales: ["x", null], filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        points: { show: (plot, index) => !this.isStates && mean.includes(index) && this.dot(index), width: 1.5, size: 8 },
        bind: {
          dblclick: () => () => {
            this.page.back();
            return null;
          },
        },
      },
      hooks: {
        drawAxes: [(plot) => this.drawBehind(plot)],
        draw: [(plot) => this.drawBefore(plot)],
        setCursor: [(plot) => this.page.point(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null, this)],
        setSelect: [(plot) => this.selected(plot)],
      },
    };
  }

  bandColour(index) {
    const { place } = this.parts[index];
    return faded(this.colours.series[place], place ? 0.2 : 0.14);
  }

  lines({ sensor, place }, index) {
    const colour = () => this.colours.series[place];
    const isDense = (plot, from, to) => (to - from) * POINT_EVERY_PX * uPlot.pxRatio > plot.bbox.width;
    const lonely = (plot, number, show) => (show ? null : this.lonely(plot, number));
    const edge = { stroke: null, width: 0, points: { show: false } };
    const line = {
      stroke: colour,
      width: place ? 1.5 : 1.75,
      dash: this.colours.dashes[place],
      spanGaps: false,
      points: { show: (plot, _, from, to) => !isDense(plot, from, to), filter: lonely, size: 4, stroke: colour, fill: colour },
    };
    if (this.isStates) return [edge, edge, edge].map((each) => ({ ...each }));
    if (this.isCounter) {
      const fill = () => faded(colour(), 0.55);
      Object.assign(line, { paths: barPaths(this, index), fill, width: 1, dash: [], points: { show: false } });
    } else if (sensor.interval === null) line.paths = uPlot.paths.stepped({ align: 1 });
    return [line, edge, { ...edge }];
  }

  /** The points that no line reaches: between two gaps. */
  lonely(plot, number) {
    const values = plot.data[number];
    const has = (index, step) => {
      let at = index + step;
      while (at >= 0 && at < values.length && values[at] === undefined) at += step;
      return values[at] !== null && values[at] !== undefined;
    };
    const found = [];
    values.forEach((value, index) => {
      if (value !== null && value !== undefined && !has(index, -1) && !has(index, 1)) found.push(index);
    });
    return found.length ? found : null;
  }

  dot(index) {
    const dot = document.createElement("div");
    dot.className = `trend-dot series-${this.parts[(index - 1) / 3].place + 1}`;
    return dot;
  }

  drawBehind(plot) {
    if (this.isStates) return;
    drawGaps(plot, this.gaps ?? [], this.colours, uPlot.pxRatio);
  }

  drawBefore(plot) {
    drawAlarms(plot, this.episodes, this.shown[0]?.until ?? 0, this.colours, uPlot.pxRatio);
    if (this.isStates) drawStates(plot, this.shown, this.colours, uPlot.pxRatio);
    else {
      drawLimits(plot, this.limits, this.colours, uPlot.pxRatio);
      drawQuality(plot, this.shown, this.colours, uPlot.pxRatio);
    }
    this.page.drawn(this);
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.page.select(from, to);
  }

  redraw() {
    this.plot?.redraw(true, true);
  }

  /** Draws again if another panel's values have become wider, so that all begin at the same place. */
  align() {
    if (this.plot && this.plot.bbox.left < Math.round(this.page.layout.left * uPlot.pxRatio) - 1) this.redraw();
  }
}
