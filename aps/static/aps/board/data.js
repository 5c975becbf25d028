// The window of data: asked for, taken in, and asked for again near its ends.

const AHEAD = 1; // spans of the view loaded on both sides
const LEAST_AHEAD = 7 * 1440;

export async function load(board, force = false) {
  const { view, config, parts } = board;
  const ahead = Math.max(LEAST_AHEAD, AHEAD * (view.scale.end - view.scale.start));
  const ticket = (board.ticket = (board.ticket ?? 0) + 1);
  const iso = (minute) => new Date(minute * 60000).toISOString();
  if (force || !board.model) parts.beside.say(board, config.words.loading);
  try {
    const query = new URLSearchParams({
      ...config.place,
      from: iso(view.scale.start - ahead),
      to: iso(view.scale.end + ahead),
    });
    if (config.scenario) query.set("scenario", config.scenario);
    const answer = await fetch(`${config.data}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const data = await answer.json();
    if (ticket === board.ticket) take(board, data);
  } catch {
    if (ticket === board.ticket) parts.beside.say(board, config.words.failed);
  }
}

// The model anew from what was loaded, with the draft over it.
export function rebuild(board) {
  const { view, parts } = board;
  board.model = parts.model.makeModel(board.raw, board.families);
  view.loaded = board.model;
  view.hover = null;
  parts.follow.overlay(board);
  parts.edits?.overlay(board);
  parts.ghosts.overlay(board);
  parts.several?.keep(board);
  board.relayout();
  parts.beside.tell(board);
}

function take(board, data) {
  const { view, parts } = board;
  board.raw = data;
  rebuild(board);
  parts.beside.say(board, board.model.bars.length ? "" : board.config.words.empty);
  const version = String(data.version ?? "");
  const isNew = board.host.dataset.version !== version;
  board.host.dataset.version = version;
  parts.follow.caughtUp(board, version);
  if (!view.order) return;
  if (!board.shown) parts.choose.select(board, view.order, view.operation, { follow: true });
  else {
    parts.choose.askTree(board);
    if (isNew) parts.beside.showPanel(board);
  }
}

// Asks again a moment after the view comes near the end of what is loaded.
export function wantMore(board) {
  const { view, parts } = board;
  clearTimeout(board.timer);
  board.timer = setTimeout(() => {
    const margin = (view.scale.end - view.scale.start) * 0.25;
    const { from, to } = view.loaded ?? { from: Infinity, to: -Infinity };
    if (view.scale.start - margin < from || view.scale.end + margin > to) load(board);
    else parts.beside.tell(board);
  }, 150);
}
