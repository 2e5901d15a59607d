// Shows and hides the password on the sign-in form.

const button = document.querySelector("[data-show-password]");
const field = document.getElementById("id_password");

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
