// Runs before the first paint, so that a chosen theme never flashes; a classic script, since modules are deferred.
document.documentElement.classList.add("js");
try {
  const chosen = localStorage.getItem("inqube-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is blocked: the system's theme it is.
}
