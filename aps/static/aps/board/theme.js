// The page's colours as the canvas needs them: tokens resolved for the theme that is on.

const TOKENS = {
  page: "--page",
  surface: "--surface",
  raised: "--surface-raised",
  closed: "--board-closed",
  group: "--surface-sunken",
  line: "--line",
  strongLine: "--line-strong",
  text: "--text",
  muted: "--text-muted",
  brand: "--brand",
  onBrand: "--on-brand",
  link: "--board-link",
  now: "--danger",
  onNow: "--on-danger",
};
const TONES = ["planned", "running", "done", "risk", "late", "hold"];
const ORDER_COLOURS = 8;

// light-dark() is resolved only where a colour is used, so a hidden element wears each token.
function reader(host) {
  const probe = document.createElement("span");
  probe.hidden = true;
  host.append(probe);
  return {
    colour(token) {
      probe.style.color = `var(${token})`;
      return getComputedStyle(probe).color;
    },
    done: () => probe.remove(),
  };
}

export function readTheme(host) {
  const { colour, done } = reader(host);
  const theme = { tones: {}, orders: [] };
  for (const [name, token] of Object.entries(TOKENS)) theme[name] = colour(token);
  for (const tone of TONES) {
    theme.tones[tone] = {
      ink: colour(`--status-${tone}`),
      fill: colour(`--status-${tone}-ground`),
      edge: colour(`--status-${tone}`),
    };
  }
  theme.tones.planned.fill = colour("--board-planned");
  theme.tones.planned.edge = colour("--board-planned-edge");
  theme.tones.planned.ink = colour("--board-planned-ink");
  // Work for a late order that is itself in time: the late edge on a plain ground.
  theme.tones.lateOrder = { ...theme.tones.planned, edge: theme.tones.late.ink };
  for (let number = 1; number <= ORDER_COLOURS; number++) {
    theme.orders.push({
      fill: colour(`--board-order-${number}`),
      ink: colour(`--board-order-${number}-ink`),
      edge: colour(`--board-order-${number}`),
    });
  }
  done();
  theme.font = getComputedStyle(host).fontFamily;
  theme.hatches = new Map();
  return theme;
}

// Diagonal lines for setup, in the ink of its bar.
export function hatch(context, theme, ink) {
  let found = theme.hatches.get(ink);
  if (!found) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = ink;
    pen.lineWidth = 1.4;
    pen.beginPath();
    for (const shift of [-6, 0, 6]) {
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
    }
    pen.stroke();
    found = context.createPattern(tile, "repeat");
    theme.hatches.set(ink, found);
  }
  return found;
}

const STATE_TONES = {
  waiting: "planned",
  ready: "planned",
  setup: "running",
  running: "running",
  interrupted: "risk",
  done: "done",
};

export function styleOf(bar, mode, theme) {
  if (mode === "order") return theme.orders[hash(bar.order) % theme.orders.length];
  if (mode === "family") return theme.orders[bar.familyNumber % theme.orders.length];
  if (mode === "state") return theme.tones[STATE_TONES[bar.state] ?? "planned"];
  return theme.tones[bar.tone];
}

export function hash(text) {
  let value = 0;
  for (let i = 0; i < text.length; i++) value = (value * 31 + text.charCodeAt(i)) >>> 0;
  return value;
}

const MOST_NAMED = 8;

// What the colours say, for the legend: [style, words, kind]; kind draws hatch, lock or zone.
// seen: the bars in view, whose orders or families are named.
export function legend(view, words, states, seen) {
  const { colour: mode, theme } = view;
  const tones = theme.tones;
  const late = [tones.late, words.late, "late"];
  const common = [
    [tones.planned, words.setup, "hatched"],
    [tones.planned, words.locked, "lock"],
  ];
  if (view.frozen) common.push([tones.planned, words.frozenZone, "zone"]);
  if (view.ghosts?.length) {
    common.push([tones.planned, words.moved, "moved"], [tones.planned, words.ghost, "ghost"]);
  }
  if (view.scenario) common.push([tones.planned, words.other, "other"]);
  if (mode === "state") {
    const shown = ["ready", "running", "interrupted", "done"];
    const rows = shown.map((state) => [tones[STATE_TONES[state]], states[state], ""]);
    return [...rows, late, ...common];
  }
  if (mode === "order" || mode === "family") {
    return [...named(mode, theme, seen, words), late, ...common];
  }
  return [
    [tones.planned, words.onTime, ""],
    [tones.risk, words.risk, ""],
    late,
    [tones.lateOrder, words.lateOrder, ""],
    [tones.running, states.running, ""],
    ...common,
  ];
}

// The first orders or families in view by name; the bars and the tooltip name the rest.
function named(mode, theme, seen, words) {
  const first = new Map();
  for (const bar of seen) {
    const name = mode === "order" ? bar.order : bar.family;
    if (!first.has(name)) first.set(name, bar);
  }
  const names = [...first.keys()].sort();
  const rows = names
    .slice(0, MOST_NAMED)
    .map((name) => [styleOf(first.get(name), mode, theme), name, ""]);
  const more = names.length - rows.length;
  if (more > 0) rows.push([null, words.more.replace("{count}", more), ""]);
  return rows;
}

// The shape that says the same as the colour.
export function glyph(stateOrTone) {
  if (stateOrTone === "running" || stateOrTone === "setup") return "running";
  if (["late", "risk", "done", "interrupted"].includes(stateOrTone)) return stateOrTone;
  return "";
}
