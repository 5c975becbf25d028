// The schedule board: loads its parts, the window of data, and ties input, drawing and panel.
// Read-only; an editing part would listen beside input.js and post its moves to the server.

const root = document.querySelector("[data-board]");
if (root) start(root);

const HEADER = { wide: 176, narrow: 92 };
const NARROW = 560;
const USUAL_DAYS = 7;
const MOST_HEIGHT = 0.78;
const LEAST_HEIGHT = 260;
const AHEAD = 1; // spans of the view loaded on both sides
const LEAST_AHEAD = 7 * 1440;

async function start(host) {
  const names = ["scale", "model", "themeJs", "paint", "axis", "input", "address", "beside"];
  const loaded = await Promise.all(names.map((name) => import(host.dataset[name])));
  const parts = Object.fromEntries(names.map((name, i) => [name.replace("Js", ""), loaded[i]]));
  const config = JSON.parse(document.getElementById("board-config").textContent);
  const board = makeBoard(host, parts, config);
  host.planBoard = board.inspect;
  board.begin();
}

function makeBoard(host, parts, config) {
  const canvas = host.querySelector("canvas");
  const pen = canvas.getContext("2d", { alpha: false });
  const address = parts.address.readAddress();
  const clock = parts.scale.makeClock(config.zone);
  const labels = parts.scale.makeLabels(config.language, config.words);
  const view = {
    ...address,
    words: config.words,
    now: Date.now() / 60000,
    scale: parts.scale.makeScale(clock, 0, USUAL_DAYS, 800),
    theme: parts.theme.readTheme(host),
    layout: { lines: [], height: 0 },
    headerWidth: HEADER.wide,
    width: 0,
    height: 0,
    scrollTop: 0,
    loaded: null,
    hover: null,
    isLit: () => true,
  };
  const board = { host, canvas, pen, parts, config, clock, labels, view, model: null, drawn: 0 };
  board.write = parts.address.makeWriter();
  board.invalidate = makeInvalidate(() => draw(board));
  board.begin = () => begin(board);
  board.inspect = () => inspect(board);
  return board;
}

function makeInvalidate(paint) {
  let asked = 0;
  return () => {
    if (asked) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      paint();
    });
  };
}

function begin(board) {
  firstSpan(board);
  new ResizeObserver(() => resize(board)).observe(board.canvas.parentElement);
  board.parts.input.listen(board.canvas, actions(board));
  listenToTools(board);
  listenToPage(board);
  resize(board);
  load(board);
  setInterval(() => {
    board.view.now = Date.now() / 60000;
    board.invalidate();
  }, 30_000);
}

function firstSpan({ view, clock, host }) {
  const local = Math.floor(clock.local(view.now) / 1440) * 1440;
  const from = view.from ?? local;
  const days = view.to > from ? (view.to - from) / 1440 : host.clientWidth < NARROW ? 2 : USUAL_DAYS;
  view.scale.start = clock.moment(from);
  view.scale.perMinute = view.scale.width / (Math.min(95, Math.max(0.1, days)) * 1440);
}

// Size in CSS pixels, drawn in the screen's own.
function resize(board) {
  const { view, canvas, pen } = board;
  const width = canvas.parentElement.clientWidth;
  if (!width) return;
  view.headerWidth = width < NARROW ? HEADER.narrow : HEADER.wide;
  const wanted = board.parts.axis.AXIS + (view.layout.height || LEAST_HEIGHT);
  const most = Math.max(LEAST_HEIGHT, innerHeight * MOST_HEIGHT);
  const height = Math.round(Math.min(most, wanted));
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  Object.assign(view, { width, height });
  view.scale.resize(width - view.headerWidth);
  scroll(board, 0);
  board.invalidate();
}

function draw(board) {
  const { pen, view, parts, clock, labels } = board;
  if (!view.width) return;
  const tiers = parts.scale.tiers(view.scale, clock, labels);
  board.drawn = parts.paint.draw(pen, view, tiers, parts);
}

// ---- data

async function load(board, force = false) {
  const { view, config } = board;
  const ahead = Math.max(LEAST_AHEAD, AHEAD * (view.scale.end - view.scale.start));
  const from = view.scale.start - ahead;
  const to = view.scale.end + ahead;
  const ticket = (board.ticket = (board.ticket ?? 0) + 1);
  const iso = (minute) => new Date(minute * 60000).toISOString();
  if (force || !board.model) board.parts.beside.say(board, config.words.loading);
  try {
    const query = new URLSearchParams({ from: iso(from), to: iso(to) });
    const answer = await fetch(`${config.data}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const data = await answer.json();
    if (ticket === board.ticket) take(board, data);
  } catch {
    if (ticket === board.ticket) board.parts.beside.say(board, config.words.failed);
  }
}

function take(board, data) {
  const { view } = board;
  board.model = board.parts.model.makeModel(data);
  view.loaded = board.model;
  view.hover = null;
  relayout(board);
  board.parts.beside.say(board, board.model.bars.length ? "" : board.config.words.empty);
  board.parts.beside.tellCount(board);
  board.host.dataset.version = data.version ?? "";
  if (view.order && !board.shown) select(board, view.order, view.operation, { follow: true });
}

function relayout(board) {
  const { view, parts, model, config } = board;
  view.layout = parts.model.makeLayout(model, view.center, config.words.outside);
  light(board);
  resize(board);
  board.parts.beside.drawLegend(board);
}

// Asks again a moment after the view comes near the end of what is loaded.
function wantMore(board) {
  const { view } = board;
  clearTimeout(board.timer);
  board.timer = setTimeout(() => {
    const margin = (view.scale.end - view.scale.start) * 0.25;
    const { from, to } = view.loaded ?? { from: Infinity, to: -Infinity };
    if (view.scale.start - margin < from || view.scale.end + margin > to) load(board);
    else board.parts.beside.tellCount(board);
  }, 150);
}

// ---- intentions

function actions(board) {
  const { view, parts } = board;
  const moved = () => {
    board.invalidate();
    wantMore(board);
    remember(board);
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
    pick(x, y) {
      const bar = barAt(board, x, y);
      if (bar) select(board, bar.order, bar.id);
      else if (y > parts.axis.AXIS) select(board, "", 0);
    },
    next: (step) => selectNext(board, step),
    clear: () => select(board, "", 0),
  };
}

// What a change of the span keeps in sight: the selection, else today, else the middle.
function anchor({ view, model }) {
  const { start, end } = view.scale;
  const chosen = model?.byId.get(view.operation)?.start ?? view.now;
  return chosen >= start && chosen <= end ? chosen : (start + end) / 2;
}

function scroll(board, pixels) {
  const { view, parts } = board;
  const most = Math.max(0, view.layout.height - (view.height - parts.axis.AXIS));
  const before = view.scrollTop;
  view.scrollTop = Math.min(most, Math.max(0, before + pixels));
  if (view.scrollTop === before) return false;
  board.invalidate();
  return true;
}

function barAt({ view, parts }, x, y) {
  const inside = x >= view.headerWidth && y >= parts.axis.AXIS;
  if (!inside) return null;
  const top = y - parts.axis.AXIS + view.scrollTop;
  return parts.model.barAt(view.layout, view.scale, x - view.headerWidth, top);
}

function point(board, x, y) {
  const { view, canvas } = board;
  const bar = barAt(board, x, y);
  canvas.classList.toggle("plan-over", Boolean(bar));
  if (bar !== view.hover) {
    view.hover = bar;
    board.invalidate();
  }
  board.parts.beside.showTip(board, bar, x, y);
}

function selectNext(board, step) {
  const { view, model } = board;
  if (!model) return;
  const order = (bar) => bar.row.index * 1e9 + bar.start;
  const seen = model.bars
    .filter((bar) => bar.end > view.scale.start && bar.start < view.scale.end && view.isLit(bar, true))
    .sort((a, b) => order(a) - order(b));
  const at = seen.findIndex((bar) => bar.id === view.operation);
  const bar = seen.at((at + (at < 0 && step < 0 ? 0 : step) + seen.length) % (seen.length || 1));
  if (bar) select(board, bar.order, bar.id, { follow: true });
}

function select(board, order, operation, { follow = false } = {}) {
  const { view, model } = board;
  view.order = order;
  view.operation = operation;
  light(board);
  const bar = model?.byId.get(operation);
  if (follow && bar) reveal(board, bar);
  board.shown = true;
  board.parts.beside.showPanel(board);
  board.parts.beside.tellCount(board);
  board.invalidate();
  remember(board);
}

function reveal(board, bar) {
  const { view, parts } = board;
  if (bar.start < view.scale.start || bar.start > view.scale.end) view.scale.show(bar.start, 0.3);
  const room = view.height - parts.axis.AXIS - 60;
  if (bar.row.y < view.scrollTop + 30) scroll(board, bar.row.y - view.scrollTop - 30);
  if (bar.row.y > view.scrollTop + room) scroll(board, bar.row.y - view.scrollTop - room);
  wantMore(board);
}

// What is lit: the selected order, or what the filter asks for.
function light({ view, parts }) {
  const { belongs, matches } = parts.model;
  const isFiltered = Boolean(view.text || view.late);
  view.isLit = (bar, filterOnly = false) => {
    if (view.order && !filterOnly) return belongs(bar, view.order);
    return !isFiltered || matches(bar, view);
  };
}

function remember(board) {
  const { view, clock, host } = board;
  board.write(() => ({
    from: clock.local(view.scale.start),
    to: clock.local(view.scale.end),
    order: view.order,
    operation: view.operation || "",
    colour: view.colour,
    q: view.text,
    center: view.center,
    late: view.late,
    host,
  }));
}

// ---- the page around

function listenToTools(board) {
  const { host, view } = board;
  const act = actions(board);
  const does = {
    earlier: () => act.pan(-0.5 * view.scale.width),
    later: () => act.pan(0.5 * view.scale.width),
    today: act.today,
    in: () => act.zoom(1.6),
    out: () => act.zoom(1 / 1.6),
    span: (button) => act.span(Number(button.dataset.days)),
  };
  host.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) does[button.dataset.do](button);
    if (button.hasAttribute("data-close")) closePanel(board, act);
    if (button.dataset.operation) showStep(board, button);
    if (button.dataset.order) select(board, button.dataset.order, view.operation);
  });
  const colour = host.querySelector("[data-colour]");
  colour.value = view.colour;
  colour.addEventListener("change", () => {
    view.colour = colour.value;
    board.parts.beside.drawLegend(board);
    board.invalidate();
    remember(board);
  });
}

function closePanel({ canvas }, act) {
  act.clear();
  canvas.focus();
}

// A step in the panel: go there, even where the window does not hold it yet.
function showStep(board, button) {
  const { view } = board;
  const operation = Number(button.dataset.operation);
  const bar = board.model?.byId.get(operation);
  if (!bar) view.scale.show(Date.parse(button.dataset.at) / 60000, 0.3);
  select(board, view.order, operation, { follow: true });
  wantMore(board);
}

function listenToPage(board) {
  const { view, host } = board;
  const restyle = () => {
    view.theme = board.parts.theme.readTheme(host);
    board.parts.beside.drawLegend(board);
    board.invalidate();
  };
  document.addEventListener("theme:changed", restyle);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", restyle);
  addEventListener("resize", () => resize(board));
  // The overview above asks the server every few seconds and tells of a new version.
  document.body.addEventListener("schedule-published", () => load(board, true));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#overview a[data-order]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const bar = board.model && board.parts.model.firstOf(board.model, link.dataset.order);
    select(board, link.dataset.order, bar?.id ?? 0, { follow: true });
    host.scrollIntoView({ block: "start" });
  });
  const filter = document.querySelector("[data-board-filter]");
  filter?.addEventListener("submit", (event) => event.preventDefault());
  filter?.addEventListener("input", () => narrow(board, new FormData(filter)));
}

function narrow(board, values) {
  const { view } = board;
  view.text = values.get("q").trim().toLowerCase();
  view.late = values.has("late");
  if (view.center !== values.get("center")) {
    view.center = values.get("center");
    view.scrollTop = 0;
    if (board.model) relayout(board);
  }
  light(board);
  board.invalidate();
  remember(board);
}

function inspect({ view, drawn, model }) {
  return {
    start: view.scale.start,
    end: view.scale.end,
    days: view.scale.days,
    order: view.order,
    operation: view.operation,
    scrollTop: view.scrollTop,
    center: view.center,
    drawn,
    bars: model?.bars.length ?? 0,
    version: model?.version ?? null,
    lit: model ? model.bars.filter((bar) => view.isLit(bar)).map((bar) => bar.id) : [],
    place(id) {
      const bar = model.byId.get(id);
      const x = view.headerWidth + view.scale.x((bar.start + bar.end) / 2);
      return [x, 48 + bar.row.y - view.scrollTop + 14];
    },
  };
}
