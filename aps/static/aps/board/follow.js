// What happens meanwhile: states of operations at once; a newer plan only where no hand is at work.

const HANDS_OFF = 15_000;
const LOOK = 2_000;

export function begin(board) {
  const { host, config } = board;
  board.states = [];
  board.newer = null;
  board.touchedAt = 0;
  for (const kind of ["pointerdown", "keydown", "wheel", "input"]) {
    host.addEventListener(kind, () => (board.touchedAt = Date.now()), { capture: true, passive: true });
  }
  host.addEventListener("pointerdown", () => (board.isHeld = true), { capture: true });
  for (const kind of ["pointerup", "pointercancel"]) {
    addEventListener(kind, () => (board.isHeld = false), { capture: true });
  }
  // live.js wakes the piece above the board.
  document.body.addEventListener("live", (event) => {
    if (event.target.id === "progress") askStates(board);
  });
  document.body.addEventListener("schedule-newer", (event) => offer(board, event.detail));
  document.body.addEventListener("schedule-published", () => withdraw(board));
  host.querySelector("[data-load-newer]").addEventListener("click", load);
  setInterval(() => board.newer && !isInHand(board) && load(), LOOK);
  if (config.follow) askStates(board);
}

// A draft, an open dialog, a selection of several, a pressed pointer, or somebody at it just now.
function isInHand(board) {
  const { host, draft, view } = board;
  if (draft?.open || board.isHeld || view.several?.size) return true;
  if (document.querySelector("dialog[open]")) return true;
  return Date.now() - board.touchedAt < HANDS_OFF;
}

function offer(board, { version, cause }) {
  // Asked before the board was loaded anew, and answered after it.
  if (Number(version) <= Number(board.host.dataset.version)) return;
  board.newer = version;
  if (!isInHand(board)) {
    load();
    return;
  }
  const { host, config } = board;
  const text = config.words.newer.replace("{version}", version).replace("{cause}", cause);
  host.querySelector("[data-newer-text]").textContent = text;
  host.querySelector("[data-newer]").hidden = false;
}

// What is shown now is the newest that was heard of.
export function caughtUp(board, version) {
  if (board.newer !== null && Number(board.newer) <= Number(version)) withdraw(board);
}

function withdraw(board) {
  board.newer = null;
  board.host.querySelector("[data-newer]").hidden = true;
}

// The board and the figures above listen to it, as they do to the planner's own publishing.
function load() {
  document.body.dispatchEvent(new CustomEvent("schedule-published"));
}

async function askStates(board) {
  const answer = await fetch(board.config.follow, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  board.states = (await answer.json()).states;
  if (!board.model) return;
  overlay(board);
  board.parts.beside.tell(board);
  board.invalidate();
}

// Lays what the floor has said over the model; where the plan has a bar, it stays.
export function overlay({ model, states, parts }) {
  for (const [id, state, percent] of states) {
    const bar = model.byId.get(id);
    if (!bar) continue;
    bar.made = percent;
    if (bar.state === state) continue;
    bar.state = state;
    if (state !== "setup") bar.setupEnd = bar.start;
    bar.tone = parts.model.toneOf(bar, model.late);
  }
}
