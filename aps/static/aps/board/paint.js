// Draws what is visible and nothing else: for each visible lane the bars between both edges.

const BAR_TOP = 4;
const BAR = 21;
const SPARE = 40; // pixels above which a bar carries words
const MADE = 4;
const DIMMED = 0.2;
const LOCK_ROOM = 22;

const widths = new Map();

function widthOf(pen, text) {
  const key = pen.font + text;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20_000) widths.clear();
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

// The text cut to the width, "" where nothing fits.
export function cut(pen, text, room) {
  if (room < 14) return "";
  const width = widthOf(pen, text);
  if (width <= room) return text;
  let kept = Math.floor((text.length * room) / width);
  while (kept > 1 && widthOf(pen, `${text.slice(0, kept)}…`) > room) kept--;
  return kept < 2 ? "" : `${text.slice(0, kept)}…`;
}

// Returns how many bars it drew.
export function draw(pen, view, tiers, board) {
  const { parts } = board;
  const { theme, width, height, headerWidth, scrollTop, layout } = view;
  const top = parts.axis.AXIS;
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, width, height);
  const first = parts.model.firstLine(layout, scrollTop);
  const lines = [];
  for (let i = first; i < layout.lines.length; i++) {
    const line = layout.lines[i];
    if (line.y - scrollTop > height - top) break;
    lines.push(line);
  }
  pen.save();
  pen.beginPath();
  pen.rect(headerWidth, top, width - headerWidth, height - top);
  pen.clip();
  pen.translate(headerWidth, top - scrollTop);
  for (const line of lines) if (line.kind === "row") drawGround(pen, view, line);
  drawGrid(pen, view, tiers, lines);
  drawFrozen(pen, view);
  parts.drag?.drawRows(pen, view, lines);
  let count = 0;
  pen.font = `12px ${theme.font}`;
  pen.textBaseline = "middle";
  for (const line of lines) if (line.kind === "row") count += drawRow(pen, view, line, parts);
  parts.ghosts.draw(pen, view, lines, parts);
  parts.links.drawLinks(pen, view, parts);
  parts.drag?.drawBars(pen, view, parts);
  drawNow(pen, view);
  drawUnloaded(pen, view);
  pen.restore();
  parts.axis.drawHeadings(pen, view, lines, cut);
  parts.axis.drawAxis(pen, view, tiers, cut);
  drawThumb(pen, view, top);
  parts.links.drawHints(pen, view, board);
  return count;
}

function drawGround(pen, { theme, scale, width }, { row, y, height }) {
  pen.fillStyle = theme.closed;
  for (const [from, to] of row.closed) {
    if (to < scale.start) continue;
    if (from > scale.end) break;
    const x = scale.x(from);
    const length = scale.x(to) - x;
    if (length >= 1) pen.fillRect(x, y, length, height);
  }
  pen.fillStyle = theme.line;
  pen.fillRect(0, y + height - 1, width, 1);
}

function drawGrid(pen, { theme, scrollTop, height, layout }, { major, minor }) {
  const bottom = Math.min(layout.height - scrollTop, height);
  pen.fillStyle = theme.line;
  pen.globalAlpha = 0.6;
  for (const [x] of minor) pen.fillRect(Math.round(x), scrollTop, 1, bottom);
  pen.globalAlpha = 1;
  pen.fillStyle = theme.strongLine;
  for (const [x] of major) pen.fillRect(Math.round(x), scrollTop, 1, bottom);
}

// What begins before the end of the frozen zone stays where it is.
function drawFrozen(pen, { theme, scale, now, frozen, scrollTop, height, layout }) {
  if (!frozen) return;
  const [x, end] = [scale.x(now), scale.x(now + frozen)];
  if (end < 0 || x > scale.width) return;
  const bottom = Math.min(height, layout.height - scrollTop);
  pen.globalAlpha = 0.1;
  pen.fillStyle = theme.brand;
  pen.fillRect(x, scrollTop, end - x, bottom);
  pen.globalAlpha = 1;
  for (let y = 0; y < bottom; y += 8) pen.fillRect(end - 1, scrollTop + y, 1.5, 4);
}

function drawNow(pen, { theme, scale, now, scrollTop, height, layout }) {
  const x = Math.round(scale.x(now));
  pen.fillStyle = theme.now;
  pen.fillRect(x - 1, scrollTop, 2, Math.min(height, layout.height - scrollTop));
}

// Time that the server was not yet asked for.
function drawUnloaded(pen, { theme, scale, loaded, scrollTop, height }) {
  if (!loaded) return;
  pen.globalAlpha = 0.55;
  pen.fillStyle = theme.closed;
  if (loaded.from > scale.start) pen.fillRect(0, scrollTop, scale.x(loaded.from), height);
  const after = scale.x(loaded.to);
  if (after < scale.width) pen.fillRect(after, scrollTop, scale.width - after, height);
  pen.globalAlpha = 1;
}

// Where in the rows the view is; only where not all of them fit.
function drawThumb(pen, { theme, width, height, layout, scrollTop }, top) {
  const room = height - top;
  if (layout.height <= room + 1) return;
  const length = Math.max(24, (room * room) / layout.height);
  const y = top + (scrollTop / (layout.height - room)) * (room - length);
  pen.fillStyle = theme.strongLine;
  pen.globalAlpha = 0.7;
  pen.beginPath();
  pen.roundRect(width - 8, y + 2, 5, length - 4, 3);
  pen.fill();
  pen.globalAlpha = 1;
}

function drawRow(pen, view, { row, y }, parts) {
  let count = 0;
  for (let number = 0; number < row.lanes.length; number++) {
    const top = y + BAR_TOP + number * parts.model.LANE;
    count += drawLane(pen, view, row.lanes[number], top, parts);
  }
  return count;
}

function drawLane(pen, view, lane, top, parts) {
  const { scale } = view;
  const end = scale.end;
  let count = 0;
  let lastX = -1;
  for (let i = parts.model.firstBar(lane, scale.start); i < lane.length; i++) {
    const bar = lane[i];
    if (bar.start > end) break;
    const x = scale.x(bar.start);
    const length = Math.max(1.5, scale.x(bar.end) - x - 1);
    const plain = !bar.isLate && bar.id !== view.operation && !view.several?.has(bar.id);
    // What falls into a pixel that has been drawn would not be seen.
    if (plain && x + length <= lastX + 0.5) continue;
    drawBar(pen, view, bar, x, top, length, parts);
    lastX = x + length;
    count++;
  }
  return count;
}

function drawBar(pen, view, bar, x, y, length, parts) {
  const style = parts.theme.styleOf(bar, view.colour, view.theme);
  const strong = view.isLit(bar);
  pen.globalAlpha = strong ? 1 : DIMMED;
  if (bar.changeover) drawChangeover(pen, view, bar, x, y, style, parts);
  pen.fillStyle = style.fill;
  if (length < 5) {
    pen.fillStyle = style.edge;
    pen.fillRect(x, y, length, BAR);
  } else {
    pen.fillRect(x, y, length, BAR);
    drawSetup(pen, view, bar, x, y, length, style, parts);
    pen.fillStyle = style.edge;
    pen.fillRect(x, y, 3, BAR);
    pen.fillRect(x, y + BAR - 1, length, 1);
    // How much of it is made.
    if (bar.made) pen.fillRect(x, y + BAR - MADE, (length * bar.made) / 100, MADE);
    const isHeld = length > LOCK_ROOM && isFrozen(bar, view);
    drawWords(pen, view, bar, x, y, isHeld ? length - 14 : length, style, parts);
    if (isHeld) drawLock(pen, x + length - 13, y + 5, style.ink);
  }
  if (bar.isLate && length < SPARE) drawNotch(pen, view.theme.tones.late.ink, x, y);
  if (bar.isMoved) drawMoved(pen, view.theme, x, y, length);
  if ((view.order && strong) || view.several?.has(bar.id)) drawFrame(pen, view, bar, x, y, length);
  pen.globalAlpha = 1;
}

// Locked by a planner, or about to begin within the frozen zone.
export function isFrozen(bar, { now, frozen }) {
  if (bar.isLocked) return true;
  return Boolean(frozen) && bar.end > now && bar.start < now + frozen && bar.state !== "done";
}

function drawLock(pen, x, y, ink) {
  pen.fillStyle = pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  pen.fillRect(x, y + 5, 9, 7);
  pen.beginPath();
  pen.arc(x + 4.5, y + 4.5, 2.8, Math.PI, 0);
  pen.stroke();
}

function drawSetup(pen, view, bar, x, y, length, style, parts) {
  const room = Math.min(length, view.scale.x(bar.setupEnd) - x);
  if (room < 3) return;
  const alpha = pen.globalAlpha;
  pen.globalAlpha = alpha * 0.55;
  pen.fillStyle = parts.theme.hatch(pen, view.theme, style.ink);
  pen.fillRect(x, y, room, BAR);
  pen.globalAlpha = alpha;
}

// From the operation before: the hatch of setup in the gap, on no ground of its own.
function drawChangeover(pen, view, bar, x, y, style, parts) {
  const room = x - view.scale.x(bar.start - bar.changeover);
  if (room < 2) return;
  const alpha = pen.globalAlpha;
  pen.globalAlpha = alpha * 0.75;
  pen.fillStyle = parts.theme.hatch(pen, view.theme, style.ink);
  pen.fillRect(x - room, y + 3, room, BAR - 6);
  pen.fillStyle = style.ink;
  pen.fillRect(x - room, y + 3, 1, BAR - 6);
  pen.globalAlpha = alpha;
}

function drawWords(pen, view, bar, x, y, length, style, parts) {
  // A bar that begins left of the view keeps its words in sight.
  const setup = Math.min(length, view.scale.x(bar.setupEnd) - x);
  // ... and behind the hatch of its setup where there is room for both.
  const left = Math.max(x + (setup > 3 && length - setup > SPARE ? setup - 3 : 0), 0);
  const shape = parts.theme.glyph(bar.isLate ? "late" : view.colour === "lateness" ? bar.tone : bar.state);
  let at = left + 7;
  const room = x + length - at - 3;
  if (shape && room > 12) {
    const byName = view.colour === "order" || view.colour === "family";
    const ink = byName && bar.isLate ? view.theme.tones.late : style;
    drawGlyph(pen, shape, at, y + 4, ink);
    at += 17;
  }
  const text = room > SPARE - 12 ? cut(pen, bar.label, x + length - at - 3) : "";
  if (!text) return;
  pen.fillStyle = style.ink;
  pen.fillText(text, at, y + BAR / 2 + 0.5);
}

// Small shapes, 13 by 13: late a triangle with a mark, tight a clock, running an arrow, done a tick.
function drawGlyph(pen, shape, x, y, { ink, fill }) {
  pen.fillStyle = pen.strokeStyle = ink;
  pen.lineWidth = 1.6;
  pen.beginPath();
  if (shape === "late") {
    pen.moveTo(x + 6.5, y);
    pen.lineTo(x + 13, y + 12.5);
    pen.lineTo(x, y + 12.5);
    pen.fill();
    pen.fillStyle = fill;
    pen.fillRect(x + 5.75, y + 4, 1.6, 4.6);
    pen.fillRect(x + 5.75, y + 9.6, 1.6, 1.6);
  } else if (shape === "running") {
    pen.moveTo(x + 2, y + 1);
    pen.lineTo(x + 12, y + 6.5);
    pen.lineTo(x + 2, y + 12);
    pen.fill();
  } else if (shape === "risk") {
    pen.arc(x + 6.5, y + 6.5, 5.5, 0, 7);
    pen.moveTo(x + 6.5, y + 3.2);
    pen.lineTo(x + 6.5, y + 6.8);
    pen.lineTo(x + 9, y + 8.2);
    pen.stroke();
  } else if (shape === "done") {
    pen.moveTo(x + 1, y + 7);
    pen.lineTo(x + 5, y + 11);
    pen.lineTo(x + 12, y + 2);
    pen.stroke();
  } else {
    pen.fillRect(x + 2, y + 2, 3, 9);
    pen.fillRect(x + 8, y + 2, 3, 9);
  }
}

// Late and too narrow for the triangle: a corner that sticks out above the bar.
function drawNotch(pen, ink, x, y) {
  pen.fillStyle = ink;
  pen.beginPath();
  pen.moveTo(x - 2, y - 3);
  pen.lineTo(x + 7, y - 3);
  pen.lineTo(x - 2, y + 6);
  pen.fill();
}

// Elsewhere in the draft than in the plan in force.
function drawMoved(pen, { brand }, x, y, length) {
  pen.fillStyle = brand;
  pen.fillRect(x, y - 2, Math.max(4, length), 3);
  pen.fillRect(x, y + BAR - 1, Math.max(4, length), 3);
}

function drawFrame(pen, { theme, operation, several }, bar, x, y, length) {
  const isChosen = bar.id === operation || several?.has(bar.id);
  pen.strokeStyle = isChosen ? theme.text : theme.brand;
  pen.lineWidth = isChosen ? 3 : 1.5;
  pen.strokeRect(x - 0.5, y - 0.5, length + 1, BAR + 1);
}
