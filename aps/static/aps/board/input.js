// Mouse and keyboard on the canvas, told as intentions: pan, zoom, scroll, point, pick.

const CLICK = 4;
const STEP = 0.15;

export function listen(canvas, act) {
  listenToPointer(canvas, act);
  canvas.addEventListener("wheel", (event) => onWheel(event, act), { passive: false });
  canvas.addEventListener("keydown", (event) => onKey(event, act));
}

function place(canvas, event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function listenToPointer(canvas, act) {
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return;
    const held = act.grab(...place(canvas, event), event);
    drag = { x: event.clientX, y: event.clientY, moved: false, held };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return undefined;
    if (!drag) return act.point(...place(canvas, event));
    const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(x, y) < CLICK) return undefined;
    if (!drag.moved) canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("plan-dragged");
    act.point(-1, -1);
    const { held } = drag;
    if (held) {
      drag.moved = true;
      return held.to(...place(canvas, event));
    }
    drag = { x: event.clientX, y: event.clientY, moved: true };
    act.pan(-x);
    act.scroll(-y);
    return undefined;
  });
  const end = (event) => {
    if (event.pointerType === "touch") return;
    const isUp = event.type === "pointerup";
    if (drag?.moved && drag.held) drag.held.end(isUp);
    else if (drag && !drag.moved && isUp) act.pick(...place(canvas, event), event);
    drag = null;
    canvas.classList.remove("plan-dragged");
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => act.point(-1, -1));
}

function onWheel(event, act) {
  const unit = event.deltaMode === 1 ? 16 : 1;
  const [x, y] = [event.deltaX * unit, event.deltaY * unit];
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    act.zoom(Math.exp(-y / 300), place(event.currentTarget, event)[0]);
  } else if (event.shiftKey || Math.abs(x) > Math.abs(y)) {
    event.preventDefault();
    act.pan(x || y);
  } else if (act.scroll(y)) {
    // Only where there are rows to scroll to; else the page scrolls.
    event.preventDefault();
  }
}

function onKey(event, act) {
  if (act.key(event)) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const far = event.shiftKey ? 0.9 : STEP;
  const keys = {
    ArrowLeft: () => act.pan(-far * act.width()),
    ArrowRight: () => act.pan(far * act.width()),
    ArrowUp: () => act.scroll(-30),
    ArrowDown: () => act.scroll(30),
    PageUp: () => act.scroll(-300),
    PageDown: () => act.scroll(300),
    "+": () => act.zoom(1.4),
    "=": () => act.zoom(1.4),
    "-": () => act.zoom(1 / 1.4),
    "−": () => act.zoom(1 / 1.4),
    t: () => act.today(),
    T: () => act.today(),
    Home: () => act.today(),
    Enter: () => act.next(event.shiftKey ? -1 : 1),
    Escape: () => act.clear(),
  };
  const found = keys[event.key];
  if (!found) return;
  event.preventDefault();
  // The page's own shortcuts are not meant.
  event.stopPropagation();
  found();
}
