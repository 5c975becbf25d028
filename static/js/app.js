// The page's small manners: menus, dialogs, theme, sidebar, buttons that send once.
// Hooks are data attributes; everything keeps working on content that htmx swaps in.

const root = document.documentElement;
root.classList.add("has-script");

const YEAR = 365 * 24 * 3600;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
}

function switchTheme() {
  const dark = root.dataset.bsTheme
    ? root.dataset.bsTheme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.bsTheme = dark ? "light" : "dark";
  remember("theme", root.dataset.bsTheme);
  document.dispatchEvent(new CustomEvent("theme:changed", { detail: root.dataset.bsTheme }));
}

function foldSidebar(button) {
  const folded = root.dataset.sidebar !== "folded";
  if (folded) root.dataset.sidebar = "folded";
  else delete root.dataset.sidebar;
  button.setAttribute("aria-pressed", String(folded));
  remember("sidebar", folded ? "folded" : "open");
}

// Newer browsers obey the button's command attribute themselves.
function native(button) {
  return "commandForElement" in HTMLButtonElement.prototype && button.hasAttribute("commandfor");
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  closeMenus(target.closest("details[data-menu]"));
  const opener = target.closest("[data-dialog-open]");
  if (opener) {
    closeMenus();
    if (!native(opener)) openDialog(opener.dataset.dialogOpen);
  }
  const closer = target.closest("[data-dialog-close]");
  if (closer && !native(closer)) closer.closest("dialog")?.close();
  // A click on the backdrop hits the dialog element itself.
  if (target instanceof HTMLDialogElement && outside(target, event)) target.close();
  if (target.closest("[data-theme-switch]")) switchTheme();
  const fold = target.closest("[data-sidebar-fold]");
  if (fold) foldSidebar(fold);
});

function outside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return (
    event.clientX < box.left ||
    event.clientX > box.right ||
    event.clientY < box.top ||
    event.clientY > box.bottom
  );
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

// A form with a data-once button is sent once; a second press waits for the answer.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.hasAttribute("data-once") || event.defaultPrevented) return;
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  button.setAttribute("aria-busy", "true");
});

// Back from the history cache: forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

// What was worked out of a form tells of what stood in it then: data-clears names the place.
document.addEventListener("input", (event) => {
  const place = event.target.form?.dataset.clears;
  if (place) document.querySelector(place)?.replaceChildren();
});

// A fragment may bring a dialog that interrupts: <dialog data-open>.
function openWaiting(scope) {
  for (const dialog of scope.querySelectorAll("dialog[data-open]:not([open])")) dialog.showModal();
}
openWaiting(document);
document.addEventListener("htmx:afterSettle", (event) => openWaiting(event.target.parentElement ?? document));
