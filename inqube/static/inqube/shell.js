// What surrounds every page: the theme switch, the phone's sheets, copying commands.

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

function switchTheme() {
  const systems = system.matches ? "dark" : "light";
  const chosen = (root.dataset.theme ?? systems) === "dark" ? "light" : "dark";
  // Back at the system's theme, follow it again.
  if (chosen === systems) delete root.dataset.theme;
  else root.dataset.theme = chosen;
  try {
    if (chosen === systems) localStorage.removeItem("inqube-theme");
    else localStorage.setItem("inqube-theme", chosen);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}

async function copy(button) {
  const label = button.querySelector("span");
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
  } catch {
    // No clipboard without TLS: select it, so that one keystroke copies it.
    getSelection().selectAllChildren(source);
    label.textContent = "Selected";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.matches("[data-theme-switch]")) switchTheme();
  if (button?.matches("[data-copy]")) copy(button);
  for (const sheet of document.querySelectorAll(".tabbar details[open]")) {
    if (!sheet.contains(event.target)) sheet.open = false;
  }
});
