// "?" lists the keys, "/" goes to the search box, "g" and a letter jump to a page.
// data-shortcut="n" on a link or button presses it with that key.

const JUMP_MS = 1200;
let jumpUntil = 0;

function typing(element) {
  return element instanceof HTMLElement && element.matches("input, textarea, select, [contenteditable]");
}

function jump(key) {
  const link =
    key === "h"
      ? document.querySelector(".brand, .topbar-brand")
      : document.querySelector(`[data-jump="${CSS.escape(key)}"]`);
  link?.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (jumpUntil > event.timeStamp) {
    jumpUntil = 0;
    jump(event.key);
  } else if (event.key === "g") {
    jumpUntil = event.timeStamp + JUMP_MS;
  } else if (event.key === "?") {
    document.getElementById("shortcuts")?.showModal();
  } else if (event.key.length === 1) {
    const target = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
    if (!target) return;
    event.preventDefault();
    if (typing(target)) target.focus();
    else target.click();
  }
});
