// The facts follow by themselves, but wait while somebody works in them.

document.addEventListener("htmx:beforeRequest", (event) => {
  const facts = event.detail.elt;
  if (facts.id !== "facts") return;
  const selection = getSelection();
  const reads = selection && !selection.isCollapsed && facts.contains(selection.anchorNode);
  const works = facts.querySelector("details[open], dialog[open]");
  if (reads || works || facts.contains(document.activeElement)) event.preventDefault();
});
