// Dragging a bar in time and to another machine: rows that can take it are marked, the others are
// dimmed.

const BAR = 21;
const BAR_TOP = 4;
const EDGE = 28; // pixels from the sides in which the view follows
const MOVABLE = new Set(["waiting", "ready", "interrupted"]);

export function isMovable(bar) {
  return !bar.isGhost && MOVABLE.has(bar.state);
}

// Takes hold of a bar; null where the pointer is to move the view instead.
export function grab(board, bar, x, y, event) {
  const { view } = board;
  const isChoosing = event.ctrlKey || event.metaKey || event.shiftKey;
  if (!bar || isChoosing || !isMovable(bar)) return null;
  const offset = view.scale.minute(x - view.headerWidth) - bar.start;
  return {
    to: (atX, atY) => to(board, bar, offset, atX, atY),
    end: (isUp) => end(board, isUp),
  };
}

function to(board, bar, offset, x, y) {
  const { view, parts } = board;
  if (!view.drag) start(board, bar);
  const { drag } = view;
  if (!drag || drag.bar !== bar) return;
  if (x > view.width - EDGE) view.scale.pan(12);
  else if (x < view.headerWidth + EDGE) view.scale.pan(-12);
  if (y > view.height - EDGE) parts.page.scroll(board, 12);
  else if (y < parts.axis.AXIS + EDGE && y > 0) parts.page.scroll(board, -12);
  const top = y - parts.axis.AXIS + view.scrollTop;
  const line = view.layout.lines[parts.model.firstLine(view.layout, top)];
  // Over the name of a work center the bar stays in the row it came from.
  if (!line || y <= parts.axis.AXIS) drag.row = null;
  else if (line.kind === "row") drag.row = line.row;
  const wished = view.scale.minute(x - view.headerWidth) - offset;
  const step = view.scale.perMinute > 0.8 ? 5 : view.scale.perMinute > 0.15 ? 15 : 60;
  drag.start = Math.round(wished / step) * step;
  drag.text = board.labels.moment(board.clock.local(drag.start));
  board.invalidate();
}

function start(board, bar) {
  const { view } = board;
  view.drag = { bar, row: bar.row, start: bar.start, units: null, reason: "" };
  const { drag } = view;
  drag.asked = eligible(board, bar.id).then((found) => {
    Object.assign(drag, found);
    board.invalidate();
  });
}

// The work units that may do it; the server has the last word in any case.
export async function eligible(board, operation) {
  const query = new URLSearchParams({ ...board.config.place, operation });
  const answer = await fetch(`${board.config.edits.eligible}?${query}`).catch(() => null);
  if (!answer?.ok) return { units: new Set(), reason: board.config.words.notSent };
  const { units, reason } = await answer.json();
  return { units: new Set(units), reason };
}

async function end(board, isUp) {
  const { view, parts, config } = board;
  const { drag } = view;
  if (!drag) return;
  if (isUp) await drag.asked;
  // Given up by key meanwhile.
  if (view.drag !== drag) return;
  view.drag = null;
  board.invalidate();
  if (!isUp) return;
  const { bar, row } = drag;
  if (drag.reason) parts.edits.say(board, drag.reason);
  else if (!row) return; // Carried off the rows: let go.
  else if (!fits(drag, row)) {
    parts.edits.say(board, config.words.cannotDo.replace("{unit}", row.code || config.words.outside));
  } else {
    const starts_at = new Date(drag.start * 60000).toISOString();
    const isMine = view.order && parts.model.belongs(bar, view.order);
    parts.choose.select(board, isMine ? view.order : bar.order, bar.id);
    parts.edits.apply(board, { kind: "move", operation: bar.id, work_unit: row.code, starts_at });
  }
}

function fits({ bar, units }, row) {
  if (!bar.row.id) return row === bar.row;
  return units ? units.has(row.id) : true;
}

// Lets go without moving anything; whether there was something to let go.
export function cancel(board) {
  if (!board.view.drag) return false;
  board.view.drag = null;
  board.invalidate();
  return true;
}

// Under the bars: rows that can take it.
export function drawRows(pen, { drag, theme, width }, lines) {
  if (!drag?.units) return;
  for (const { kind, row, y, height } of lines) {
    if (kind !== "row" || !fits(drag, row)) continue;
    pen.globalAlpha = row === drag.row ? 0.28 : 0.14;
    pen.fillStyle = theme.brand;
    pen.fillRect(0, y, width, height - 1);
  }
  pen.globalAlpha = 1;
}

// Over the bars: rows that cannot, and the bar in the hand.
export function drawBars(pen, view, parts) {
  const { drag, theme, scale, width } = view;
  if (!drag) return;
  if (drag.units) {
    pen.globalAlpha = 0.62;
    pen.fillStyle = theme.surface;
    for (const { kind, row, y, height } of view.layout.lines) {
      if (kind === "row" && !fits(drag, row)) pen.fillRect(0, y, width, height - 1);
    }
    pen.globalAlpha = 1;
  }
  if (!drag.row || drag.row.y === null) return;
  const x = scale.x(drag.start);
  const length = Math.max(6, scale.x(drag.start + drag.bar.end - drag.bar.start) - x);
  const style = parts.theme.styleOf(drag.bar, view.colour, theme);
  const y = drag.row.y + BAR_TOP;
  pen.fillStyle = style.fill;
  pen.fillRect(x, y, length, BAR);
  pen.strokeStyle = theme.brand;
  pen.lineWidth = 2.5;
  pen.strokeRect(x, y, length, BAR);
  pen.fillStyle = style.ink;
  pen.font = `600 12px ${theme.font}`;
  pen.fillText(parts.paint.cut(pen, drag.bar.label, length - 8), x + 6, y + BAR / 2 + 0.5);
  const room = pen.measureText(drag.text).width + 12;
  pen.fillStyle = theme.brand;
  pen.fillRect(x, y + BAR + 3, room, 18);
  pen.fillStyle = theme.onBrand;
  pen.fillText(drag.text, x + 6, y + BAR + 12.5);
}
