// Shows and hides the password on the sign-in form, and counts down a lock.

const button = document.querySelector("[data-show-password]");
const field = document.getElementById("id_password");
const lock = document.querySelector("[data-lock]");

function show(visible) {
  field.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
  button.querySelector("span").textContent = visible ? "Hide" : "Show";
}

button.addEventListener("click", () => {
  show(field.type === "password");
  field.focus();
});
// A browser must neither offer to remember a visible password as text nor keep it in its history.
field.form.addEventListener("submit", () => show(false));

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  if (!minutes) return `${rest}\u202fs`;
  return rest ? `${minutes}\u202fmin ${rest}\u202fs` : `${minutes}\u202fmin`;
}

function open() {
  lock.remove();
  for (const control of field.form.querySelectorAll(":disabled")) control.disabled = false;
  field.focus();
}

function countDown() {
  // By the page's own clock: the device's may differ from the server's, and timers sleep with the device.
  const openAt = performance.now() + 1000 * Number(lock.dataset.lock);
  const opening = lock.querySelector("time");
  const text = lock.querySelector("[data-lock-text]");
  opening.textContent = new Date(opening.dateTime).toLocaleTimeString("en-GB");
  lock.setAttribute("role", "group"); // said once; not again with every second
  const timer = setInterval(() => {
    const left = Math.ceil((openAt - performance.now()) / 1000);
    if (left > 0) {
      text.textContent = `Sign-in is locked for ${duration(left)}.`;
    } else {
      clearInterval(timer);
      open();
    }
  }, 1000);
}

if (lock) countDown();
