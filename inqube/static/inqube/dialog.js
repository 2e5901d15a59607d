// Buttons that open a dialog; Esc, and any button of its form, closes it and gives the focus back.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-opens]");
  if (button) document.getElementById(button.dataset.opens).showModal();
});
