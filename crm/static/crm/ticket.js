// The page of a ticket: texts are inserted where the caret is, suggested numbers are taken over.

document.addEventListener("change", (event) => {
  const select = event.target.closest("[data-macros]");
  if (!select?.value) return;
  const field = document.getElementById(select.dataset.macros);
  field.setRangeText(select.value, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  select.value = "";
});

document.addEventListener("click", (event) => {
  const number = event.target.closest("[data-serial]")?.dataset.serial;
  if (number === undefined) return;
  const field = document.getElementById("id_serial");
  field.value = number;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
