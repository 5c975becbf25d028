// What is selected: the order lit on all machines, its tree, and where the parts out of sight are.

// keep: the table goes on showing the period of the load chart that it shows.
export function select(board, order, operation, { follow = false, keep = false } = {}) {
  const { view, model, parts } = board;
  const isNew = order !== view.order;
  view.order = order;
  view.operation = operation;
  light(board);
  const bar = model?.byId.get(operation);
  if (follow && bar) reveal(board, bar);
  board.shown = true;
  if (order && !keep) parts.load.forget(board);
  if (isNew || (order && !view.tree)) askTree(board);
  parts.beside.showPanel(board);
  parts.beside.tell(board);
  board.invalidate();
  board.remember();
}

// The order's operations and who waits for whom, beyond the window that is loaded.
export async function askTree(board) {
  const { view, config, parts } = board;
  const wanted = view.order;
  if (!wanted) view.tree = null;
  if (view.tree?.order !== wanted) view.tree = null;
  if (!wanted) return;
  const query = new URLSearchParams({ ...config.place, order: wanted });
  const answer = await fetch(`${config.tree}?${query}`).catch(() => null);
  if (!answer?.ok || view.order !== wanted) return;
  const tree = await answer.json();
  tree.byId = new Map(tree.operations.map((operation) => [operation.id, operation]));
  view.tree = tree;
  parts.beside.tell(board);
  board.invalidate();
}

// What is lit: the selected order, or what the filter asks for.
export function light({ view, parts }) {
  const { belongs, matches } = parts.model;
  const isFiltered = Boolean(view.text || view.late);
  view.isLit = (bar, filterOnly = false) => {
    if (view.order && !filterOnly) return belongs(bar, view.order) || Boolean(view.several?.has(bar.id));
    return !isFiltered || matches(bar, view);
  };
}

export function next(board, step) {
  const { view, model } = board;
  if (!model) return;
  const order = (bar) => bar.row.index * 1e9 + bar.start;
  const seen = inView(board).sort((a, b) => order(a) - order(b));
  const at = seen.findIndex((bar) => bar.id === view.operation);
  const bar = seen.at((at + (at < 0 && step < 0 ? 0 : step) + seen.length) % (seen.length || 1));
  if (bar) select(board, bar.order, bar.id, { follow: true });
}

// The bars between both edges that the filter lets through, on the rows that are shown.
export function inView({ view, model }) {
  const { start, end } = view.scale;
  return model.bars.filter(
    (bar) =>
      bar.end > start && bar.start < end && bar.row.y !== null && view.isLit(bar, true),
  );
}

export function reveal(board, bar) {
  const { view, parts } = board;
  if (bar.start < view.scale.start || bar.start > view.scale.end) view.scale.show(bar.start, 0.3);
  revealRow(board, bar.row);
  parts.data.wantMore(board);
}

function revealRow(board, row) {
  const { view, parts } = board;
  if (!row || row.y === null) return;
  const room = view.height - parts.axis.AXIS - 60;
  if (row.y < view.scrollTop + 30) parts.page.scroll(board, row.y - view.scrollTop - 30);
  if (row.y > view.scrollTop + room) parts.page.scroll(board, row.y - view.scrollTop - room);
}

// Brings an operation into the middle, even where the window does not hold it yet.
export function centre(board, operation) {
  const { view, model, parts } = board;
  const { start, end } = view.scale;
  const bar = model?.byId.get(operation.id) ?? operation;
  view.scale.start += (bar.start + bar.end) / 2 - (start + end) / 2;
  revealRow(board, bar.row ?? model?.rowById.get(bar.unit));
  const order = view.order || bar.order || bar.workOrder;
  select(board, order, bar.id, { keep: true });
  parts.data.wantMore(board);
}

// A step in the panel: go there.
export function showStep(board, button) {
  const { view, model, parts } = board;
  const operation = Number(button.dataset.operation);
  const bar = model?.byId.get(operation);
  if (!bar) view.scale.show(Date.parse(button.dataset.at) / 60000, 0.3);
  select(board, view.order, operation, { follow: true });
  parts.data.wantMore(board);
}

// The one of the order's operations out of sight that is nearest in the direction.
export function goTowards(board, direction) {
  const { view } = board;
  const out = outOfSight(board)[direction];
  const last = direction === "earlier" || direction === "above";
  const target = last ? out.at(-1) : out[0];
  if (target) centre(board, { ...target.operation, id: target.operation.id, order: view.order });
}

// The selected order's operations beyond each edge, nearest to it last or first.
export function outOfSight(board) {
  const { view, model, parts } = board;
  const found = { earlier: [], later: [], above: [], below: [] };
  if (!view.tree || !model) return found;
  const bottom = view.scrollTop + view.height - parts.axis.AXIS;
  for (const operation of view.tree.operations) {
    const place = placeOf(view, model, operation, parts.model.LANE);
    if (place.end <= view.scale.start) found.earlier.push({ operation, at: place.end });
    else if (place.start >= view.scale.end) found.later.push({ operation, at: place.start });
    else if (place.y === null) continue;
    else if (place.y + 8 < view.scrollTop) found.above.push({ operation, at: place.y });
    else if (place.y + 8 > bottom) found.below.push({ operation, at: place.y });
  }
  for (const list of Object.values(found)) list.sort((a, b) => a.at - b.at);
  return found;
}

// Where an operation of the tree lies: its bar's place, or its row where the bar is not loaded.
export function placeOf(view, model, operation, lane) {
  const bar = model.byId.get(operation.id);
  if (bar) {
    const y = bar.row.y === null ? null : bar.row.y + bar.lane * lane;
    return { start: bar.start, end: bar.end, y };
  }
  const row = model.rowById.get(operation.unit);
  return { start: operation.start, end: operation.end, y: row?.y ?? null };
}
