// The server's clock in the browser: ages are told by it, so that a wrong wall clock here can't make old values new.

import { formatOffset, formatWallClock } from "./format.js";

let aheadMs = 0;

/** `serverNowMs`: the server's time when it rendered the page. */
export function setClock(serverNowMs) {
  const [navigation] = performance.getEntriesByType("navigation");
  aheadMs = serverNowMs - (performance.timeOrigin + (navigation?.responseStart ?? 0));
}

export function now() {
  return Date.now() + aheadMs;
}

function tick() {
  const ms = now();
  for (const each of document.querySelectorAll("[data-clock]")) {
    each.textContent = formatWallClock(ms, each.dataset.clock);
  }
  for (const each of document.querySelectorAll("[data-offset]")) {
    each.textContent = formatOffset(ms, each.dataset.offset);
  }
}

/** Calls `each` once a second, on the second, and keeps the page's clocks. */
export function everySecond(each) {
  const run = () => {
    tick();
    each();
    setTimeout(run, 1000 - (now() % 1000));
  };
  run();
}
