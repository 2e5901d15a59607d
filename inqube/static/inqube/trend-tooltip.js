// What was read at the time under the pointer, of every sensor, beside the pointer.

import { bucketWord } from "./trend-axis.js";
import { formatAge, formatNumber, formatTime, THIN } from "./format.js";

const BESIDE_PX = 12;

/** The bucket around a time, or the reading next to it, unless it lies in a gap. */
export function pointAt({ series, gaps }, ms) {
  const { points } = series;
  if (gaps.some(([from, to]) => ms > from && ms < to)) return null;
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle].begin <= ms) low = middle;
    else high = middle - 1;
  }
  const [at, next] = [points[low], points[low + 1]];
  if (!at) return null;
  if (series.bucket === "raw" && next && next.begin - ms < ms - at.begin) return next;
  return at;
}

function said({ sensor, series }, point) {
  if (!point || !point.all) return ["–", "no readings"];
  if (sensor.kind === "state") return [point.label ?? "–", shares(point)];
  const unit = sensor.unit ? THIN + sensor.unit : "";
  if ((point.value ?? null) === null) return ["No good value", ""];
  const number = (value) => formatNumber(value, sensor.decimals);
  const more = sensor.kind === "counter" ? "increase" : point.low === null ? "" : `${number(point.low)} to ${number(point.high)}`;
  const quality = point.quality === "good" ? "" : series.bucket === "raw" ? point.quality : `partly ${point.quality}`;
  return [number(point.value) + unit, [more, quality].filter(Boolean).join(", ")];
}

/** `running 48 s, idle 12 s`, if it was more than one. */
function shares({ shares: found }) {
  const lasted = Object.entries(found ?? {}).filter(([, seconds]) => seconds > 0);
  if (lasted.length < 2) return "";
  return lasted.map(([label, seconds]) => `${label} ${formatAge(1000 * seconds)}`).join(", ");
}

function row([value, more], name) {
  const element = document.createElement("p");
  const bold = document.createElement("b");
  bold.textContent = value;
  const rest = document.createElement("span");
  rest.textContent = more ? `${more} · ${name}` : name;
  element.append(bold, rest);
  return element;
}

export class Tooltip {
  constructor(container, timezone) {
    this.container = container;
    this.timezone = timezone;
    this.element = document.createElement("div");
    this.element.className = "trend-tooltip";
    this.element.hidden = true;
    this.element.ariaHidden = "true";
    container.append(this.element);
  }

  hide() {
    this.element.hidden = true;
  }

  /** `shown`: of all panels; `panel`: the one that the pointer is in. */
  show(ms, panel, shown) {
    const found = shown.map((each) => [each, pointAt(each, ms)]);
    const first = found.find(([, point]) => point)?.[1];
    const bucket = found.find(([{ series }]) => series.bucket !== "raw")?.[0].series.bucket;
    const head = document.createElement("p");
    head.className = "when";
    const time = formatTime(first ? (first.bucketAt ?? first.begin) : ms, this.timezone).replace(/ [^ ]+$/, "");
    head.textContent = bucket ? `${time.replace(/:00$/, "")}, ${bucketWord(bucket)}` : time;
    this.element.replaceChildren(head, ...found.map(([each, point]) => row(said(each, point), each.sensor.title)));
    this.element.hidden = false;
    this.place(panel);
  }

  place({ plot }) {
    const box = this.container.getBoundingClientRect();
    const over = plot.over.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const x = over.left - box.left + plot.cursor.left;
    const isLeft = x + BESIDE_PX + width > box.width;
    const y = over.top - box.top + Math.min(plot.cursor.top + BESIDE_PX, Math.max(0, over.height - height - 4));
    this.element.style.left = `${Math.max(0, isLeft ? x - BESIDE_PX - width : x + BESIDE_PX)}px`;
    this.element.style.top = `${Math.max(0, y)}px`;
  }
}
