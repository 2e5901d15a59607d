// What of a plant needs a look, judged and worded as telemetry/attention.py does; no DOM.

import { formatAge } from "./format.js";

const RANK = [
  "critical", "fault", "high", "silent", "bad", "unknown", "medium", "stale", "maintenance", "low", "late",
];
const REPORTING = ["silent", "bad", "stale", "late"];
const STATES = { fault: "in fault", silent: "silent", unknown: "state unknown", maintenance: "in maintenance" };
const ICONS = { bad: "error", late: "clock" };

/** `[{machine, kind, sensors, since}, …]`, `since` in milliseconds or null; the machine has been judged. */
export function concerns(machine) {
  const state = machine.condition.pictogram;
  if (state === "silent") return [{ machine, kind: "silent", sensors: machine.sensors.length, since: machine.newest }];
  const found = [];
  if (state in STATES) found.push({ machine, kind: state, sensors: 0, since: machine.since?.[0] ?? null });
  for (const kind of ["bad", "stale", "late"]) {
    const times = machine.sensors.filter((each) => each.reading && each.standing === kind).map((each) => each.reading[0]);
    if (!times.length) continue;
    const since = kind === "bad" ? Math.max(...times) : Math.min(...times);
    found.push({ machine, kind, sensors: times.length, since });
  }
  return found;
}

/** `{concern, others}`, or null where nothing is abnormal. */
export function worst(machines) {
  const found = machines.flatMap(concerns);
  if (!found.length) return null;
  const best = Math.min(...found.map((each) => RANK.indexOf(each.kind)));
  const concern = found.find((each) => RANK.indexOf(each.kind) === best);
  return { concern, others: new Set(found.map((each) => each.machine)).size - 1 };
}

/** Whether an alarm is worse than what is worst else. */
export function outranks(severity, found) {
  return !found || RANK.indexOf(severity) < RANK.indexOf(found.concern.kind);
}

/** What does not report as expected, the longest silent first. */
export function notReporting(machines) {
  return machines
    .flatMap(concerns)
    .filter((each) => REPORTING.includes(each.kind) && each.since !== null)
    .sort((one, two) => one.since - two.since);
}

export function icon(concern) {
  return concern ? (ICONS[concern.kind] ?? concern.kind) : "check";
}

export function words({ machine, kind, sensors }) {
  if (kind === "silent") return `silent, ${sensors} sensor${sensors === 1 ? "" : "s"}`;
  return `${sensors} of ${machine.sensors.length} ${kind === "bad" ? "sensors" : kind}`;
}

export function title({ machine, kind, sensors }) {
  if (kind in STATES) return `${machine.name} ${STATES[kind]}`;
  return `${machine.name}: ${sensors} of ${machine.sensors.length} sensors ${kind}`;
}

/** `for 2 min, and 2 other machines`; while offline without durations, which would go on counting. */
export function detail({ concern, others }, nowMs, offline) {
  const said = [];
  if (concern.since !== null && concern.kind !== "bad" && !offline) {
    const age = formatAge(nowMs - concern.since);
    said.push(concern.kind in STATES ? `for ${age}` : `last reading ${age} ago`);
  }
  if (others) said.push(`and ${others} other machine${others === 1 ? "" : "s"}`);
  return said.join(", ");
}
