// Selecting rows of a list: the whole page at once, by keys, and what the buttons then say they do.
//
// The rows may be replaced while the page stands; whoever does so sends the form a `change`.

const form = document.querySelector("[data-selection]");
const bar = form?.querySelector(".bulk");
const text = document.querySelector(".filter [type=search]");

function boxes() {
  return [...form.querySelectorAll("tbody [type=checkbox]")];
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox]), select, textarea, [contenteditable], dialog");
}

function follow() {
  const everything = form.querySelector("[data-everything]"); // not every list can be decided as a whole

  const show = () => {
    const all = boxes();
    const selected = all.filter((each) => each.checked).length;
    const count = everything?.checked ? everything.dataset.everything : String(selected);
    const any = everything?.checked || selected > 0;
    bar.toggleAttribute("data-any", any);
    bar.querySelector("[data-selected-text]").textContent = any ? `${count} selected` : "None selected";
    for (const button of bar.querySelectorAll("[data-label]")) {
      const rest = `${button.dataset.to ?? ""}${button.matches("[data-asks]") ? "…" : ""}`;
      button.textContent = any ? `${button.dataset.label} ${count}${rest}` : `${button.dataset.label}${rest}`;
      button.disabled = !any;
    }
    bar.querySelector("[data-clear]").hidden = !any;
    const page = form.querySelector("[data-page]");
    if (!page) return;
    page.checked = all.length > 0 && selected === all.length;
    page.indeterminate = selected > 0 && selected < all.length;
  };

  const clear = () => {
    for (const each of boxes()) each.checked = false;
    if (everything) everything.checked = false;
    show();
  };

  const move = (step) => {
    const all = boxes();
    if (!all.length) return;
    const at = all.findIndex((each) => each.closest("tr").contains(document.activeElement));
    const next = all[at === -1 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };

  form.addEventListener("change", ({ target }) => {
    if (target.matches("[data-page]")) for (const each of boxes()) each.checked = target.checked;
    if (everything && target !== everything && target !== form) everything.checked = false;
    if (everything && target === everything && everything.checked) for (const each of boxes()) each.checked = true;
    show();
  });
  bar.querySelector("[data-clear]").addEventListener("click", clear);
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x" && boxes().includes(event.target)) event.target.click();
    else if (event.key === "Escape") clear();
    else bar.querySelector(`[data-key="${CSS.escape(event.key)}"]:enabled`)?.click();
  });
  addEventListener("pageshow", show); // back in history, the browser has set the boxes again
  show();
}

if (bar) follow();

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!text) return;
  event.preventDefault();
  text.focus();
});
