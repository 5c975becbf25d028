// The job in hand: one screen at a time, big keys, one primary act. What is done goes to the
// outbox; the figures change at once and are put right by the server's answer. Pieces are counted
// by pad.js, checks answered by checks.js:
//
//   floor:do {verb, body, label}     in: send this and show it as done
//   floor:screen {name}              in: show this screen
//   floor:pad {isBack}               out: open the pad
//   floor:expected {verb, body}      out: this was done, or waits to be sent
//   floor:figures                    out: the pieces changed

const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const UNDO_SECONDS = 5;
const FINISHED = "floor-finished"; // What was finished just before this page was opened.
const job = () => document.getElementById("job");
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
let reopen = ""; // The screen to come back to when the server has answered.

// -- screens ----------------------------------------------------------------------------------

function screen(name) {
  const isOther = job().querySelector(`[data-screen="${name}"]`)?.hidden;
  for (const part of job().querySelectorAll("[data-screen]")) {
    const isShown = part.dataset.screen === name;
    // What was pressed is hidden now: the keyboard goes on where the eye does.
    if (isShown && part.hidden) {
      part.hidden = false;
      part.tabIndex = -1;
      part.focus({ preventScroll: true });
    } else part.hidden = !isShown;
  }
  // On a phone the button that opened it is far below the top of what opens.
  if (isOther && job().getBoundingClientRect().top < 0) job().scrollIntoView();
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
  tell("floor:act", detail);
}

document.addEventListener("floor:screen", ({ detail }) => screen(detail.name));
document.addEventListener("floor:do", ({ detail: { verb, body, label } }) => {
  // Several checks are answered one after the other.
  reopen = verb === "check" ? "checks" : "";
  act(verb, body, label);
  done(verb, body);
});

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
  if (button.dataset.short) Object.assign(body, { short_close: true, reason: button.dataset.short });
  if (button.dataset.overrule) {
    // A supervisor says why it may start after its longest wait.
    const field = document.getElementById(button.dataset.overrule);
    body.overrule = field.value.trim();
    if (!body.overrule) return field.focus();
  }
  reopen = "";
  act(verb, body, button.textContent.trim());
  if (verb === "finish") screen("main");
  else done(verb, body);
}

// Whether the person works on it afterwards.
const HERE = { start: "1", resume: "1", join: "1", interrupt: "0", leave: "0" };

// What was done, as the server will answer it.
function done(verb, body) {
  if (verb in HERE) job().dataset.here = HERE[verb];
  if (verb === "report") counted(body);
  else if (verb === "finish") expect("done");
  else if (verb === "check") checked(body);
  else if (AFTER[verb]) expect(body.setup ? "setup" : settled(AFTER[verb]));
}

function checked(body) {
  tell("floor:expected", { verb: "check", body });
  const node = job();
  const phase = node.dataset.phase;
  if (phase !== "checks" && phase !== "full") return;
  node.dataset.phase = settled("running");
  node.className = `term-job term-${node.dataset.phase}`;
}

// Of running work, what is still to be said of it.
function settled(phase) {
  if (phase !== "running") return phase;
  const { left, rework, openChecks } = job().dataset;
  if (Number(left) > 0) return "running";
  if (Number(rework) > 0) return "rework";
  return Number(openChecks) > 0 ? "checks" : "full";
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
    if (operation === data.operation) done(verb, body);
  }
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
  tell("floor:figures");
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
  tell("floor:act", detail);
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
    const body = { good: "1", serials: [found.serial] };
    tell("floor:do", { verb: "report", body, label: `1 ${texts.good} (${found.serial})` });
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
  if (dataset.open === "pad") tell("floor:pad", { isBack: Boolean(dataset.back) });
  else if (dataset.open) screen(dataset.open);
  else if ("close" in dataset) {
    reopen = "";
    screen("main");
    refresh();
  } else if (dataset.act) press(target);
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
