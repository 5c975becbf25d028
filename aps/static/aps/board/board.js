// The schedule board: loads its parts by the addresses that the page names, and ties them together.
// Each part is a module of functions that take the board; they reach one another by board.parts.

const root = document.querySelector("[data-board]");
if (root) start(root);

const HEADER = { wide: 176, narrow: 92 };
const NARROW = 560;
const USUAL_DAYS = 7;
const MOST_HEIGHT = 0.78;
const LEAST_HEIGHT = 260;
// Of a landscape page: what board and load chart may take of its height, by its width.
const PAPER = 0.54;

async function start(host) {
  const config = JSON.parse(document.getElementById("board-config").textContent);
  const names = Object.keys(config.modules);
  const loaded = await Promise.all(names.map((name) => import(config.modules[name])));
  const parts = Object.fromEntries(names.map((name, i) => [name, loaded[i]]));
  const board = makeBoard(host, parts, config);
  host.planBoard = () => inspect(board);
  begin(board);
}

function makeBoard(host, parts, config) {
  const canvas = host.querySelector("canvas");
  const clock = parts.scale.makeClock(config.zone);
  const view = {
    ...parts.address.readAddress(),
    words: config.words,
    frozen: config.frozen,
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
    tree: null,
    hints: [],
    isLit: () => true,
  };
  const board = {
    host,
    canvas,
    pen: canvas.getContext("2d", { alpha: false }),
    parts,
    config,
    clock,
    labels: parts.scale.makeLabels(config.language, config.words),
    view,
    model: null,
    drawn: 0,
    families: new Map(),
    write: parts.address.makeWriter(),
  };
  board.invalidate = makeInvalidate(() => draw(board));
  board.draw = () => draw(board);
  board.resize = () => resize(board);
  board.relayout = () => relayout(board);
  board.remember = () => remember(board);
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
  const { parts } = board;
  firstSpan(board);
  new ResizeObserver(() => resize(board)).observe(board.canvas.parentElement);
  parts.input.listen(board.canvas, parts.page.actions(board));
  parts.touch.listen(board.canvas, parts.page.actions(board));
  parts.page.listen(board);
  for (const part of Object.values(parts)) part.begin?.(board);
  resize(board);
  parts.data.load(board);
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
  const chart = view.load === "-" ? 0 : board.parts.load.HEIGHT;
  const room = board.ratio ? width * PAPER - chart : innerHeight * MOST_HEIGHT;
  const most = Math.max(LEAST_HEIGHT, room);
  const height = Math.round(Math.min(most, wanted));
  const ratio = board.ratio || devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  Object.assign(view, { width, height });
  view.scale.resize(width - view.headerWidth);
  board.parts.page.scroll(board, 0);
  board.invalidate();
}

function draw(board) {
  const { pen, view, parts, clock, labels } = board;
  if (!view.width) return;
  const tiers = parts.scale.tiers(view.scale, clock, labels);
  board.drawn = parts.paint.draw(pen, view, tiers, board);
  parts.load?.draw(board, tiers);
}

function relayout(board) {
  const { view, parts, model, config } = board;
  view.layout = parts.model.makeLayout(model, view.center, config.words.outside);
  parts.choose.light(board);
  resize(board);
}

function remember(board) {
  const { view, clock } = board;
  board.write(() => ({
    from: clock.local(view.scale.start),
    to: clock.local(view.scale.end),
    order: view.order,
    operation: view.operation || "",
    colour: view.colour,
    load: view.load,
    q: view.text,
    center: view.center,
    late: view.late,
  }));
}

function inspect(board) {
  const { view, drawn, model, config, draft } = board;
  return {
    draw: () => draw(board),
    start: view.scale.start,
    end: view.scale.end,
    days: view.scale.days,
    order: view.order,
    operation: view.operation,
    scrollTop: view.scrollTop,
    center: view.center,
    colour: view.colour,
    drawn,
    bars: model?.bars.length ?? 0,
    version: model?.version ?? null,
    links: view.tree?.links.length ?? 0,
    hints: view.hints.map(({ text }) => text),
    frozen: config.frozen,
    draft: draft?.open ?? false,
    several: [...(view.several ?? [])],
    ghosts: view.ghosts?.map(({ id }) => id) ?? [],
    theirs: [...(view.scenario?.byId.values() ?? [])].map((ghost) => ({
      id: ghost.id,
      unit: ghost.row.code,
      start: ghost.start,
      end: ghost.end,
    })),
    lit: model ? model.bars.filter((bar) => view.isLit(bar)).map((bar) => bar.id) : [],
    bar(id) {
      const bar = model.byId.get(id);
      if (!bar) return bar;
      const { state, made } = bar;
      return { unit: bar.row.code, start: bar.start, end: bar.end, locked: bar.isLocked, state, made };
    },
    // The canvas's y of a machine's row, for those who aim at it.
    rowY: (code) => 48 + model.rows.find((row) => row.code === code).y - view.scrollTop + 14,
    place(id) {
      const bar = model.byId.get(id);
      const x = view.headerWidth + view.scale.x((bar.start + bar.end) / 2);
      return [x, 48 + bar.row.y - view.scrollTop + 14];
    },
  };
}
