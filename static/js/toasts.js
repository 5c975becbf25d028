// Short messages at the edge. From the server: Django's messages, or the response header
// HX-Trigger: {"toast": {"text": "…", "tone": "success"}}. Errors stay until they are closed.

const box = document.getElementById("toasts");
const texts = JSON.parse(document.getElementById("app-texts")?.textContent ?? "{}");
const STAYS_MS = 8000;

function arm(note) {
  const close = note.querySelector("[data-toast-close]");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => note.remove());
  }
  if (note.classList.contains("toast-error")) return;
  let timer = setTimeout(() => note.remove(), STAYS_MS);
  const wait = () => clearTimeout(timer);
  const resume = () => {
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), STAYS_MS);
  };
  note.addEventListener("pointerenter", wait);
  note.addEventListener("focusin", wait);
  note.addEventListener("pointerleave", resume);
  note.addEventListener("focusout", resume);
}

function show(text, tone = "info") {
  if (!box || !text) return;
  const note = document.createElement("div");
  note.className = `toast-note toast-${tone}`;
  note.dataset.toast = "";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", texts.close ?? "Close");
  close.textContent = "×";
  note.append(words, close);
  box.append(note);
  arm(note);
}

for (const note of box?.querySelectorAll("[data-toast]") ?? []) arm(note);

document.addEventListener("toast", (event) => show(event.detail.text, event.detail.tone));
document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  // The server has said it better.
  if (event.detail.xhr.getResponseHeader("HX-Trigger")?.includes('"toast"')) return;
  show(status === 403 ? texts.forbidden : texts.failed, "error");
});
document.addEventListener("htmx:sendError", () => show(texts.offline, "error"));
document.addEventListener("htmx:timeout", () => show(texts.offline, "error"));
// Messages that a fragment brings out of band.
document.addEventListener("htmx:oobAfterSwap", (event) => {
  if (event.target !== box) return;
  for (const note of box.querySelectorAll("[data-toast]:has([data-toast-close][hidden])")) arm(note);
});
