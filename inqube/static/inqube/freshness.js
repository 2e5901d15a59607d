// How fresh and how good a reading is; the same rules as telemetry/freshness.py and machine_state.py.

const LATE_AFTER_INTERVALS = 3;

/** `age_s` null without a reading, `interval_s` null for a sensor that reports on change. */
export function freshness(ageS, intervalS, staleAfterS) {
  if (ageS === null) return "none";
  if (ageS > staleAfterS) return "stale";
  if (intervalS !== null && ageS > LATE_AFTER_INTERVALS * intervalS) return "late";
  return "fresh";
}

/** A sensor that reports on change may be silent as long as its machine's regular sensors speak. */
export function onChangeFreshness(own, neighbours) {
  return own === "stale" && neighbours.some((each) => each !== "none" && each !== "stale") ? "fresh" : own;
}

export function qualityOf(quality) {
  return quality >= 192 ? "good" : quality >= 64 ? "uncertain" : "bad";
}

/** What a sensor counts as: each one once, silence before quality. */
export function standing(fresh, quality) {
  return quality === "bad" && (fresh === "fresh" || fresh === "late") ? "bad" : fresh;
}

const PICTOGRAMS = new Set(["running", "idle", "stopped", "fault", "maintenance"]);

/** `{pictogram, word}` of a machine. */
export function machineState(freshnesses, label, quality, hasState) {
  const reported = freshnesses.filter((each) => each !== "none");
  if (!reported.length) return { pictogram: "waiting", word: "No data yet" };
  if (reported.every((each) => each === "stale")) return { pictogram: "silent", word: "Silent" };
  if (!hasState) return { pictogram: "none", word: "" };
  if (quality !== "good" && quality !== "uncertain") return { pictogram: "unknown", word: "State unknown" };
  if (label === undefined) return { pictogram: "unknown", word: "State unknown" };
  const known = label.toLowerCase();
  return {
    pictogram: PICTOGRAMS.has(known) ? known : "other",
    word: label[0].toUpperCase() + label.slice(1),
  };
}
