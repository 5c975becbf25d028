// The pad: good, scrap and rework are counted with big keys, with a reason where one is asked.
//
//   floor:pad {isBack}                 in: open it; isBack: the pieces come back from rework
//   floor:screen {name}                out: show it
//   floor:do {verb, body, label}       out: what was counted

const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const job = () => document.getElementById("job");
const counts = { good: 0, scrap: 0, rework: 0 };
const reasons = { scrap: "", rework: "" };
let counting = "good";
let isBack = false; // The pieces counted come back from rework.
let isFresh = true; // The next digit replaces what was filled in.

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

document.addEventListener("floor:pad", ({ detail }) => {
  isBack = detail.isBack;
  const data = job().dataset;
  counts.good = Number(isBack ? data.rework : data.left);
  counts.scrap = counts.rework = 0;
  reasons.scrap = reasons.rework = "";
  for (const tile of job().querySelectorAll("[data-reasons] [aria-pressed=true]")) tile.ariaPressed = "false";
  job().querySelector('[data-count="rework"]').hidden = isBack;
  const title = job().querySelector("[data-pad-title]");
  title.textContent = isBack ? title.dataset.fromRework : title.dataset.plain;
  choose("good");
  tell("floor:screen", { name: "pad" });
});

function choose(kind) {
  counting = kind;
  isFresh = true;
  for (const field of job().querySelectorAll("[data-count]")) {
    field.setAttribute("aria-checked", String(field.dataset.count === kind));
  }
  draw();
}

const most = () => Number(isBack ? job().dataset.rework : job().dataset.left);

function key(name) {
  const others = counts.good + counts.scrap + counts.rework - counts[counting];
  let value = isFresh ? "" : String(counts[counting]);
  if (name === "clear") value = "";
  else if (name === "back") value = String(counts[counting]).slice(0, -1);
  else if (name === "all") value = String(Math.max(0, most() - others));
  else if (name.startsWith("+")) value = String(counts[counting] + Number(name));
  else value = value.length < 7 ? value + name : value;
  counts[counting] = Number(value) || 0;
  isFresh = false;
  giveWay();
  draw();
}

// Good is what is left when scrap or rework was counted in the same breath.
function giveWay() {
  if (counting === "good") return;
  const others = counts.scrap + counts.rework;
  if (counts.good + others > most()) counts.good = Math.max(0, most() - others);
}

function draw() {
  const node = job();
  for (const kind of Object.keys(counts)) {
    node.querySelector(`[data-value="${kind}"]`).textContent = String(counts[kind]);
  }
  for (const box of node.querySelectorAll("[data-reasons]")) {
    box.hidden = !(counts[box.dataset.reasons] > 0);
  }
  const total = counts.good + counts.scrap + counts.rework;
  const isTold = ["scrap", "rework"].every((kind) => {
    const box = node.querySelector(`[data-reasons="${kind}"]`);
    return !(counts[kind] > 0) || reasons[kind] || !box?.querySelector("[data-reason]");
  });
  const send = node.querySelector("[data-send]");
  send.disabled = !(total > 0) || total > most() || !isTold;
  send.querySelector("[data-send-text]").textContent = said() ? `${texts.report}: ${said()}` : texts.report;
  // What keeps it from being sent is said, not only grey.
  const why = node.querySelector("[data-pad-why]");
  why.textContent = total > most() ? texts.tooMany.replace("%n", String(most())) : isTold ? "" : texts.sayWhy;
}

function said(figures = counts) {
  return Object.entries(figures)
    .filter(([, value]) => value > 0)
    .map(([kind, value]) => `${value} ${texts[kind]}`)
    .join(", ");
}

function send() {
  const { good, scrap, rework } = counts;
  if (good || scrap) {
    const body = { good: String(good), scrap: String(scrap), from_rework: isBack };
    if (scrap && reasons.scrap) body.reason_code = reasons.scrap;
    tell("floor:do", { verb: "report", body, label: said({ good, scrap }) });
  }
  if (rework) {
    const body = { rework: String(rework), reason_code: reasons.rework };
    tell("floor:do", { verb: "report", body, label: said({ rework }) });
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("button") : null;
  if (!target?.closest('[data-screen="pad"]')) return;
  const { dataset } = target;
  if (dataset.count) choose(dataset.count);
  else if (dataset.key) key(dataset.key);
  else if ("send" in dataset) send();
  else if (dataset.reason) {
    const box = target.closest("[data-reasons]");
    reasons[box.dataset.reasons] = dataset.reason;
    for (const tile of box.querySelectorAll("[data-reason]")) tile.ariaPressed = String(tile === target);
    draw();
  }
});

// Digits of a real keyboard count as well.
document.addEventListener("keydown", (event) => {
  const pad = job()?.querySelector('[data-screen="pad"]');
  if (!pad || pad.hidden || event.target instanceof HTMLInputElement) return;
  if (/^[0-9]$/.test(event.key)) key(event.key);
  else if (event.key === "Backspace") key("back");
});
