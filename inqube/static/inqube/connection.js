// Says on the page whether its values are live: the pill, the strip, and the grey of everything while they are not.

import { formatAge, formatOffset, formatTime, formatWallClock, THIN } from "./format.js";
import { now } from "./clock.js";

const pill = document.querySelector("[data-pill]");
const strip = document.querySelector("[data-strip]");

function say(selector, text) {
  const element = document.querySelector(selector);
  if (element.textContent !== text) element.textContent = text;
}

function showPill(kind, icon, word, detail) {
  pill.dataset.pill = kind;
  pill.querySelector("use").setAttribute("href", `#i-${icon}`);
  say("[data-pill-word]", word); // a status for screen readers, so written only when it changes
  say("[data-pill-detail]", detail);
}

function seconds(ms) {
  return `${Math.max(0, ms / 1000).toFixed(1)}${THIN}s`;
}

/** `since`: a time of Date.now() → the server's clock. */
function asServerTime(ms) {
  return now() - (Date.now() - ms);
}

export function isOffline(feed) {
  return feed.state === "offline" || feed.state === "ended";
}

/**
 * Until when something is known, on the server's clock. Freshness is judged by it: what was fresh when the feed fell
 * silent did not become late by that.
 */
export function heardUntil(feed) {
  return asServerTime(feed.heardAt);
}

/** Follows a feed; `timezone` is that of the times it tells. */
export function showConnection(feed, timezone) {
  const update = () => {
    const wait = feed.retryAt ? Math.max(1, Math.ceil((feed.retryAt - Date.now()) / 1000)) : null;
    if (feed.state === "live") {
      showPill("live", "none", "Live", seconds(Date.now() - feed.heardAt));
    } else if (feed.state === "connecting" || feed.state === "reconnecting") {
      const word = feed.state === "connecting" ? "Connecting" : "Reconnecting";
      showPill("reconnecting", "clock", word, wait ? `${wait}${THIN}s` : "");
    } else {
      const since = formatWallClock(asServerTime(feed.lostAt), timezone);
      showPill("off", "close", "Offline", `since ${since}`);
    }
    document.documentElement.dataset.feed = isOffline(feed) ? "offline" : feed.state;
    showStrip(feed, timezone, wait);
  };
  feed.addEventListener("state", update);
  document.querySelector("[data-try-now]").addEventListener("click", () => feed.tryNow());
  update();
  return update;
}

function showStrip(feed, timezone, wait) {
  strip.hidden = !isOffline(feed);
  if (strip.hidden) return;
  const lost = asServerTime(feed.lostAt);
  const today = new Date(lost).toDateString() === new Date(now()).toDateString();
  const time = today ? `${formatWallClock(lost, timezone)} ${formatOffset(lost, timezone)}` : formatTime(lost, timezone);
  const ended = feed.state === "ended";
  say("[data-strip-title]", ended ? `Not live. ${feed.reason}` : "Not live.");
  say("[data-strip-text]", `Every value below is as of ${time}.`);
  document.querySelector("[data-try-now]").hidden = ended;
  document.querySelector("[data-sign-in]").hidden = !feed.signedOut;
  const silence = `Nothing from the feed for ${formatAge(Date.now() - feed.heardAt)}.`;
  say("[data-strip-reason]", ended ? "" : `${silence} ${wait ? `Trying again in ${wait}${THIN}s.` : "Trying now."}`);
}

for (const link of document.querySelectorAll("[data-sign-in]")) {
  link.href += `?next=${encodeURIComponent(location.pathname + location.search)}`;
}
