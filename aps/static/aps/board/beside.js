// What stands in words beside the canvas: tooltip, side panel, legend, counts.

export function say({ host }, sentence) {
  const message = host.querySelector("[data-message]");
  message.textContent = sentence;
  message.hidden = !sentence;
}

// Counts, legend and table: what follows the view a moment after it has come to rest.
export function tell(board) {
  tellCount(board);
  drawLegend(board);
  board.parts.table.refresh(board);
}

function tellCount(board) {
  const { view, model, config, host, parts } = board;
  if (!model) return;
  const seen = model.bars.filter((bar) => bar.end > view.scale.start && bar.start < view.scale.end);
  const mine = view.order ? model.bars.filter((bar) => parts.model.belongs(bar, view.order)) : [];
  const chosen = view.order ? ` · ${config.words.selected} ${view.order} (${mine.length})` : "";
  host.querySelector("[data-status]").textContent = `${seen.length} ${config.words.bars}${chosen}`;
}

export function showTip(board, shown, x, y) {
  const { host, view, clock, labels, config, parts, model } = board;
  // A ghost tells of its operation as the plan in force has it, where that is loaded.
  const bar = shown?.isGhost ? (model.byId.get(shown.id) ?? shown) : shown;
  const tip = host.querySelector("[data-tip]");
  tip.hidden = !bar;
  if (!bar) return;
  const at = (minute) => labels.moment(clock.local(minute));
  const orders = bar.orders.slice(0, 4).join(", ") + (bar.orders.length > 4 ? " …" : "");
  const isHeld = parts.paint.isFrozen(bar, view);
  const marks = [config.states[bar.state]];
  if (bar.isLate) marks.push(config.words.late);
  if (isHeld) marks.push(bar.isLocked ? config.words.locked : config.words.frozen);
  const lines = [
    `${bar.item} · ${bar.sequence} ${bar.name}`,
    `${at(bar.start)} – ${at(bar.end)}`,
    `${bar.workOrder} · ${orders || config.words.noOrder}`,
    bar.family === bar.item ? "" : `${config.words.family} ${bar.family}`,
    `${marks.join(" · ")} · ${config.words.due} ${at(bar.due)}`,
    parts.ghosts.tell(board, bar.id),
    bar.was && tellPlan(config.words, bar.was, at),
  ];
  tip.replaceChildren(
    ...lines.filter(Boolean).map((line, i) => {
      const part = document.createElement(i ? "span" : "strong");
      part.textContent = line;
      return part;
    }),
  );
  const left = Math.min(x + 14, view.width - tip.offsetWidth - 8);
  const below = y + 20 + tip.offsetHeight < view.height;
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${below ? y + 18 : Math.max(parts.axis.AXIS, y - tip.offsetHeight - 10)}px`;
}

// Where the plan in force has what a draft has moved.
function tellPlan(words, { row, start, end }, at) {
  return words.planAt
    .replace("{unit}", row.code || words.outside)
    .replace("{start}", at(start))
    .replace("{end}", at(end));
}

export async function showPanel(board) {
  const { view, host, config } = board;
  const panel = host.querySelector("[data-panel]");
  if (!view.order) {
    panel.hidden = true;
    panel.replaceChildren();
    return;
  }
  const query = new URLSearchParams({ ...config.place, order: view.order, operation: view.operation || "" });
  if (config.scenario) query.set("scenario", config.scenario);
  // Walking from bar to bar by key asks only for the last one.
  board.asking?.abort();
  const { signal } = (board.asking = new AbortController());
  panel.setAttribute("aria-busy", "true");
  const answer = await fetch(`${config.panel}?${query}`, { signal }).catch(() => null);
  if (signal.aborted) return;
  panel.removeAttribute("aria-busy");
  if (!answer?.ok || !view.order) return;
  // Our own server's fragment; it carries no script, and the page's policy would run none.
  const text = await answer.text();
  if (signal.aborted || !view.order) return;
  const held = holder(panel);
  const { scrollTop } = panel;
  panel.innerHTML = text;
  // Why it is late is read from the whole plan and comes after the rest.
  window.htmx?.process(panel);
  panel.hidden = false;
  if (!held) return;
  panel.scrollTop = scrollTop;
  const next = [held, "[data-back]", "[data-close]"].map((name) => panel.querySelector(name)).find(Boolean);
  next?.focus({ preventScroll: true });
}

// The panel's control that has the focus, as a selector: who pressed it stays there.
function holder(panel) {
  const focused = document.activeElement;
  if (!panel.contains(focused)) return "";
  const name = ["edit", "replan", "operation", "order"].find((key) => key in focused.dataset);
  return name ? `[data-${name}="${CSS.escape(focused.dataset[name])}"]` : "";
}

export function drawLegend(board) {
  const { host, view, parts, config, model } = board;
  const list = host.querySelector("[data-legend]");
  const seen = model ? parts.choose.inView(board) : [];
  const rows = parts.theme.legend(view, config.words, config.states, seen);
  list.replaceChildren(...rows.map(legendItem));
}

function legendItem([style, text, kind]) {
  const item = document.createElement("li");
  if (!style) {
    item.textContent = text;
    return item;
  }
  const swatch = document.createElement("span");
  swatch.className = kind && kind !== "late" ? `plan-swatch plan-${kind}` : "plan-swatch";
  if (!kind || kind === "late") {
    swatch.style.background = style.fill;
    swatch.style.borderColor = style.edge;
  }
  swatch.style.color = style.ink;
  item.append(swatch, text);
  return item;
}
