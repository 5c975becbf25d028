// Several operations at once: chosen with Ctrl or Shift and click, with the space bar, or by taps
// while the button is pressed; locked, unlocked and taken off the plan together.

export function begin(board) {
  board.view.several = new Set();
  board.host.addEventListener("click", (event) => {
    const { several } = event.target.closest("button")?.dataset ?? {};
    if (several === "mode") setMode(board, !board.view.isGathering);
    else if (several === "clear") clear(board, { andMode: true });
    else if (several) edit(board, several);
  });
  tell(board);
}

// Whether a click or tap is meant to add; a plain one begins anew.
export function isAdding(board, event) {
  return Boolean(board.view.isGathering || event?.ctrlKey || event?.metaKey || event?.shiftKey);
}

// Adds the bar, or takes it out again; what was selected alone is the first of them.
export function toggle(board, bar) {
  const { view, parts } = board;
  const { several } = view;
  if (!several.size && view.operation && !view.isGathering) several.add(view.operation);
  if (!several.delete(bar.id)) several.add(bar.id);
  parts.choose.select(board, bar.order, bar.id);
  tell(board);
}

// The space bar: the operation that the keys have walked to.
export function toggleChosen(board) {
  const { view, model } = board;
  const bar = model?.byId.get(view.operation);
  if (!bar) return;
  if (!view.several.delete(bar.id)) view.several.add(bar.id);
  board.invalidate();
  tell(board);
}

export function clear(board, { andMode = false } = {}) {
  const { view } = board;
  if (andMode && view.isGathering) setMode(board, false);
  if (!view.several.size) return;
  view.several.clear();
  board.invalidate();
  tell(board);
}

function setMode(board, isOn) {
  board.view.isGathering = isOn;
  if (isOn && board.view.operation) board.view.several.add(board.view.operation);
  tell(board);
}

// Whether a step is for all of them.
export function isMeant({ view }, kind) {
  return view.several.size > 1 && (kind === "lock" || kind === "unplan");
}

// One step for each, asked for at once: all of them are done, or none and why.
export async function edit(board, kind) {
  const { view, model, parts } = board;
  const bars = [...view.several].map((id) => model?.byId.get(id)).filter(Boolean);
  const free = bars.filter((bar) => !bar.isLocked);
  const meant = kind === "lock" && free.length ? free : bars;
  const step = kind === "lock" && !free.length ? "unlock" : kind;
  if (!meant.length) return;
  await parts.edits.applyAll(board, meant.map((bar) => ({ kind: step, operation: bar.id })));
  if (kind === "unplan" && !board.draft.message) clear(board);
}

// After the plan was drawn anew: what is not on the board any more is chosen no longer.
export function keep(board) {
  const { view, model } = board;
  for (const id of view.several ?? []) if (!model.byId.has(id)) view.several.delete(id);
  tell(board);
}

function tell({ host, view, config }) {
  const box = host.querySelector("[data-several-box]");
  const count = view.several?.size ?? 0;
  box.hidden = count < 2 && !view.isGathering;
  box.querySelector("[data-count-of]").textContent = config.words.several.replace("{count}", count);
  for (const button of box.querySelectorAll("[data-several=lock], [data-several=unplan]")) {
    button.disabled = !count;
  }
  const mode = host.querySelector("[data-several=mode]");
  mode.setAttribute("aria-pressed", String(Boolean(view.isGathering)));
}
