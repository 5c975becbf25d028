// The board on paper: the window in view, in the light colours and twice as sharp.

const SHARP = 2;

export function begin(board) {
  addEventListener("beforeprint", () => show(board, SHARP));
  addEventListener("afterprint", () => show(board, 0));
}

function show(board, ratio) {
  const { host, view, parts, clock, labels } = board;
  host.classList.toggle("plan-printed", Boolean(ratio));
  board.ratio = ratio;
  view.theme = parts.theme.readTheme(host);
  const at = (minute) => labels.moment(clock.local(minute));
  const span = `${at(view.scale.start)} – ${at(view.scale.end)}`;
  host.querySelector("[data-printed]").textContent = span;
  parts.beside.drawLegend(board);
  board.resize();
  board.draw();
}
