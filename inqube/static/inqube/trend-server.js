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
