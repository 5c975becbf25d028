// Live pieces of a page: <div id="list" data-live="floor:1" hx-get="…" hx-trigger="live">.
// The server says only that a topic changed; the piece then fetches itself, and 204 leaves it as it
// is. Without a stream (too many, no network, an old proxy) the piece asks every ten seconds.

const POLL_MS = 10_000;
const RETRY_MS = 60_000;
const versions = new Map();
let source = null;
let listening = "";
let poll = 0;
let retry = 0;

const pieces = () => [...document.querySelectorAll("[data-live]")];
const topicsOf = (piece) => piece.dataset.live.split(/\s+/).filter(Boolean);

// Nobody's typing and no open dialog is taken away; the piece catches up afterwards.
function isBusy(piece) {
  if (piece.querySelector("dialog[open], details[data-keep][open]")) return true;
  const inputs = piece.querySelectorAll("input:not([type=hidden]), textarea, select");
  return [...inputs].some(
    (input) =>
      input === document.activeElement ||
      ("defaultValue" in input && input.value !== input.defaultValue),
  );
}

function refresh(topic) {
  for (const piece of pieces()) {
    if (topic && !topicsOf(piece).includes(topic)) continue;
    clearTimeout(piece.liveTimer);
    // Several facts of one act are one look.
    piece.liveTimer = setTimeout(() => look(piece), 150 + Math.random() * 250);
  }
}

function look(piece) {
  if (!piece.isConnected) return;
  if (isBusy(piece)) piece.liveTimer = setTimeout(() => look(piece), 2000);
  else htmx.trigger(piece, "live");
}

function startPolling() {
  if (!poll) poll = setInterval(() => refresh(), POLL_MS);
  if (!retry) retry = setTimeout(() => { retry = 0; connect(); }, RETRY_MS * (0.5 + Math.random()));
}

function stopPolling() {
  clearInterval(poll);
  clearTimeout(retry);
  poll = retry = 0;
}

function disconnect() {
  source?.close();
  source = null;
  listening = "";
}

function connect() {
  const topics = [...new Set(pieces().flatMap(topicsOf))].sort().join(",");
  if (source && topics === listening) return;
  disconnect();
  if (!topics || document.hidden) return;
  listening = topics;
  source = new EventSource(`/events/?topics=${encodeURIComponent(topics)}`);
  source.addEventListener("hello", () => {
    stopPolling();
    refresh();
  });
  source.addEventListener("changed", (event) => refresh(JSON.parse(event.data).topic));
  source.addEventListener("error", () => {
    // While it connects again by itself, nothing is missed but time: look as well.
    if (source?.readyState === EventSource.CLOSED) disconnect();
    startPolling();
  });
}

document.addEventListener("htmx:configRequest", (event) => {
  const piece = event.detail.elt;
  if (!piece.dataset?.live) return;
  const known = versions.get(piece.id);
  if (known) event.detail.headers["X-Live-Known"] = known;
});
// Somebody has begun to type, or opened a dialog, while the answer was on its way.
document.addEventListener("htmx:beforeSwap", (event) => {
  const piece = event.detail.requestConfig?.elt;
  if (!piece?.dataset?.live || event.detail.target !== piece || !isBusy(piece)) return;
  event.detail.shouldSwap = false;
  piece.liveMissed = true;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const piece = event.detail.elt;
  if (piece.liveMissed) {
    piece.liveMissed = false;
    piece.liveTimer = setTimeout(() => look(piece), 2000);
    return; // It does not show what it was sent.
  }
  const version = event.detail.xhr?.getResponseHeader("X-Live-Version");
  if (piece.dataset?.live && version) versions.set(piece.id, version);
});
document.addEventListener("htmx:afterSettle", () => connect());
// A page that nobody looks at holds no stream.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    disconnect();
    stopPolling();
  } else connect();
});
addEventListener("pagehide", disconnect);
connect();

// Timers: <time data-since="2026-11-22T10:00:00Z"> counts up, data-until counts down.
function span(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}
function tick() {
  for (const timer of document.querySelectorAll("[data-since], [data-until]")) {
    const { since, until } = timer.dataset;
    const left = since ? Date.now() - Date.parse(since) : Date.parse(until) - Date.now();
    // What is days away is said as a day beside it.
    const text = until && left > 86_400_000 ? "" : span(left);
    if (timer.textContent !== text) timer.textContent = text;
  }
}
setInterval(tick, 1000);
document.addEventListener("htmx:afterSettle", tick);
tick();
