// The linked table under the board: the selected order's operations, the jobs of a period of the
// load chart, or the bars in view. Sorted by its headings; a row centres its bar.

const MOST = 100;

export function begin(board) {
  board.sort = { key: "start", down: false };
  const table = board.host.querySelector("[data-table]");
  table.addEventListener("click", (event) => onClick(board, event));
}

function onClick(board, event) {
  const heading = event.target.closest("[data-sort]");
  if (heading) {
    const { key, down } = board.sort;
    board.sort = { key: heading.dataset.sort, down: key === heading.dataset.sort && !down };
    refresh(board);
    return;
  }
  if (event.target.closest("[data-forget]")) {
    board.parts.load?.forget(board);
    refresh(board);
    return;
  }
  const row = event.target.closest("tr[data-row]");
  if (!row) return;
  const found = rows(board).list.find(({ id }) => id === Number(row.dataset.row));
  if (found) board.parts.choose.centre(board, found);
}

// What the table shows and the words above it.
function rows(board) {
  const { view, model, config, parts } = board;
  const { words } = config;
  if (!model) return { list: [], title: "" };
  const picked = parts.load?.picked(board);
  if (picked) return { list: picked.bars, title: picked.title, isPicked: true };
  if (view.order && view.tree) {
    // What the draft takes off the plan has no place to tell.
    const gone = new Set(board.draft?.removed);
    const left = view.tree.operations.filter(({ id }) => !gone.has(id));
    const list = left.map((operation) => {
      const bar = model.byId.get(operation.id);
      return bar ?? { ...operation, row: model.rowById.get(operation.unit), orders: [view.order] };
    });
    return { list, title: words.orderTable.replace("{order}", view.order) };
  }
  return { list: parts.choose.inView(board), title: words.viewTable };
}

const KEYS = {
  start: (bar) => bar.start,
  end: (bar) => bar.end,
  unit: (bar) => bar.row?.code ?? "",
  item: (bar) => bar.item + bar.name,
  workOrder: (bar) => bar.workOrder + String(bar.sequence).padStart(5, "0"),
  order: (bar) => bar.orders[0] ?? "",
  state: (bar) => (bar.isLate ? "0" : "1") + bar.state,
  other: (bar) => bar.other ?? bar.start,
};

export function refresh(board) {
  const { host, sort, config, view } = board;
  const box = host.querySelector("[data-table]");
  const { list, title, isPicked } = rows(board);
  const theirs = view.scenario?.byId;
  if (theirs) for (const bar of list) bar.other = theirs.get(bar.id)?.start;
  const key = KEYS[sort.key];
  const sorted = [...list].sort((a, b) => compare(key(a), key(b)) || a.id - b.id);
  if (sort.down) sorted.reverse();
  const shown = sorted.slice(0, MOST);
  const count = list.length > MOST ? config.words.firstOf : config.words.all;
  box.querySelector("[data-title]").textContent = title;
  box.querySelector("[data-count]").textContent = count
    .replace("{shown}", shown.length)
    .replace("{count}", list.length);
  box.querySelector("[data-forget]").hidden = !isPicked;
  for (const heading of box.querySelectorAll("th")) {
    const isOn = heading.firstElementChild.dataset.sort === sort.key;
    if (isOn) heading.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
  box.querySelector("tbody").replaceChildren(...shown.map((bar) => makeRow(board, bar)));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function makeRow(board, bar) {
  const { labels, clock, config, view } = board;
  const { words, states } = config;
  const at = (minute) => labels.moment(clock.local(minute));
  const row = document.createElement("tr");
  row.dataset.row = bar.id;
  if (bar.id === view.operation) row.setAttribute("aria-current", "true");
  const go = document.createElement("button");
  go.type = "button";
  go.textContent = at(bar.start);
  go.title = words.centre;
  const orders = bar.orders.slice(0, 2).join(", ") + (bar.orders.length > 2 ? " …" : "");
  const marks = states[bar.state] + (bar.isLate ? ` · ${words.late}` : "");
  const cells = [
    go,
    at(bar.end),
    bar.row?.code || words.outside,
    `${bar.item} · ${bar.name}`,
    `${bar.workOrder}/${bar.sequence}`,
    orders || words.noOrder,
    bar.isLocked ? `${marks} · ${words.locked}` : marks,
  ];
  if (config.scenario) cells.push(board.parts.ghosts.tell(board, bar.id, { isShort: true }));
  for (const content of cells) {
    const cell = document.createElement("td");
    cell.append(content);
    row.append(cell);
  }
  if (bar.isLate) row.className = "row-late";
  return row;
}
