// The load chart under the same time axis: what is planned against what is open, by period; over
// and full periods say so in words, and lead to their jobs in the table.

export const HEIGHT = 132;
const TOP = 18; // room above 100 %
const FULL = 0.9;
const MOST_BARS = 8; // orders told apart in a stack; the rest is one part
const MOST_WORDS = 6;

export function begin(board) {
  const { host, view } = board;
  board.chart = { canvas: host.querySelector("[data-load]"), sums: null, pick: null };
  const { canvas } = board.chart;
  board.chart.pen = canvas.getContext("2d", { alpha: false });
  const select = host.querySelector("[data-load-of]");
  select.addEventListener("change", () => {
    view.load = select.value;
    board.chart.sums = null;
    forget(board);
    board.invalidate();
    board.remember();
    board.parts.table.refresh(board);
  });
  host.querySelector("[data-stack]").addEventListener("change", () => board.invalidate());
  canvas.addEventListener("click", (event) => {
    const x = event.clientX - canvas.getBoundingClientRect().left - view.headerWidth;
    if (x >= 0) pick(board, at(board, view.scale.minute(x)));
  });
  host.querySelector("[data-overloads]").addEventListener("click", (event) => {
    const button = event.target.closest("[data-period]");
    if (button) pick(board, Number(button.dataset.period));
  });
}

// The work centers and units to choose from, once they are known.
function offer(board) {
  const { host, model, view, config } = board;
  const select = host.querySelector("[data-load-of]");
  if (select.dataset.version === String(model.version)) return;
  select.dataset.version = String(model.version);
  const options = [new Option(config.words.noLoad, "-"), new Option(config.words.allUnits, "")];
  let center = null;
  for (const row of model.rows) {
    if (!row.id) continue;
    if (row.center !== center) options.push(new Option(row.center, `c:${row.center}`));
    center = row.center;
    options.push(new Option(`– ${row.code}`, `u:${row.code}`));
  }
  select.replaceChildren(...options);
  if (![...select.options].some((option) => option.value === view.load)) view.load = "";
  select.value = view.load;
}

// Periods as wide as the axis has them: hours, days or weeks.
function period(board) {
  const { perDay } = board.view.scale;
  if (perDay >= 500) return 60;
  if (perDay >= 150) return 240;
  return perDay >= 20 ? 1440 : 7 * 1440;
}

function at(board, minute) {
  const { clock } = board;
  const size = period(board);
  const local = clock.local(minute);
  const monday = size > 1440 ? 4 * 1440 : 0; // 1970 began on a Thursday
  return clock.moment(Math.floor((local - monday) / size) * size + monday);
}

function rowsOf({ model, view }) {
  const [kind, name] = [view.load?.slice(0, 2), view.load?.slice(2)];
  return model.rows.filter((row) => {
    if (!row.id) return false;
    if (kind === "c:") return row.center === name;
    if (kind === "u:") return row.code === name;
    return !view.center || row.center === view.center;
  });
}

// Open minutes and jobs of every loaded period; kept until the data, choice or zoom changes.
function sums(board) {
  const { chart, model, view } = board;
  const key = `${view.load}|${view.center}|${period(board)}`;
  if (chart.sums?.key === key && chart.sums.model === model) return chart.sums;
  const found = new Map();
  for (const row of rowsOf(board)) {
    const open = openSpans(row.closed, model.from, model.to);
    for (const [from, to] of open) {
      spread(board, found, from, to, (one, minutes) => (one.open += minutes));
    }
    for (const lane of row.lanes) {
      for (const bar of lane) addBar(board, found, bar, open);
    }
  }
  chart.sums = { key, model, found };
  return chart.sums;
}

function addBar(board, found, bar, open) {
  const add = (one, minutes) => {
    one.load += minutes;
    one.jobs.set(bar, (one.jobs.get(bar) ?? 0) + minutes);
  };
  let i = board.parts.model.firstWhere(open, ([, to]) => to > bar.start);
  // A shift that was taken away under its work: the work is still to be done.
  if (!(open[i]?.[0] < bar.end)) spread(board, found, bar.start, bar.end, add);
  for (; i < open.length && open[i][0] < bar.end; i++) {
    const [from, to] = [Math.max(bar.start, open[i][0]), Math.min(bar.end, open[i][1])];
    spread(board, found, from, to, add);
  }
}

function openSpans(closed, from, to) {
  const found = [];
  let moment = from;
  for (const [start, end] of closed) {
    if (start > moment) found.push([moment, Math.min(start, to)]);
    moment = Math.max(moment, end);
  }
  if (moment < to) found.push([moment, to]);
  return found;
}

function spread(board, found, from, to, add) {
  let start = at(board, from);
  while (start < to) {
    const next = at(board, start + period(board) * 1.5);
    let one = found.get(start);
    if (!one) found.set(start, (one = { start, end: next, open: 0, load: 0, jobs: new Map() }));
    add(one, Math.min(to, next) - Math.max(from, start));
    start = next;
  }
}

// How a period stands: "over", "full" or "".
function standing({ open, load }) {
  if (load > open + 1) return "over";
  return open && load / open >= FULL ? "full" : "";
}

export function draw(board, tiers) {
  const { chart, model, view, parts } = board;
  if (!model) return;
  offer(board);
  const isOn = view.load !== "-" && view.width > 0;
  board.host.querySelector("[data-load-box]").hidden = !isOn;
  if (!isOn) return;
  const { canvas, pen } = chart;
  const ratio = board.ratio || devicePixelRatio || 1;
  if (canvas.width !== Math.round(view.width * ratio)) {
    canvas.width = Math.round(view.width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    canvas.style.height = `${HEIGHT}px`;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = view.theme.surface;
  pen.fillRect(0, 0, view.width, HEIGHT);
  const seen = inSight(board);
  const most = Math.max(1, ...seen.map(({ open, load }) => Math.max(open, load)));
  pen.save();
  pen.beginPath();
  pen.rect(view.headerWidth, 0, view.width - view.headerWidth, HEIGHT);
  pen.clip();
  pen.translate(view.headerWidth, 0);
  for (const [x] of tiers.major) {
    pen.fillStyle = view.theme.line;
    pen.fillRect(Math.round(x), 0, 1, HEIGHT);
  }
  const stacked = board.host.querySelector("[data-stack]").checked;
  for (const one of seen) drawPeriod(board, one, most, stacked);
  pen.restore();
  drawHead(board, seen, most, parts);
  tellOverloads(board, seen);
}

function inSight(board) {
  const { view } = board;
  const { found } = sums(board);
  const list = [];
  for (let start = at(board, view.scale.start); start < view.scale.end; ) {
    const one = found.get(start);
    if (one) list.push(one);
    start = at(board, start + period(board) * 1.5);
  }
  return list;
}

function drawPeriod(board, one, most, stacked) {
  const { view, chart, config, parts } = board;
  const { pen } = chart;
  const { theme, scale } = view;
  const [x, end] = [scale.x(one.start) + 1, scale.x(one.end) - 1];
  const width = Math.max(1, end - x);
  const tall = (minutes) => (minutes / most) * (HEIGHT - TOP - 4);
  const state = standing(one);
  const tone = theme.tones[state === "over" ? "late" : state === "full" ? "risk" : "planned"];
  const room = tall(one.open);
  pen.fillStyle = theme.group;
  pen.fillRect(x, HEIGHT - room, width, room);
  if (stacked) drawStack(pen, one, x, width, tall, theme, parts);
  else {
    pen.fillStyle = tone.fill;
    pen.fillRect(x, HEIGHT - tall(one.load), width, tall(one.load));
    pen.fillStyle = tone.edge;
    pen.fillRect(x, HEIGHT - tall(one.load), width, 3);
  }
  // The line of what is open.
  pen.fillStyle = theme.text;
  pen.fillRect(x - 1, HEIGHT - room - 1, width + 2, 2);
  if (chart.pick === one.start) {
    pen.strokeStyle = theme.brand;
    pen.lineWidth = 2;
    pen.strokeRect(x, TOP - 2, width, HEIGHT - TOP + 1);
  }
  const percent = one.open ? `${Math.round((100 * one.load) / one.open)} %` : "";
  const text = state ? `${config.words[state]} ${percent}` : percent;
  pen.font = `${state ? 600 : 400} 11px ${theme.font}`;
  pen.fillStyle = state ? tone.ink : theme.muted;
  pen.textBaseline = "middle";
  const shown = pen.measureText(text).width <= width ? text : state === "over" ? "!" : "";
  if (one.load) pen.fillText(shown, x + 2, 9);
}

// Orders one above the other, the largest first.
function drawStack(pen, one, x, width, tall, theme, parts) {
  const byOrder = new Map();
  for (const [bar, minutes] of one.jobs) {
    const sum = byOrder.get(bar.order) ?? { bar, minutes: 0 };
    sum.minutes += minutes;
    byOrder.set(bar.order, sum);
  }
  const sorted = [...byOrder.values()].sort((a, b) => b.minutes - a.minutes);
  let y = HEIGHT;
  sorted.forEach(({ bar, minutes }, i) => {
    const height = tall(minutes);
    const style = i < MOST_BARS ? parts.theme.styleOf(bar, "order", theme) : theme.tones.planned;
    y -= height;
    pen.fillStyle = style.fill;
    pen.fillRect(x, y, width, Math.max(0.5, height - 1));
  });
}

function drawHead(board, seen, most, parts) {
  const { view, chart, config } = board;
  const { pen } = chart;
  const { theme, headerWidth } = view;
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, headerWidth, HEIGHT);
  pen.fillStyle = theme.strongLine;
  pen.fillRect(headerWidth - 1, 0, 1, HEIGHT);
  pen.textBaseline = "middle";
  const name = view.load?.slice(2) || view.center || config.words.allUnits;
  const hours = Math.round(most / 60);
  const lines = [
    [`600 12.5px ${theme.font}`, theme.text, name],
    [`12px ${theme.font}`, theme.muted, config.words.loadHead],
    [`12px ${theme.font}`, theme.muted, config.words.loadTop.replace("{hours}", hours)],
  ];
  lines.forEach(([font, ink, text], i) => {
    pen.font = font;
    pen.fillStyle = ink;
    pen.fillText(parts.paint.cut(pen, text, headerWidth - 18), 10, 14 + 18 * i);
  });
}

// The same in words, and by keyboard; written only where it changed.
function tellOverloads(board, seen) {
  const { host, config, view } = board;
  const box = host.querySelector("[data-overloads]");
  const over = seen.filter((one) => standing(one) === "over");
  const key = over.map(({ start, load }) => `${start}:${load}`).join() + view.load;
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  const words = document.createElement("span");
  words.textContent = over.length
    ? config.words.overloads.replace("{count}", over.length)
    : config.words.noOverload;
  const buttons = over.slice(0, MOST_WORDS).map((one) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm plan-over-button";
    button.dataset.period = one.start;
    button.textContent = `${periodText(board, one)}: ${config.words.over} ${share(one)}`;
    return button;
  });
  box.replaceChildren(words, ...buttons);
}

function share({ open, load }) {
  return open ? `${Math.round((100 * load) / open)} %` : `${(load / 60).toFixed(1)} h`;
}

function periodText({ labels, clock }, { start, end }) {
  const local = clock.local(start);
  if (end - start < 1300) return labels.moment(local);
  return end - start < 3000 ? labels.fullDay(local) : labels.week(local);
}

function pick(board, start) {
  const { found } = sums(board);
  if (!found.get(start)?.jobs.size) return;
  board.chart.pick = start;
  board.parts.table.refresh(board);
  board.invalidate();
}

export function forget(board) {
  if (!board.chart || board.chart.pick === null) return;
  board.chart.pick = null;
  board.invalidate();
}

// The jobs of the period that was clicked, the longest first in the title's words.
export function picked(board) {
  const { chart, config, view } = board;
  const one = chart?.pick !== null && sums(board).found.get(chart.pick);
  if (!one) return null;
  const name = view.load?.slice(2) || view.center || config.words.allUnits;
  const title = config.words.loadTable
    .replace("{unit}", name)
    .replace("{period}", periodText(board, one))
    .replace("{share}", share(one));
  return { bars: [...one.jobs.keys()], title };
}
