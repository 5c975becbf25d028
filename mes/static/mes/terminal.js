// The job in hand: one screen at a time, big keys, one primary act. What is done goes to the
// outbox; the figures change at once and are put right by the server's answer.

const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const UNDO_SECONDS = 5;
const FINISHED = "floor-finished"; // What was finished just before this page was opened.
const job = () => document.getElementById("job");
const counts = { good: 0, scrap: 0, rework: 0 };
const reasons = { scrap: "", rework: "" };
let counting = "good";
let isBack = false; // The pieces counted come back from rework.
let reopen = ""; // The screen to come back to when the server has answered.
let isFresh = true; // The next digit replaces what was filled in.

// -- screens ----------------------------------------------------------------------------------

function screen(name) {
  for (const part of job().querySelectorAll("[data-screen]")) {
    const isShown = part.dataset.screen === name;
    // What was pressed is hidden now: the keyboard goes on where the eye does.
    if (isShown && part.hidden) {
      part.hidden = false;
      part.tabIndex = -1;
      part.focus({ preventScroll: true });
    } else part.hidden = !isShown;
  }
}

const isBusy = () => Boolean(job()?.querySelector('[data-screen]:not([data-screen="main"]):not([hidden])'));

// The server's picture is not shown while somebody counts, nor while it does not yet know what was
// done here.
let under = 0; // Acts that have not been answered.
// Nobody's typing is taken away: what was answered meanwhile shows with the next answer.
const isTyping = () => [...(job()?.querySelectorAll(".term-check input:not([type=hidden])") ?? [])].some((field) => field.value);
const isAhead = () => under > 0 || isTyping() || (isBusy() && !reopen);

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "work" || !reopen) return;
  if (job()) screen(reopen);
  reopen = "";
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id === "work" && isAhead()) event.preventDefault();
});
// Nor is a button taken away from under the finger that presses it.
let isPressed = false;
let isMissed = false;
document.addEventListener("pointerdown", () => (isPressed = true), true);
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => setTimeout(released, 50), true);
}
function released() {
  isPressed = false;
  if (isMissed) refresh();
  isMissed = false;
}

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "work" || !(isAhead() || isPressed)) return;
  event.detail.shouldSwap = false;
  isMissed ||= isPressed;
});
// The chip says that there is no network; a note every ten seconds would not say it better.
document.addEventListener("htmx:sendError", (event) => event.stopPropagation(), true);
let isCaughtUp = false;
document.addEventListener("floor:waiting", ({ detail: { entries } }) => {
  const wasAhead = under > 0;
  under = entries.length;
  if (!isCaughtUp) catchUp(entries);
  isCaughtUp = true;
  if (wasAhead && !under) refresh();
});

// -- acts -------------------------------------------------------------------------------------

function act(verb, body, label) {
  const { api, name, operation } = job().dataset;
  const detail = { url: `${api}${verb}/`, body, label, verb, name, operation };
  under += 1;
  document.dispatchEvent(new CustomEvent("floor:act", { detail }));
}

// What the page shows until the server has answered.
function expect(phase) {
  const node = job();
  node.dataset.phase = phase;
  node.className = `term-job term-${phase}`;
  screen("main");
}

const AFTER = { start: "running", run: "running", interrupt: "interrupted", resume: "running" };

function press(button) {
  const verb = button.dataset.act;
  const body = {};
  if (verb === "start" || verb === "resume") body.work_unit = job().dataset.unit;
  if (button.dataset.setup) body.setup = true;
  if (button.dataset.reason) body.reason_code = button.dataset.reason;
  act(verb, body, button.textContent.trim());
  if (AFTER[verb]) expect(button.dataset.setup ? "setup" : settled(AFTER[verb]));
}

// Of running work, what is still to be said of it.
function settled(phase) {
  if (phase !== "running") return phase;
  const { left, rework } = job().dataset;
  if (Number(left) > 0) return "running";
  return Number(rework) > 0 ? "rework" : "full";
}

// A page that was opened again, or kept on the device, knows less than what waits to be sent.
function catchUp(entries) {
  const data = job()?.dataset;
  if (!data) return;
  const isLeft = (entry) => entry.verb === "finish" || entry.verb === "interrupt";
  if (data.busy && entries.some((entry) => entry.operation === data.busy && isLeft(entry))) {
    expect(data.freePhase);
  }
  for (const { verb, body, operation } of entries) {
    if (operation !== data.operation) continue;
    if (verb === "report") counted(body);
    else if (verb === "finish") expect("done");
    else if (AFTER[verb]) expect(body.setup ? "setup" : settled(AFTER[verb]));
  }
}

// -- checks -----------------------------------------------------------------------------------

// A comma or a point, a sign: what the server takes as a number.
function numberOf(text) {
  const value = text.trim().replace(",", ".").replace("−", "-");
  return /^-?\d+(\.\d+)?$/.test(value) ? value : null;
}

function answer(button) {
  const { check, passed, field: id, again } = button.dataset;
  const body = { position: Number(check) };
  if (again) body.again = true;
  let said = button.textContent.trim();
  if (id) {
    const field = document.getElementById(id);
    body.value = numberOf(field.value);
    if (body.value === null) {
      field.focus();
      return;
    }
    said = body.value;
    field.value = "";
  } else body.passed = passed === "1";
  reopen = "checks";
  act("check", body, said);
}

// -- the pad ----------------------------------------------------------------------------------

function openPad(back) {
  isBack = back;
  const data = job().dataset;
  counts.good = Number(back ? data.rework : data.left);
  counts.scrap = counts.rework = 0;
  reasons.scrap = reasons.rework = "";
  for (const tile of job().querySelectorAll("[data-reasons] [aria-pressed=true]")) tile.ariaPressed = "false";
  job().querySelector('[data-count="rework"]').hidden = back;
  const title = job().querySelector("[data-pad-title]");
  title.textContent = back ? title.dataset.fromRework : title.dataset.plain;
  choose("good");
  screen("pad");
}

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
}

function said(figures = counts) {
  return Object.entries(figures)
    .filter(([, value]) => value > 0)
    .map(([kind, value]) => `${value} ${texts[kind]}`)
    .join(", ");
}

function sendCounts() {
  const { good, scrap, rework } = counts;
  if (good || scrap) {
    const body = { good: String(good), scrap: String(scrap), from_rework: isBack };
    if (scrap && reasons.scrap) body.reason_code = reasons.scrap;
    act("report", body, said({ good, scrap }));
  }
  if (rework) {
    act("report", { rework: String(rework), reason_code: reasons.rework }, said({ rework }));
  }
  if (good || scrap) counted({ good, scrap, from_rework: isBack });
  if (rework) counted({ rework });
}

// The figures as they will be, and what is still to be said of the work.
function counted({ good = 0, scrap = 0, rework = 0, from_rework: back = false }) {
  const data = job().dataset;
  const [more, lost, aside] = [good, scrap, rework].map(Number);
  data.good = String(Number(data.good) + more);
  data.scrap = String(Number(data.scrap) + lost);
  data.rework = String(Number(data.rework) + (back ? -more - lost : aside));
  if (!back) data.left = String(Number(data.left) - more - lost - aside);
  for (const kind of ["good", "scrap", "rework", "left"]) {
    const shown = job().querySelector(`[data-show="${kind}"]`);
    if (shown) shown.textContent = data[kind];
  }
  expect(settled("running"));
}

// -- taking back ------------------------------------------------------------------------------

const bar = document.getElementById("undo");
let undoing = null;
let ticking = 0;

function offer(entry, seconds = UNDO_SECONDS) {
  undoing = entry;
  let left = seconds;
  const said = entry.verb === "finish" ? texts.finished.replace("%s", entry.name) : texts.sent.replace("%s", entry.label);
  bar.querySelector("[data-undo-text]").textContent = said;
  bar.hidden = false;
  clearInterval(ticking);
  const tick = () => {
    bar.querySelector("[data-undo-left]").textContent = String(left);
    if (left-- <= 0) withdraw();
  };
  tick();
  ticking = setInterval(tick, 1000);
}

function withdraw() {
  clearInterval(ticking);
  bar.hidden = true;
  undoing = null;
}

bar.querySelector("[data-undo]").addEventListener("click", () => {
  const entry = undoing;
  withdraw();
  if (!entry) return;
  const detail = { ...entry, url: entry.url.replace(/(report|finish)\/$/, "undo/"), verb: "undo" };
  delete detail.place;
  detail.body = {};
  under += 1;
  document.dispatchEvent(new CustomEvent("floor:act", { detail }));
});

// -- what the outbox answers ------------------------------------------------------------------

function refresh() {
  htmx.trigger(document.getElementById("work"), "floor:refresh");
}

const isShown = (entry) => entry.operation === job()?.dataset.operation;
const pageOf = (job) => {
  const query = new URLSearchParams({ unit: form.dataset.unit, ...job });
  return `${location.pathname}?${query}`;
};

document.addEventListener("floor:done", ({ detail: { entry } }) => {
  if (entry.verb === "report") offer(entry);
  if (entry.verb === "undo") {
    toast(texts.takenBack, "success");
    if (!isShown(entry)) location.assign(pageOf({ job: entry.operation }));
  }
  if (entry.verb !== "finish") return;
  if (!isShown(entry) || under > 1) return offer(entry);
  // On to whatever comes next here; the mistake is noticed there.
  sessionStorage.setItem(FINISHED, JSON.stringify({ entry, at: Date.now() }));
  location.assign(pageOf());
});

function offerFinished() {
  const { entry, at } = JSON.parse(sessionStorage.getItem(FINISHED) ?? "{}");
  sessionStorage.removeItem(FINISHED);
  const left = UNDO_SECONDS - Math.floor((Date.now() - at) / 1000);
  if (entry?.person === document.body.dataset.person && left > 0) offer(entry, left);
}

document.addEventListener("floor:stored", ({ detail: { entry } }) => {
  toast(texts.stored, "warning");
  if (entry.verb === "finish" && isShown(entry)) expect("done");
});

document.addEventListener("floor:refused", ({ detail: { entry, sentence } }) => {
  stop(sentence, `${entry.name}: ${entry.label}. ${texts.todo}`);
});

const toast = (text, tone) => htmx.trigger(document.body, "toast", { text, tone });

// -- the full screen that says no -------------------------------------------------------------

const dialog = document.getElementById("stop");

function stop(sentence, todo) {
  document.getElementById("stop-title").textContent = sentence;
  document.getElementById("stop-todo").textContent = todo;
  if (!dialog.open) dialog.showModal();
}

dialog.querySelector("[data-stop-close]").addEventListener("click", () => dialog.close());

// -- scanning ---------------------------------------------------------------------------------

const form = document.getElementById("scan-form");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = form.querySelector("[data-scan-field]");
  const code = field.value.trim();
  field.value = "";
  if (!code) return;
  const body = new URLSearchParams({ code, unit: form.dataset.unit });
  if (job()) body.set("operation", job().dataset.operation);
  const answer = await fetch(form.dataset.url, {
    method: "POST",
    headers: { "X-CSRFToken": document.body.dataset.csrf },
    body,
  }).catch(() => null);
  if (!answer) return stop(texts.noNetwork, "");
  if (answer.redirected) return location.reload();
  const found = await answer.json().catch(() => null);
  if (found?.go) location.assign(found.go);
  else if (found?.refused) stop(found.refused, found.todo);
  else if (found?.serial) {
    act("report", { good: "1", serials: [found.serial] }, `1 ${texts.good} (${found.serial})`);
    expect(settled("running"));
  } else if (found?.said) {
    toast(found.said, "success");
    refresh();
  }
});

// -- clicks -----------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("button") : null;
  if (!target || !job()?.contains(target)) return;
  const { dataset } = target;
  if (dataset.open === "pad") openPad(Boolean(dataset.back));
  else if (dataset.open) screen(dataset.open);
  else if ("close" in dataset) {
    screen("main");
    refresh();
  } else if (dataset.check) answer(target);
  else if (dataset.act) press(target);
  else if (dataset.count) choose(dataset.count);
  else if (dataset.key) key(dataset.key);
  else if ("send" in dataset) sendCounts();
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

// -- locking ----------------------------------------------------------------------------------

const seconds = Number(document.body.dataset.lockSeconds || 0);
const isUp = () => navigator.onLine && document.body.dataset.network !== "down";
let idle = 0;
let isSure = false;

document.getElementById("lock-form").addEventListener("submit", (event) => {
  if (isUp() || isSure) return;
  event.preventDefault();
  isSure = true;
  setTimeout(() => (isSure = false), 8000);
  toast(texts.lockOffline, "warning");
});

function touched() {
  clearTimeout(idle);
  if (!seconds) return;
  idle = setTimeout(() => {
    // Without network nobody could sign in again, so what is open stays open.
    if (isUp()) document.getElementById("lock-form").requestSubmit();
    else touched();
  }, seconds * 1000);
}

for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touched, true);
touched();
offerFinished();
