// The shape of the worst alarm beside each value and machine, as the server has drawn it.

/** `marks`: the list of templates/telemetry/_marks.html; what is not in it is in no alarm. */
export function applyMarks(marks) {
  const sensors = new Map([...marks.querySelectorAll("[data-of-sensor]")].map((each) => [each.dataset.ofSensor, each]));
  const machines = new Map(
    [...marks.querySelectorAll("[data-of-machine]")].map((each) => [each.dataset.ofMachine, each]),
  );
  for (const element of document.querySelectorAll(":is(.row, .tile)[data-sensor]")) {
    const mark = sensors.get(element.dataset.sensor);
    if (mark?.dataset.mark) element.dataset.severity = mark.dataset.mark; // of one that is over only the shape
    else delete element.dataset.severity;
    place(element.querySelector(element.matches(".tile") ? ".tile-head" : ".value"), mark, element.matches(".tile"));
  }
  for (const element of document.querySelectorAll("article[data-machine]")) {
    place(element.querySelector("h3"), machines.get(element.dataset.machine), true);
  }
}

function place(parent, mark, isLarge) {
  const old = parent.querySelector(":scope > .severity");
  const fresh = mark?.querySelector(".severity").cloneNode(true);
  fresh?.setAttribute("class", `severity severity-${isLarge ? 18 : 16}`);
  if (old && fresh && old.isEqualNode(fresh)) return;
  old?.remove();
  if (fresh) parent.prepend(fresh);
}
