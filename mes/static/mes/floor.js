// The list looks again by itself, but never takes away what somebody is typing or reading.

document.addEventListener("htmx:beforeRequest", (event) => {
  const list = event.detail.elt;
  if (list.id !== "list") return;
  const typed = [...list.querySelectorAll("input:not([type=hidden])")].some(
    (input) => input.value !== input.defaultValue,
  );
  if (typed || list.contains(document.activeElement)) event.preventDefault();
});
