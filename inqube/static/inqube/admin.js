// Names for screen readers that Django's admin leaves out: choices that complete, and the boxes that remove a row.

function nameControls() {
  for (const shown of document.querySelectorAll(".select2-selection__rendered")) {
    const select = shown.closest(".select2")?.previousElementSibling;
    const name = select?.labels?.[0]?.textContent.trim().replace(/:$/, "") || select?.name;
    if (!name) continue;
    for (const each of [shown, shown.parentElement]) each.setAttribute("aria-label", name);
    shown.parentElement.removeAttribute("aria-labelledby");
  }
  for (const box of document.querySelectorAll("input[name$='-DELETE']")) box.ariaLabel ??= "Delete this row";
}

// Django's own scripts make their widgets when jQuery says so, which may be after the page has loaded.
if (window.django?.jQuery) window.django.jQuery(nameControls);
else nameControls();
document.addEventListener("formset:added", nameControls);
