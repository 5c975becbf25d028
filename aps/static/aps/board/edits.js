// The planner's draft: each step goes to the server, which answers what the plan would be with it.
// Feasibility is decided there alone; here the answer is laid over the plan in force.

const KINDS = { l: "lock", L: "lock", Delete: "unplan", m: "move", M: "move" };

export function begin(board) {
  const { host } = board;
  board.draft = { open: false };
  host.addEventListener("click", (event) => {
    const { dataset } = event.target.closest("button") ?? {};
    if (!dataset) return;
    if (dataset.step) step(board, dataset.step);
    else if (dataset.edit) edit(board, dataset.edit);
    else if (dataset.replan) replan(board, dataset.replan);
    else if (dataset.back) apply(board, { kind: "unlock", operation: Number(dataset.back) });
    else if (dataset.try) apply(board, JSON.parse(dataset.try));
  });
  host.addEventListener("keydown", (event) => {
    const isField = event.target.closest("input, select, textarea");
    if (event.target !== board.canvas && !isField) onStepKey(board, event);
  });
  refresh(board);
}

// The draft as the server has it, where another page or a new version may have changed it.
export function refresh(board) {
  return send(board, board.config.edits.draft, "GET");
}

// Undo and redo, wherever on the board the focus is.
function onStepKey(board, event) {
  const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
  if (!isCommand || !["z", "Z", "y", "Y"].includes(event.key)) return false;
  event.preventDefault();
  const again = event.shiftKey || event.key === "y" || event.key === "Y";
  // Without a step to take back there is nothing to ask the server for.
  if (again ? board.draft.canRedo : board.draft.canUndo) step(board, again ? "redo" : "undo");
  return true;
}

// Keys on the canvas; true where the key was meant.
export function onKey(board, event) {
  if (onStepKey(board, event)) return true;
  const isCommand = event.ctrlKey || event.metaKey;
  const kind = isCommand || event.altKey ? null : KINDS[event.key];
  if (event.key === "Escape" && board.parts.drag.cancel(board)) return true;
  if (event.key === " " && !isCommand && board.view.operation) {
    event.preventDefault();
    board.parts.several.toggleChosen(board);
    return true;
  }
  if (!kind || !board.view.operation) return false;
  event.preventDefault();
  event.stopPropagation();
  edit(board, kind);
  return true;
}

// A step with the selected operation, or with all that are.
function edit(board, kind) {
  const { view, model, parts, config } = board;
  if (parts.several.isMeant(board, kind)) {
    parts.several.edit(board, kind);
    return;
  }
  const bar = model?.byId.get(view.operation);
  if (kind === "move") {
    if (bar) parts.move.open(board, bar);
    else say(board, config.words.notLoaded);
    return;
  }
  const operation = view.operation;
  if (kind === "lock") apply(board, { kind: bar?.isLocked ? "unlock" : "lock", operation });
  else apply(board, { kind, operation });
}

function replan(board, direction) {
  apply(board, { kind: "replan_order", order: board.view.order, direction });
}

export function apply(board, change) {
  const version = board.draft.version ?? board.model?.version ?? null;
  return send(board, board.config.edits.draft, "POST", { change, version });
}

// Several steps at once: all of them, or none.
export function applyAll(board, changes) {
  const version = board.draft.version ?? board.model?.version ?? null;
  return send(board, board.config.edits.draft, "POST", { changes, version });
}

export function step(board, name) {
  return send(board, board.config.edits[name], "POST", null, name);
}

// One step at a time: what comes while one is under way waits for it.
function send(board, url, method, body = null, name = "") {
  const before = board.sending ?? Promise.resolve();
  board.sending = before.then(() => ask(board, url, method, body, name));
  return board.sending;
}

async function ask(board, url, method, body, name) {
  const { config, host, parts } = board;
  host.setAttribute("aria-busy", "true");
  try {
    const headers = { Accept: "application/json", "X-CSRFToken": token() };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    const isOurs = answer.headers.get("Content-Type")?.startsWith("application/json");
    if (!isOurs) throw new Error(String(answer.status));
    take(board, await answer.json());
    if (answer.ok && name === "publish") {
      // Loads the board anew, and with it the figures above, which would tell of the old version
      // until they ask by themselves.
      document.body.dispatchEvent(new CustomEvent("schedule-published"));
    }
  } catch {
    say(board, config.words.notSent);
  } finally {
    host.removeAttribute("aria-busy");
  }
}

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"] ?? "";
}

function take(board, draft) {
  const isAnother = board.draft.open || draft.open;
  board.draft = draft;
  tell(board, draft);
  if (board.raw) board.parts.data.rebuild(board);
  // The panel tells of the draft too.
  if (isAnother && board.shown) board.parts.beside.showPanel(board);
}

// Lays the draft over a fresh model: bars go where it has them, and leave a ghost behind.
export function overlay(board) {
  const { model, draft, view } = board;
  view.ghosts = [];
  if (!draft?.open) return;
  const changed = new Set();
  for (const bar of model.bars) bar.changeover = draft.changeovers[bar.id] ?? 0;
  for (const moved of draft.moved) {
    const row = model.rowById.get(moved.unit);
    if (!row) continue;
    const bar = model.byId.get(moved.id) ?? added(model, moved, draft);
    const isElsewhere = bar.row !== row || bar.start !== moved.start || bar.end !== moved.end;
    if (isElsewhere && moved.isMoved) leave(view, bar);
    if (bar.row) changed.add(bar.row);
    const setup = bar.setupEnd - bar.start;
    Object.assign(bar, { row, start: moved.start, end: moved.end, setupEnd: moved.start + setup });
    bar.isLate = moved.isLate;
    if (moved.isLate) bar.tone = "late";
    else if (bar.tone === "late") bar.tone = "planned";
    bar.isMoved = moved.isMoved;
    changed.add(row);
  }
  for (const id of draft.removed) {
    const bar = model.byId.get(id);
    if (!bar) continue;
    leave(view, bar);
    changed.add(bar.row);
    model.byId.delete(id);
    model.bars.splice(model.bars.indexOf(bar), 1);
  }
  for (const id of draft.locked) setLock(model, id, true);
  for (const id of draft.unlocked) setLock(model, id, false);
  board.parts.model.fill(model, changed);
}

function leave(view, bar) {
  if (!bar.row) return;
  bar.was = { row: bar.row, start: bar.start, end: bar.end };
  view.ghosts.push({ id: bar.id, row: bar.row, lane: bar.lane, start: bar.start, end: bar.end });
}

// A bar that the window did not hold before it was moved into it.
function added(model, moved, draft) {
  const bar = {
    ...moved,
    row: null,
    lane: 0,
    setupEnd: moved.start,
    changeover: draft.changeovers[moved.id] ?? 0,
    tone: moved.isLate ? "late" : "planned",
    order: moved.orders[0] ?? moved.workOrder,
    label: `${moved.item} · ${moved.name}`,
    familyNumber: 0,
  };
  model.bars.push(bar);
  model.byId.set(bar.id, bar);
  return bar;
}

function setLock(model, id, isLocked) {
  const bar = model.byId.get(id);
  if (bar) bar.isLocked = isLocked;
}

// ---- in words

export function say(board, sentence) {
  tell(board, { ...board.draft, message: sentence });
}

function tell(board, draft) {
  const box = board.host.querySelector("[data-draft]");
  box.hidden = !draft.open && !draft.message;
  box.querySelector("[data-summary]").textContent = draft.open
    ? draft.summary
    : board.config.words.noDraft;
  const problem = box.querySelector("[data-problem]");
  problem.hidden = !draft.message;
  problem.textContent = draft.message ?? "";
  fill(box.querySelector("[data-violations]"), draft.violations ?? [], (text) => [text, ""]);
  fill(box.querySelector("[data-dates]"), draft.dates ?? [], ({ text, tone }) => [text, tone]);
  fill(box.querySelector("[data-changes]"), draft.changes ?? [], (text) => [text, ""]);
  box.querySelector("[data-changes-box]").hidden = !draft.changes?.length;
  for (const button of box.querySelectorAll("[data-step]")) enable(button, draft);
  tellKeptOut(board, draft);
}

// What planners have taken off the plan, with the way back.
function tellKeptOut({ host, config }, { keptOut = [] }) {
  const box = host.querySelector("[data-kept-out]");
  box.hidden = !keptOut.length;
  box.querySelector("span").replaceChildren(
    ...keptOut.map(({ id, label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.dataset.back = id;
      button.textContent = config.words.planAgain.replace("{operation}", label);
      return button;
    }),
  );
}

function enable(button, draft) {
  const { step: name } = button.dataset;
  if (name === "undo") button.disabled = !draft.canUndo;
  else if (name === "redo") button.disabled = !draft.canRedo;
  else if (name === "rebase") button.hidden = !draft.stale || !draft.open;
  else if (name === "publish") button.disabled = !draft.changes?.length;
  else button.disabled = !draft.open;
}

function fill(list, rows, read) {
  list.hidden = !rows.length;
  list.replaceChildren(
    ...rows.map((row) => {
      const item = document.createElement("li");
      const [text, tone] = read(row);
      item.textContent = text;
      if (tone) item.className = `row-${tone}`;
      return item;
    }),
  );
  // A long list scrolls, so it has to be reached by key.
  if (list.scrollHeight > list.clientHeight + 1) list.tabIndex = 0;
  else list.removeAttribute("tabindex");
}
