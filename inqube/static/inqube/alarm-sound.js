// A tone for each new alarm while the switch is on. Browsers let a page sound only after somebody has touched it.

const KEY = "inqube-sound";
// Frequencies in Hz, one after the other: the more and the higher, the worse.
const TONES = { critical: [880, 660, 880, 660], high: [740, 740], medium: [520], low: [440] };
const TONE_S = 0.18;
const LEAST_MS = 1_500; // between two alarms that are heard
const LOUDNESS = 0.2;

let context = null;
let beptAt = 0;

function isOn() {
  try {
    return localStorage.getItem(KEY) === "on";
  } catch {
    return false; // storage is blocked: silent, as by default
  }
}

function wake() {
  if (!isOn()) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
}

function show(root) {
  for (const each of root.querySelectorAll("[data-sound]")) {
    each.setAttribute("aria-pressed", String(isOn()));
    each.title = isOn() ? "Sound is on" : "Sound is off";
  }
}

function beep(severity) {
  if (!isOn() || context?.state !== "running" || Date.now() - beptAt < LEAST_MS) return;
  beptAt = Date.now();
  TONES[severity]?.forEach((hertz, index) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const at = context.currentTime + index * TONE_S * 1.4;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02); // without it, it clicks
    volume.gain.linearRampToValueAtTime(0, at + TONE_S);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
  });
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-sound]")) return;
  try {
    localStorage.setItem(KEY, isOn() ? "off" : "on");
  } catch {
    return;
  }
  wake();
  show(document);
  if (context?.state === "running") beep("low"); // so that it is heard what it will be like
});
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, wake);

export const sound = { beep, show };
