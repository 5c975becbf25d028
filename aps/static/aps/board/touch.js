// Fingers on the canvas, told as the same intentions as the mouse's: one pans in time and over the
// rows (and the page, where there are no more rows), two zoom, a tap picks, a long press acts.

const STILL = 10; // pixels that a resting finger may stray
const HOLD = 500; // milliseconds that make a press long

export function listen(canvas, act) {
  const fingers = new Map();
  let press = null;
  let wasLong = false;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const forget = () => {
    clearTimeout(press?.timer);
    press = null;
  };
  const begin = (point) => {
    const timer = setTimeout(() => {
      press.isOver = wasLong = true;
      navigator.vibrate?.(12);
      act.hold(point.x, point.y);
    }, HOLD);
    press = { from: point, moved: false, isOver: false, timer };
    wasLong = false;
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    const point = at(event);
    fingers.set(event.pointerId, point);
    canvas.setPointerCapture(event.pointerId);
    act.point(-1, -1);
    if (fingers.size === 1) begin(point);
    else forget();
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    // A drag of the rows may scroll the page under the finger: places on the screen are told.
    const now = at(event);
    if (fingers.size === 2) pinch(fingers, event.pointerId, now, act);
    else if (press && !press.isOver) {
      if (!press.moved && Math.hypot(now.x - press.from.x, now.y - press.from.y) < STILL) return;
      if (!press.moved) clearTimeout(press.timer);
      press.moved = true;
      act.pan(before.x - now.x);
      scroll(before.y - now.y, act);
    }
    fingers.set(event.pointerId, at(event));
  });

  const end = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    const isTap = press && !press.moved && !press.isOver && event.type === "pointerup";
    if (isTap) act.pick(press.from.x, press.from.y, event);
    forget();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  // The click that a browser makes of a touch would close the dialog that a long press has opened.
  canvas.addEventListener(
    "touchend",
    (event) => {
      if (wasLong) event.preventDefault();
    },
    { passive: false },
  );
  // The browser's own menu of a long press.
  canvas.addEventListener("contextmenu", (event) => {
    if (fingers.size || event.pointerType === "touch") event.preventDefault();
  });
}

function scroll(pixels, act) {
  if (pixels && !act.scroll(pixels)) scrollBy(0, pixels);
}

// Both fingers keep the moments that they are on, as nearly as one scale can.
function pinch(fingers, id, now, act) {
  const [other] = [...fingers].filter(([key]) => key !== id).map(([, point]) => point);
  const before = fingers.get(id);
  const apart = (point) => Math.max(24, Math.hypot(point.x - other.x, point.y - other.y));
  const middle = (point) => (point.x + other.x) / 2;
  act.pan(middle(before) - middle(now));
  act.zoom(apart(now) / apart(before), middle(now));
}
