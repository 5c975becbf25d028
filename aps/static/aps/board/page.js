// What people do on the board and around it, turned into changes of the view.

export function actions(board) {
  const { view, parts } = board;
  const moved = () => {
    board.invalidate();
    parts.data.wantMore(board);
    board.remember();
  };
  return {
    width: () => view.scale.width,
    pan: (pixels) => (view.scale.pan(pixels), moved()),
    zoom(factor, x) {
      view.scale.zoom(factor, x === undefined ? view.scale.width / 2 : Math.max(0, x - view.headerWidth));
      moved();
    },
    span: (days) => (view.scale.span(days, anchor(board)), moved()),
    today: () => (view.scale.show(view.now), moved()),
    scroll: (pixels) => scroll(board, pixels),
    point: (x, y) => point(board, x, y),
    pick: (x, y, event) => pick(board, x, y, event),
    hold: (x, y) => hold(board, x, y),
    next: (step) => parts.choose.next(board, step),
    clear() {
      parts.several?.clear(board, { andMode: true });
      parts.choose.select(board, "", 0);
    },
    grab: (x, y, event) => parts.drag?.grab(board, barAt(board, x, y), x, y, event),
    key: (event) => Boolean(parts.edits?.onKey(board, event)),
  };
}

// What a change of the span keeps in sight: the selection, else today, else the middle.
function anchor({ view, model }) {
  const { start, end } = view.scale;
  const chosen = model?.byId.get(view.operation)?.start ?? view.now;
  return chosen >= start && chosen <= end ? chosen : (start + end) / 2;
}

export function scroll(board, pixels) {
  const { view, parts } = board;
  const most = Math.max(0, view.layout.height - (view.height - parts.axis.AXIS));
  const before = view.scrollTop;
  view.scrollTop = Math.min(most, Math.max(0, before + pixels));
  if (view.scrollTop === before) return false;
  board.invalidate();
  return true;
}

// The bar there, else the ghost of one.
export function barAt(board, x, y) {
  const { view, parts } = board;
  const inside = x >= view.headerWidth && y >= parts.axis.AXIS;
  if (!inside) return null;
  const top = y - parts.axis.AXIS + view.scrollTop;
  const bar = parts.model.barAt(view.layout, view.scale, x - view.headerWidth, top);
  return bar ?? parts.ghosts.at(board, x - view.headerWidth, top);
}

function point(board, x, y) {
  const { view, canvas, parts } = board;
  const hint = parts.links.hintAt(view, x, y);
  const bar = hint ? null : barAt(board, x, y);
  canvas.classList.toggle("plan-over", Boolean(bar || hint));
  if (bar !== view.hover) {
    view.hover = bar;
    board.invalidate();
  }
  parts.beside.showTip(board, bar, x, y);
}

// A long press: what can be done with the operation.
function hold(board, x, y) {
  const { parts, host } = board;
  const bar = barAt(board, x, y);
  if (!bar) return;
  parts.choose.select(board, bar.order, bar.id);
  if (parts.drag?.isMovable(bar)) parts.move.open(board, bar);
  else host.querySelector("[data-panel]").scrollIntoView({ block: "nearest" });
}

function pick(board, x, y, event) {
  const { view, parts } = board;
  const hint = parts.links.hintAt(view, x, y);
  if (hint) {
    parts.choose.goTowards(board, hint.direction);
    return;
  }
  const bar = barAt(board, x, y);
  if (parts.several?.isAdding(board, event)) {
    if (bar) parts.several.toggle(board, bar);
    return;
  }
  parts.several?.clear(board);
  if (bar) parts.choose.select(board, bar.order, bar.id);
  else if (y > parts.axis.AXIS) parts.choose.select(board, "", 0);
}

export function listen(board) {
  listenToTools(board);
  listenToColour(board);
  listenToPage(board);
}

function listenToTools(board) {
  const { host, view, parts } = board;
  const act = actions(board);
  const does = {
    earlier: () => act.pan(-0.5 * view.scale.width),
    later: () => act.pan(0.5 * view.scale.width),
    today: act.today,
    in: () => act.zoom(1.6),
    out: () => act.zoom(1 / 1.6),
    span: (button) => act.span(Number(button.dataset.days)),
    print: () => print(),
  };
  host.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) does[button.dataset.do]?.(button);
    if (button.hasAttribute("data-close")) {
      act.clear();
      board.canvas.focus();
    }
    if (button.dataset.operation) parts.choose.showStep(board, button);
    if (button.dataset.order) parts.choose.select(board, button.dataset.order, view.operation);
  });
}

function listenToColour(board) {
  const { host, view, parts } = board;
  const colour = host.querySelector("[data-colour]");
  const known = [...colour.options].some((option) => option.value === view.colour);
  if (!known) view.colour = "lateness";
  colour.value = view.colour;
  colour.addEventListener("change", () => {
    view.colour = colour.value;
    parts.beside.drawLegend(board);
    board.invalidate();
    board.remember();
  });
}

function listenToPage(board) {
  const { view, host, parts } = board;
  const restyle = () => {
    view.theme = parts.theme.readTheme(host);
    parts.beside.drawLegend(board);
    board.invalidate();
  };
  document.addEventListener("theme:changed", restyle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  addEventListener("resize", () => board.resize());
  // The overview above asks the server every few seconds and tells of a new version.
  document.body.addEventListener("schedule-published", () => {
    parts.data.load(board, true);
    parts.edits?.refresh(board);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#overview a[data-order]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const bar = board.model && parts.model.firstOf(board.model, link.dataset.order);
    parts.choose.select(board, link.dataset.order, bar?.id ?? 0, { follow: true });
    host.scrollIntoView({ block: "start" });
  });
  const filter = document.querySelector("[data-board-filter]");
  filter?.addEventListener("submit", (event) => event.preventDefault());
  filter?.addEventListener("input", () => narrow(board, new FormData(filter)));
}

function narrow(board, values) {
  const { view, parts } = board;
  view.text = values.get("q").trim().toLowerCase();
  view.late = values.has("late");
  if (view.center !== values.get("center")) {
    view.center = values.get("center");
    view.scrollTop = 0;
    if (board.model) board.relayout();
  }
  parts.choose.light(board);
  parts.beside.tell(board);
  board.invalidate();
  board.remember();
}
