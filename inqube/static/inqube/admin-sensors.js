// The admin's list of sensors: goes on where the server's rendering ends. Several plants may be on one page of it.

import { everySecond, now, setClock } from "./clock.js";
import { isOffline, showConnection } from "./connection.js";
import { Feed } from "./feed.js";
import { formatAge, formatClock, formatNumber, formatTime, THIN } from "./format.js";
import { setAttribute, setText } from "./machine-card.js";
import { Plant } from "./plant-model.js";

/** The two cells of a sensor. */
class Row {
  constructor(value, age, sensor, timezone) {
    Object.assign(this, { value, age, sensor, timezone });
    this.time = age.querySelector("time");
  }

  show(nowMs, offline) {
    const { sensor } = this;
    for (const cell of [this.value, this.age]) setAttribute(cell, "data-freshness", sensor.freshness);
    if (!sensor.reading) return;
    const [ms, value] = sensor.reading;
    setAttribute(this.value, "data-quality", sensor.quality);
    const shown = sensor.kind === "state" ? (sensor.label ?? "unknown") : formatNumber(value, sensor.decimals);
    setText(this.value.querySelector(".number"), shown);
    setText(this.value.querySelector(".unit"), sensor.unit ? THIN + sensor.unit : "");
    setAttribute(this.time, "title", formatTime(ms, this.timezone));
    setText(this.time, offline ? formatClock(ms, this.timezone, nowMs) : formatAge(nowMs - ms));
    setText(this.age.querySelector(".said"), ["late", "stale"].includes(sensor.freshness) ? sensor.freshness : "");
  }
}

function follow(data) {
  setClock(data[0].now);
  const plants = new Map(data.map((each) => [each.slug, new Plant(each)]));
  const rows = [];
  for (const plant of plants.values()) {
    for (const [number, [, sensor]] of plant.bySensor) {
      const value = document.querySelector(`[data-value="${number}"]`);
      // Others are only there to say how fresh those are that report on change.
      if (value) rows.push(new Row(value, document.querySelector(`[data-age="${number}"]`), sensor, plant.timezone));
    }
  }
  const sensors = Object.fromEntries([...plants].map(([slug, plant]) => [slug, [...plant.bySensor.keys()]]));
  const feed = new Feed([...plants.keys()], sensors);
  const showFeed = showConnection(feed, data[0].timezone);

  function show() {
    const offline = isOffline(feed);
    if (!offline) for (const plant of plants.values()) plant.judge(now());
    for (const row of rows) if (row.sensor.freshness) row.show(now(), offline);
  }

  feed.addEventListener("readings", ({ detail }) => {
    plants.get(detail.plant).apply(detail.readings);
    if (!isOffline(feed)) show();
  });
  feed.addEventListener("state", show);
  everySecond(() => {
    showFeed();
    show();
  });
}

const element = document.getElementById("live"); // the page of one sensor has none
const data = element ? JSON.parse(element.textContent) : [];
if (data.length) follow(data);
