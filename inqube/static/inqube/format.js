// Values, ages and times as people read them; the same rules as telemetry/formats.py.

export const THIN = "\u202f"; // thin no-break space: thousands, and between a number and its unit
const NO_BREAK = "\u00a0";
const MINUS = "\u2212";
const MOST_DECIMALS = 10;
const EXPONENT_FROM = 1e15;

/** `1 284`, `−38`, `0.12` */
export function formatNumber(value, decimals) {
  if (Math.abs(value) >= EXPONENT_FROM) return value.toExponential(3).replaceAll("-", MINUS);
  const [whole, fraction] = Math.abs(value).toFixed(Math.min(decimals, MOST_DECIMALS)).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  const text = fraction ? `${grouped}.${fraction}` : grouped;
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

/** `2 s`, `48 s`, `14 min`, `1 h 14 min`, `3 d`; `narrow`: minutes up to 90, `74 min` */
export function formatAge(ageMs, narrow = false) {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${seconds}${THIN}s`;
  if (minutes < (narrow ? 90 : 60)) return `${minutes}${THIN}min`;
  if (hours < 24) return `${hours}${THIN}h${NO_BREAK}${String(minutes % 60).padStart(2, "0")}${THIN}min`;
  return `${Math.floor(hours / 24)}${THIN}d`;
}

const formats = new Map();

function format(timezone, name, options) {
  const key = `${timezone} ${name}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hourCycle: "h23", ...options }));
  }
  return formats.get(key);
}

const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };

/** `14:31`, or `23 Nov` where that is not today, in the plant's zone. */
export function formatClock(ms, timezone, nowMs) {
  const day = format(timezone, "day", DAY);
  const date = day.format(ms);
  return date === day.format(nowMs) ? format(timezone, "clock", TIME).format(ms) : shortMonth(date);
}

/** `14:32:08` */
export function formatWallClock(ms, timezone) {
  return format(timezone, "wall", { ...TIME, second: "2-digit" }).format(ms);
}

/** `24 Nov 14:31:22 +05:30` */
export function formatTime(ms, timezone) {
  const date = shortMonth(format(timezone, "day", DAY).format(ms));
  return `${date} ${formatWallClock(ms, timezone)} ${formatOffset(ms, timezone)}`;
}

/** `+05:30`, `−03:00`, `UTC` */
export function formatOffset(ms, timezone) {
  const parts = format(timezone, "offset", { timeZoneName: "longOffset" }).formatToParts(ms);
  const name = parts.find((part) => part.type === "timeZoneName").value;
  const offset = name.slice(3).replace("-", MINUS); // "GMT+05:30"; "GMT" or "GMT+00:00" at zero
  return ["", "+00:00"].includes(offset) ? "UTC" : offset;
}

// British English alone writes "Sept"; the server writes three letters for every month.
function shortMonth(date) {
  return date.replace("Sept", "Sep");
}
