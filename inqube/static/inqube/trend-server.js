// Takes parts of the page from the server, which writes them for browsers without a script too.

/** Replaces what these selectors name by the same of the page as the server has it for the present address. */
export async function takeFromServer(selectors, signal) {
  const response = await fetch(location.href, { signal });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const selector of selectors) {
    const fresh = page.querySelector(selector);
    if (fresh) document.querySelector(selector).replaceChildren(...fresh.childNodes);
  }
}

/** The alarms of the present address, below the chart; gives `[[sensor number, from, to or null, severity, standing], …]`. */
export async function takeAlarms(signal) {
  const address = new URL(location.href);
  address.searchParams.set("part", "alarms");
  const response = await fetch(address, { signal });
  if (response.ok && !response.redirected) {
    const answer = document.createElement("template");
    answer.innerHTML = await response.text();
    const [old, fresh] = [document, answer.content].map((each) => each.querySelector("[data-trend-alarms]"));
    if (fresh && !old.isEqualNode(fresh)) old.replaceWith(fresh);
  }
  return episodes();
}

export function episodes() {
  return JSON.parse(document.querySelector("[data-trend-alarms]").dataset.episodes);
}
