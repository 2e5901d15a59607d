// Dialogs that ask for words before alarms are shelved or commented; without a script that question is a page.

import { now } from "./clock.js";

const list = document.querySelector("[data-selection]");
const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** The form posts for the selected rows, which are not its own. */
function take(form) {
  for (const each of form.querySelectorAll("[name=ids]")) each.remove();
  const selected = [...(list?.querySelectorAll("tbody [name=ids]:checked") ?? [])];
  for (const { value } of selected) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "ids", value }));
  }
  const title = form.querySelector("[data-title]");
  const count = list ? selected.length : 1;
  title.textContent = `${title.dataset.title} ${count} alarm${count === 1 ? "" : "s"}`;
}

function showUntil(form) {
  const button = form.querySelector("[data-until]");
  if (!button) return;
  const minutes = Number(form.querySelector("[data-minutes]").value);
  const until = now() + minutes * 60_000;
  button.textContent = `${button.dataset.until} ${(minutes < 1440 ? TIME : DAY).format(until)}`;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    const form = dialog.querySelector("form");
    // By attribute: the forms have buttons named "action".
    if (list) form.setAttribute("action", list.getAttribute("action"));
    take(form);
    showUntil(form);
    dialog.showModal();
  }
  event.target.closest("[data-closes]")?.closest("dialog").close();
});
document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-minutes]")) showUntil(target.form);
});
