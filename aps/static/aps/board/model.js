// What is on the board: rows, their lanes of bars by start, who belongs to which order.
// The board's modules do not import one another, since served names carry a hash: board.js loads
// them by the addresses that the page names, and hands them over.

export const ROW = 30;
export const LANE = 24;
export const GROUP = 24;
const TIGHT = 1440;

// The server's tables of words and rows of numbers as objects.
export function makeModel(data, families) {
  const closed = data.closed.map((pairs) => absolute(pairs, data.base));
  const late = new Set(data.late);
  number(data.families, families);
  const bars = [];
  const rows = data.rows.map(([id, code, name, center, table, cells], index) => {
    const row = { id, code, name, center, index, closed: closed[table] ?? [], lanes: [] };
    for (const cell of cells) {
      const bar = makeBar(cell, data, row, late, families);
      place(row, bar);
      bars.push(bar);
    }
    if (!row.lanes.length) row.lanes.push([]);
    return row;
  });
  const byId = new Map(bars.map((bar) => [bar.id, bar]));
  const rowById = new Map(rows.map((row) => [row.id, row]));
  const [from, to] = [data.base, data.base + data.length];
  return { version: data.version, from, to, rows, rowById, bars, byId, late };
}

function absolute(pairs, base) {
  const found = [];
  for (let i = 0; i < pairs.length; i += 2) {
    found.push([base + pairs[i], base + pairs[i] + pairs[i + 1]]);
  }
  return found;
}

// A family keeps its colour while the page is open, whatever else is loaded.
function number(words, families) {
  for (const word of [...words].sort()) if (!families.has(word)) families.set(word, families.size);
}

export function makeBar(cell, data, row, late, families) {
  const [id, start, length, workOrder, item, sequence, name, state] = cell;
  const [isLate, due, setup, orders, family, locked, changeover] = cell.slice(8);
  const bar = {
    id,
    row,
    start: data.base + start,
    end: data.base + start + length,
    workOrder: data.work_orders[workOrder],
    item: data.items[item],
    sequence,
    name: data.names[name],
    state: data.states[state],
    isLate: isLate === 1,
    due: data.base + due,
    orders: orders.map((number) => data.orders[number]),
    family: data.families[family],
    familyNumber: families.get(data.families[family]),
    isLocked: locked === 1,
    // Minutes on the clock that the machine takes right before it.
    changeover,
    lane: 0,
  };
  bar.setupEnd = setup ? Math.min(bar.end, afterWork(bar.start, setup, row.closed)) : bar.start;
  bar.tone = toneOf(bar, late);
  bar.order = bar.orders[0] ?? bar.workOrder;
  bar.label = `${bar.item} · ${bar.name}`;
  return bar;
}

export function toneOf(bar, late) {
  if (bar.isLate) return "late";
  if (bar.state === "done") return "done";
  if (bar.orders.some((order) => late.has(order))) return "lateOrder";
  if (bar.state === "running" || bar.state === "setup") return "running";
  return bar.end > bar.due - TIGHT ? "risk" : "planned";
}

// The moment after so many minutes of work, closed spans left out.
function afterWork(start, minutes, closed) {
  let end = start + minutes;
  for (const [from, to] of closed) {
    if (to <= start) continue;
    if (from >= end) break;
    end += to - Math.max(from, start);
  }
  return end;
}

// The first lane in which the bar overlaps nothing; bars come by start.
export function place(row, bar) {
  const free = row.lanes.findIndex((lane) => !lane.length || lane.at(-1).end <= bar.start);
  bar.lane = free < 0 ? row.lanes.push([]) - 1 : free;
  row.lanes[bar.lane].push(bar);
}

// Rows whose bars have changed get them anew, by start.
export function fill(model, rows) {
  if (!rows.size) return;
  const byRow = new Map([...rows].map((row) => [row, []]));
  for (const bar of model.bars) byRow.get(bar.row)?.push(bar);
  for (const [row, bars] of byRow) {
    row.lanes = [[]];
    bars.sort((a, b) => a.start - b.start || a.end - b.end);
    for (const bar of bars) place(row, bar);
  }
}

// Lines from top to bottom: a heading per work center, then its rows.
export function makeLayout(model, center, outside) {
  const lines = [];
  let y = 0;
  let group = null;
  for (const row of model.rows) {
    row.y = null;
    if (center && row.center !== center) continue;
    if (row.center !== group) {
      group = row.center;
      lines.push({ kind: "group", text: group || outside, y, height: GROUP });
      y += GROUP;
    }
    const height = ROW + (row.lanes.length - 1) * LANE;
    row.y = y;
    lines.push({ kind: "row", row, y, height, group: lines.at(-1).group ?? lines.at(-1) });
    y += height;
  }
  return { lines, height: y };
}

// Index of the first element for which the test holds; tests turn true once.
export function firstWhere(list, test) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(list[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function firstLine(layout, y) {
  return firstWhere(layout.lines, (line) => line.y + line.height > y);
}

export function firstBar(lane, minute) {
  return firstWhere(lane, (bar) => bar.end > minute);
}

// The bar at a place of the rows' area, a few pixels of slack for thin ones.
export function barAt(layout, scale, x, y) {
  const line = layout.lines[firstLine(layout, y)];
  if (!line || line.kind !== "row" || y < line.y) return null;
  const lane = line.row.lanes[Math.min(line.row.lanes.length - 1, Math.floor((y - line.y) / LANE))];
  const slack = 3 / scale.perMinute;
  const minute = scale.minute(x);
  const bar = lane[firstBar(lane, minute - slack)];
  return bar && bar.start <= minute + slack ? bar : null;
}

export function belongs(bar, order) {
  return bar.workOrder === order || bar.orders.includes(order);
}

// Whether the bar fits what the filter asks for.
export function matches(bar, { text, late }) {
  if (late && !bar.isLate) return false;
  if (!text) return true;
  const found = [bar.item, bar.workOrder, ...bar.orders];
  return found.some((word) => word.toLowerCase().includes(text));
}

// The operation that makes the order late, else its first one.
export function firstOf(model, order) {
  const mine = model.bars.filter((bar) => belongs(bar, order));
  return mine.find((bar) => bar.isLate) ?? mine[0];
}
