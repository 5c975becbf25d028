// The time axis above the rows, and the sticky headings of rows and work centers beside them.

export const AXIS = 48;
const TIER = AXIS / 2;

// A label stays in sight while its span does.
function sticky(x, end, left) {
  const at = Math.max(x, left) + 6;
  return [at, end - at];
}

export function drawAxis(pen, view, tiers, cut) {
  const { theme, width, headerWidth, scale } = view;
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, width, AXIS);
  pen.save();
  pen.beginPath();
  pen.rect(headerWidth, 0, width - headerWidth, AXIS);
  pen.clip();
  pen.textBaseline = "middle";
  drawTier(pen, view, tiers.major, 0, `600 12.5px ${theme.font}`, theme.text, cut);
  drawTier(pen, view, tiers.minor, TIER, `12px ${theme.font}`, theme.muted, cut);
  drawNowLabel(pen, view, headerWidth + scale.x(view.now));
  pen.restore();
  pen.fillStyle = theme.strongLine;
  pen.fillRect(0, AXIS - 1, width, 1);
}

function drawTier(pen, { theme, headerWidth }, spans, y, font, ink, cut) {
  pen.font = font;
  for (const [start, end, text] of spans) {
    const x = Math.round(headerWidth + start);
    pen.fillStyle = theme.line;
    pen.fillRect(x, y, 1, TIER);
    const [at, room] = sticky(x, headerWidth + end, headerWidth);
    const shown = cut(pen, text, room);
    if (!shown || (y > 0 && shown !== text)) continue;
    pen.fillStyle = ink;
    pen.fillText(shown, at, y + TIER / 2 + 1);
  }
}

function drawNowLabel(pen, { theme, words }, x) {
  pen.font = `600 11px ${theme.font}`;
  const width = pen.measureText(words.now).width + 10;
  pen.fillStyle = theme.now;
  pen.beginPath();
  pen.roundRect(x - width / 2, AXIS - 18, width, 16, 4);
  pen.fill();
  pen.fillStyle = theme.onNow;
  pen.fillText(words.now, x - width / 2 + 5, AXIS - 9.5);
}

// Headings of what is visible; the heading of the work center at the top stays there.
export function drawHeadings(pen, view, lines, cut) {
  const { theme, headerWidth, height, scrollTop, layout } = view;
  pen.fillStyle = theme.surface;
  pen.fillRect(0, AXIS, headerWidth, height - AXIS);
  pen.textBaseline = "middle";
  for (const line of lines) {
    const y = AXIS + line.y - scrollTop;
    if (line.kind === "row") drawRowHeading(pen, view, line, y, cut);
  }
  for (const line of lines) {
    if (line.kind === "group") drawGroup(pen, view, line.text, AXIS + line.y - scrollTop, cut);
  }
  const top = lines[0];
  if (top) {
    const group = top.kind === "group" ? top : top.group;
    const next = layout.lines.find((line) => line.kind === "group" && line.y > scrollTop);
    const pushed = next ? Math.min(0, next.y - scrollTop - group.height) : 0;
    drawGroup(pen, view, group.text, AXIS + pushed, cut);
  }
  pen.fillStyle = theme.strongLine;
  pen.fillRect(headerWidth - 1, 0, 1, Math.min(height, AXIS + layout.height - scrollTop));
}

function drawRowHeading(pen, { theme, headerWidth, hover, words }, { row, height }, y, cut) {
  pen.fillStyle = theme.line;
  pen.fillRect(0, y + height - 1, headerWidth, 1);
  if (hover && hover.row === row) {
    pen.fillStyle = theme.group;
    pen.fillRect(0, y, headerWidth - 1, height - 1);
  }
  const code = row.code || words.outside;
  pen.font = `600 12.5px ${theme.font}`;
  pen.fillStyle = theme.text;
  const text = cut(pen, code, headerWidth - 18);
  pen.fillText(text, 10, y + height / 2);
  const used = pen.measureText(text).width + 18;
  if (headerWidth - used < 40 || !row.name) return;
  pen.font = `12px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.fillText(cut(pen, row.name, headerWidth - used - 8), used, y + height / 2);
}

function drawGroup(pen, { theme, width }, text, y, cut) {
  pen.fillStyle = theme.group;
  pen.fillRect(0, y, width, 24);
  pen.fillStyle = theme.line;
  pen.fillRect(0, y + 23, width, 1);
  pen.font = `600 11.5px ${theme.font}`;
  pen.fillStyle = theme.muted;
  pen.fillText(cut(pen, text, width - 20), 10, y + 12.5);
}
