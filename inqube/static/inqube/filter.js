// The plant page's filter: applied here while typing, kept in the URL, the same as telemetry/machine_filter.py.

const form = document.querySelector(".filter");

/** `cards`: the page's MachineCards. Returns a function that applies the filter to what they show now. */
export function filterMachines(cards) {
  if (!form) return () => {};
  const zones = [...document.querySelectorAll("[data-zone]")];
  const buttons = [...form.querySelectorAll("[name=show]:not(.no-js-only)")];
  const [zone, text] = [form.elements.zone, form.elements.q];

  const chosen = () => buttons.find((each) => each.hasAttribute("aria-current")).value;

  const matches = ({ machine }) => {
    if (chosen() === "abnormal" && !machine.isAbnormal) return false;
    if (chosen() === "stale" && !machine.staleCount) return false;
    if (zone.value && machine.zone !== zone.value) return false;
    const part = text.value.trim().toLowerCase();
    return [machine, ...machine.sensors].some((each) => each.name.toLowerCase().includes(part));
  };

  const apply = () => {
    const machines = cards.map((each) => each.machine);
    form.querySelector("[data-count=abnormal]").textContent = machines.filter((each) => each.isAbnormal).length;
    form.querySelector("[data-count=stale]").textContent = machines.filter((each) => each.staleCount).length;
    let shown = 0;
    for (const card of cards) {
      // What has the focus stays, whatever becomes of its machine.
      const visible = matches(card) || card.element.contains(document.activeElement);
      card.element.hidden = !visible;
      shown += visible;
    }
    for (const each of zones) each.hidden = !each.querySelector(".machine:not([hidden])");
    document.querySelector("[data-no-match]").hidden = shown > 0;
    const active = chosen() !== "all" || zone.value || text.value.trim();
    document.querySelector(".zones").toggleAttribute("data-filtered", Boolean(active));
  };

  const keep = () => {
    const query = new URLSearchParams();
    if (chosen() !== "all") query.set("show", chosen());
    if (zone.value) query.set("zone", zone.value);
    if (text.value.trim()) query.set("q", text.value.trim());
    document.querySelector("[data-wrong]")?.remove(); // it was about the URL that is now replaced
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    apply();
  };

  const choose = (value) => {
    for (const each of buttons) each.toggleAttribute("aria-current", each.value === value);
    buttons.find((each) => each.value === value).setAttribute("aria-current", "true");
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.name === "show") choose(event.submitter.value);
    keep();
  });
  form.addEventListener("input", keep);
  document.querySelector("[data-clear-filter]").addEventListener("click", (event) => {
    event.preventDefault();
    choose("all");
    zone.value = text.value = "";
    keep();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      text.focus();
    }
    if (event.key === "Escape" && event.target === text) {
      text.value = "";
      keep();
    }
  });
  return apply;
}
