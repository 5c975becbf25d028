// Pegging: thin lines from each operation of the selected order to the one that waits for it, and
// signs at the edges for what is out of sight.

const MIDDLE = 14; // of a bar, below its row's top
const HEAD = 5;

// In the rows' own coordinates, over the bars.
export function drawLinks(pen, view, parts) {
  const { tree, loaded: model, scale, theme } = view;
  if (!tree || !model) return;
  const lane = parts.model.LANE;
  pen.strokeStyle = pen.fillStyle = theme.link;
  pen.globalAlpha = 0.8;
  for (const [from, to] of tree.links) {
    const [a, b] = [tree.byId.get(from), tree.byId.get(to)];
    const one = parts.choose.placeOf(view, model, a, lane);
    const other = parts.choose.placeOf(view, model, b, lane);
    if (one.y === null || other.y === null) continue;
    const [x1, x2] = [scale.x(one.end), scale.x(other.start)];
    if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > scale.width) continue;
    pen.lineWidth = a.workOrder === b.workOrder ? 1 : 1.5;
    drawLink(pen, x1, one.y + MIDDLE, x2, other.y + MIDDLE);
  }
  pen.globalAlpha = 1;
}

// A soft S from right to left edge; where the time between is short it bows out on both sides.
function drawLink(pen, x1, y1, x2, y2) {
  const bow = Math.max(14, Math.min(80, Math.abs(x2 - x1) / 2));
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.bezierCurveTo(x1 + bow, y1, x2 - bow, y2, x2 - HEAD, y2);
  pen.stroke();
  pen.beginPath();
  pen.moveTo(x2, y2);
  pen.lineTo(x2 - HEAD - 1, y2 - HEAD + 1);
  pen.lineTo(x2 - HEAD - 1, y2 + HEAD - 1);
  pen.fill();
}

// Signs at the edges: how many of the order's operations lie beyond each, by mouse a way to them.
export function drawHints(pen, view, board) {
  const { theme, width, height, headerWidth, words } = view;
  view.hints = [];
  if (!view.tree) return;
  const out = board.parts.choose.outOfSight(board);
  const top = board.parts.axis.AXIS;
  const middle = top + (height - top) / 2;
  pen.font = `600 12px ${theme.font}`;
  pen.textBaseline = "middle";
  const signs = [
    ["earlier", "◀ ", "", () => headerWidth + 6, middle],
    ["later", "", " ▶", (w) => width - w - 14, middle],
    ["above", "▲ ", "", (w) => headerWidth + (width - headerWidth - w) / 2, top + 16],
    ["below", "▼ ", "", (w) => headerWidth + (width - headerWidth - w) / 2, height - 16],
  ];
  for (const [direction, before, after, left, y] of signs) {
    const count = out[direction].length;
    if (!count) continue;
    const text = `${before}${count} ${words[direction]}${after}`;
    const w = pen.measureText(text).width + 16;
    const box = { direction, text, x: left(w), y: y - 11, w, h: 22 };
    view.hints.push(box);
    pen.fillStyle = theme.brand;
    pen.beginPath();
    pen.roundRect(box.x, box.y, w, box.h, 11);
    pen.fill();
    pen.fillStyle = theme.onBrand;
    pen.fillText(text, box.x + 8, y + 0.5);
  }
}

export function hintAt({ hints }, x, y) {
  return hints.find((box) => x >= box.x && x <= box.x + box.w && y >= box.y && y <= box.y + box.h);
}
