// Ghosts: where the plan in force has what a draft has moved, and where a scenario that is shown
// beside has it. Dashed frames over the bars; nothing here can be dragged.

const BAR = 21;
const BAR_TOP = 4;
const MIDDLE = BAR / 2;
// Below it a dash would be a smear: the frame is drawn whole.
const DASHED = 9;

// Takes the scenario's places in: by row and start, as bars are, in lanes of their own.
export function overlay(board) {
  const { view, model, raw } = board;
  view.scenario = null;
  if (!board.config.scenario) return;
  const rows = new Map();
  const byId = new Map();
  for (const [unit, cell] of raw.ghosts ?? []) {
    const row = model.rowById.get(unit);
    if (!row) continue;
    const ghost = { ...board.parts.model.makeBar(cell, raw, row, new Set(), board.families), isGhost: true };
    byId.set(ghost.id, ghost);
    if (!rows.has(row)) rows.set(row, []);
    rows.get(row).push(ghost);
  }
  const lanes = new Map();
  for (const [row, list] of rows) {
    const shelf = { lanes: [[]] };
    list.sort((a, b) => a.start - b.start || a.end - b.end);
    for (const ghost of list) board.parts.model.place(shelf, ghost);
    lanes.set(row, shelf.lanes);
  }
  view.scenario = { lanes, byId, gone: new Set(raw.gone ?? []) };
}

export function draw(pen, view, lines, parts) {
  drawDraft(pen, view, parts);
  if (!view.scenario) return;
  for (const line of lines) if (line.kind === "row") drawRow(pen, view, line, parts);
  drawWay(pen, view, parts);
}

// Where the plan in force has what the draft has moved: an empty dashed frame.
function drawDraft(pen, { ghosts, scale, theme }, parts) {
  if (!ghosts?.length) return;
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1.5;
  pen.setLineDash([4, 3]);
  for (const ghost of ghosts) {
    if (ghost.row.y === null) continue;
    const x = scale.x(ghost.start);
    const y = topOf(ghost, parts);
    pen.strokeRect(x + 0.5, y + 0.5, Math.max(2, scale.x(ghost.end) - x - 1), BAR - 1);
  }
  pen.setLineDash([]);
}

function topOf({ row, lane }, parts) {
  return row.y + BAR_TOP + Math.min(lane, row.lanes.length - 1) * parts.model.LANE;
}

// One path for all frames of a row: dashes are dear one by one.
function drawRow(pen, view, { row }, parts) {
  const { scale, theme } = view;
  const dashed = new Path2D();
  const whole = new Path2D();
  for (const lane of view.scenario.lanes.get(row) ?? []) {
    let lastX = -1;
    for (let i = parts.model.firstBar(lane, scale.start); i < lane.length; i++) {
      const ghost = lane[i];
      if (ghost.start > scale.end) break;
      const x = scale.x(ghost.start);
      const length = Math.max(2, scale.x(ghost.end) - x - 1);
      if (x + length <= lastX + 0.5) continue;
      const path = length < DASHED ? whole : dashed;
      if (view.isLit(ghost)) path.rect(x + 0.5, topOf(ghost, parts) + 0.5, length, BAR - 1);
      lastX = x + length;
    }
  }
  pen.strokeStyle = pen.fillStyle = theme.brand;
  pen.globalAlpha = 0.12;
  pen.fill(dashed);
  pen.globalAlpha = 1;
  pen.lineWidth = 1;
  pen.stroke(whole);
  pen.lineWidth = 2;
  pen.setLineDash([5, 3]);
  pen.stroke(dashed);
  pen.setLineDash([]);
}

// From the chosen operation, or the one under the pointer, to where the scenario has it.
function drawWay(pen, view, parts) {
  const { scenario, loaded, scale, theme } = view;
  const id = view.hover?.id ?? view.operation;
  const [bar, ghost] = [loaded?.byId.get(id), scenario.byId.get(id)];
  if (!bar || !ghost || bar.row.y === null || ghost.row.y === null) return;
  const [x1, y1] = [scale.x((bar.start + bar.end) / 2), topOf(bar, parts) + MIDDLE];
  const [x2, y2] = [scale.x((ghost.start + ghost.end) / 2), topOf(ghost, parts) + MIDDLE];
  pen.strokeStyle = pen.fillStyle = theme.text;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
  pen.beginPath();
  pen.arc(x2, y2, 4, 0, 7);
  pen.fill();
  const x = scale.x(ghost.start);
  pen.lineWidth = 2.5;
  pen.strokeRect(x, topOf(ghost, parts), Math.max(3, scale.x(ghost.end) - x), BAR);
}

// The ghost at a place of the rows' area.
export function at({ view, parts }, x, y) {
  if (!view.scenario) return null;
  const line = view.layout.lines[parts.model.firstLine(view.layout, y)];
  if (!line || line.kind !== "row" || y < line.y) return null;
  const minute = view.scale.minute(x);
  for (const lane of view.scenario.lanes.get(line.row) ?? []) {
    const ghost = lane[parts.model.firstBar(lane, minute)];
    if (!ghost || ghost.start > minute) continue;
    const top = topOf(ghost, parts);
    if (y >= top - 2 && y <= top + BAR + 2) return ghost;
  }
  return null;
}

// What the scenario does with an operation, in words; "" where it leaves it.
export function tell(board, id, { isShort = false } = {}) {
  const { view, labels, clock, config } = board;
  const { words } = config;
  if (!view.scenario) return "";
  if (view.scenario.gone.has(id)) return isShort ? words.noTime : words.otherGone;
  const ghost = view.scenario.byId.get(id);
  if (!ghost) return isShort ? words.same : "";
  const at = (minute) => labels.moment(clock.local(minute));
  const unit = ghost.row.code || words.outside;
  if (isShort) return `→ ${at(ghost.start)} · ${unit}`;
  return words.otherAt
    .replace("{unit}", unit)
    .replace("{start}", at(ghost.start))
    .replace("{end}", at(ghost.end));
}
