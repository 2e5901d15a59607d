// The last value of each line beside the chart, at the line's end, and the sensor's name below it.

import { formatNumber } from "./format.js";
import { increase } from "./trend-stats.js";

const APART_PX = 34;

/** Places as near as possible to where they want to be, `apart` from each other, between top and bottom. */
export function spread(wanted, apart, top, bottom) {
  const order = wanted.map((at, index) => ({ at, index })).sort((one, two) => one.at - two.at);
  let least = top;
  for (const each of order) {
    each.at = Math.max(each.at, least);
    least = each.at + apart;
  }
  let most = bottom;
  for (const each of order.reverse()) {
    each.at = Math.min(each.at, most);
    most = each.at - apart;
  }
  const found = [];
  for (const { at, index } of order) found[index] = at;
  return found;
}

function lastOf({ series }) {
  return series.points.findLast((each) => each.all && (each.value ?? each.label ?? null) !== null);
}

/** The last value; of a counter what it counted in the range. */
function textOf(sensor, series, last) {
  if (sensor.kind === "state") return last.label;
  if (sensor.kind === "counter") return `+${formatNumber(increase(series), sensor.decimals)}`;
  return formatNumber(last.value, sensor.decimals);
}

function label(place, text, name, isLine) {
  const element = document.createElement("p");
  element.className = isLine ? `gutter-label series-${place + 1}` : "gutter-label";
  const value = document.createElement("b");
  value.textContent = text;
  const said = document.createElement("span");
  said.textContent = `${place + 1} ${name}`;
  element.append(value, said);
  return element;
}

/** Writes the labels of a panel that has just been drawn. */
export function showGutter(panel, rem) {
  const { plot, element, shown } = panel;
  element.querySelector(".gutter")?.remove();
  const gutter = document.createElement("div");
  gutter.className = "gutter";
  gutter.ariaHidden = "true";
  gutter.style.left = `${plot.over.offsetLeft + plot.over.offsetWidth + 8}px`;
  const entries = shown.map((each, index) => [each, lastOf(each), index]).filter(([, last]) => last);
  const top = plot.over.offsetTop;
  const rows = plot.over.offsetHeight / shown.length;
  const wanted = entries.map(([, last, index]) =>
    panel.isStates ? top + rows * (index + 0.5) : top + plot.valToPos(last.value, "y"),
  );
  const places = spread(wanted, APART_PX * rem, top, top + plot.over.offsetHeight - 10);
  entries.forEach(([{ sensor, place, series }, last], index) => {
    const item = label(place, textOf(sensor, series, last), sensor.name, !panel.isStates);
    item.style.top = `${places[index]}px`;
    gutter.append(item);
  });
  element.append(gutter);
}
