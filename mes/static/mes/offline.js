// What the terminal shows of the network, and which pages it may need without: those of the job in
// hand, of the next ones, and of the machines where the person works too. The copies themselves are
// the service worker's.

const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const { body } = document;
const banner = document.getElementById("offline");
const work = () => document.getElementById("work");
const KEEP_MS = 60_000;
const LOOK_MS = 5000;
let kept = 0;
let look = 0;

function network(isUp) {
  body.dataset.network = isUp ? "up" : "down";
  banner.hidden = isUp;
  clearTimeout(look);
  if (isUp) return;
  banner.querySelector("span").textContent = texts.offline.replace("%s", work().dataset.asOf);
  // The machine's keeper should not have to ask whether it is back.
  look = setTimeout(() => htmx.trigger(work(), "floor:refresh"), LOOK_MS);
}

document.addEventListener("floor:network", ({ detail: { isUp } }) => network(isUp));
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => event.target.id === "work" && network(false), true);
}
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "work") network(![502, 503, 504].includes(detail.xhr.status));
});
addEventListener("offline", () => network(false));
addEventListener("online", () => htmx.trigger(work(), "floor:refresh"));

function keep() {
  const worker = navigator.serviceWorker.controller;
  if (!worker || body.dataset.network === "down" || Date.now() - kept < KEEP_MS) return;
  kept = Date.now();
  const links = [...work().querySelectorAll("a.term-row")].map((link) => link.href);
  worker.postMessage({ keep: [location.href, ...links] });
}

// What was done changes what is next: not sooner than the server knows of it.
document.addEventListener("htmx:afterSettle", (event) => event.target.id === "work" && keep());
document.addEventListener("floor:done", () => (kept = 0));

network(!body.dataset.stored);

// A browser gives service workers to secure origins only.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.addEventListener("controllerchange", keep);
  navigator.serviceWorker.register(body.dataset.worker).catch(() => {});
  keep();
}
