// What people do at the machine waits here until the server has answered.
//
// Each act has a key of its own (Idempotency-Key): sent twice, it counts once. Acts go out in the
// order in which they were done. Without network they stay, in IndexedDB, across reloads; of a
// person who is not signed in now they wait for that person. What the server refuses is kept apart
// and shown until somebody decides; nothing is dropped by itself.
//
//   floor:act  {url, body, label, operation}    in: do this
//   floor:done {entry, data}  floor:stored {entry}  floor:refused {entry, sentence}    out
//   floor:waiting {entries}: of this person, in order      floor:network {isUp}        out

const DATABASE = "millstream-floor";
const RETRY_MS = 5000;
const PATIENCE_MS = 15_000; // A dead network may swallow a request without a word.
const person = document.body.dataset.person;
const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const chip = document.getElementById("chip");
const queue = document.getElementById("queue");
let database;
let sending = Promise.resolve();
let retry = 0;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("waiting", { keyPath: "place", autoIncrement: true });
      request.result.createObjectStore("refused", { keyPath: "key" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(name, mode, act) {
  database ??= await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(name, mode);
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error);
  });
}

const all = (name) => store(name, "readonly", (rows) => rows.getAll());
const put = (name, row) => store(name, "readwrite", (rows) => rows.put(row));
const remove = (name, key) => store(name, "readwrite", (rows) => rows.delete(key));

// crypto.randomUUID exists on secure origins only, and a plant's server may have no certificate.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

document.addEventListener("floor:act", async (event) => {
  const entry = {
    ...event.detail,
    key: newKey(),
    at: Date.now(),
    person,
    personName: document.body.dataset.personName,
  };
  entry.place = await put("waiting", entry);
  await show();
  await send();
  const isStill = (await all("waiting")).some((row) => row.key === entry.key);
  if (isStill) tell("floor:stored", { entry });
});

// One at a time: who asks while something is under way waits for that, and then looks again.
function send() {
  sending = sending.then(drain, drain);
  return sending;
}

async function drain() {
  clearTimeout(retry);
  for (;;) {
    const next = (await all("waiting")).find((row) => row.person === person);
    if (!next) break;
    if (!(await sendOne(next))) {
      retry = setTimeout(send, RETRY_MS);
      break;
    }
    await show();
  }
  await show();
}

// Whether the next one may go out.
async function sendOne(entry) {
  let answer;
  try {
    answer = await fetch(entry.url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": entry.key,
        "X-Age-Seconds": String(Math.max(0, Math.round((Date.now() - entry.at) / 1000))),
        "X-CSRFToken": document.body.dataset.csrf,
      },
      body: JSON.stringify(entry.body ?? {}),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    tell("floor:network", { isUp: false });
    return false;
  }
  tell("floor:network", { isUp: ![502, 503, 504].includes(answer.status) });
  if (answer.status === 401) {
    location.assign(document.getElementById("lock-form").action.replace(/lock\/$/, ""));
    return false;
  }
  if (answer.status >= 500 || answer.status === 429) return false;
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) {
    await remove("waiting", entry.place);
    tell("floor:done", { entry, data });
    return true;
  }
  const sentence = data.detail ?? Object.values(data).flat().join(" ") ?? String(answer.status);
  await put("refused", { ...entry, sentence });
  await remove("waiting", entry.place);
  tell("floor:refused", { entry, sentence });
  return true;
}

async function show() {
  const waiting = await all("waiting");
  const refused = await all("refused");
  tell("floor:waiting", { entries: waiting.filter((row) => row.person === person) });
  const parts = [];
  if (waiting.length) parts.push(texts.waiting.replace("%n", String(waiting.length)));
  if (refused.length) parts.push(texts.refused.replace("%n", String(refused.length)));
  chip.hidden = !parts.length;
  chip.textContent = parts.join(" · ");
  chip.classList.toggle("is-refused", refused.length > 0);
  const list = queue.querySelector("[data-queue]");
  list.replaceChildren(...waiting.map(waitingRow), ...refused.map(refusedRow));
  if (!list.children.length) list.append(line(texts.empty));
}

function line(...words) {
  const row = document.createElement("li");
  for (const word of words.filter(Boolean)) {
    const part = document.createElement("span");
    part.textContent = word;
    row.append(part);
  }
  return row;
}

function waitingRow(entry) {
  const whose = entry.person === person ? "" : texts.of.replace("%s", entry.personName);
  return line(entry.name, entry.label, whose);
}

function refusedRow(entry) {
  const row = line(entry.name, entry.label, entry.sentence);
  row.className = "is-refused";
  const again = button(texts.again, async () => {
    await remove("refused", entry.key);
    const { sentence, place, key, ...rest } = entry;
    // The server remembers the refusal of the old key.
    await put("waiting", { ...rest, key: newKey(), person });
    await send();
  });
  let isSure = false;
  const drop = button(texts.drop, async () => {
    if (!isSure) {
      isSure = true;
      drop.textContent = texts.sure;
      return;
    }
    await remove("refused", entry.key);
    await show();
  });
  row.append(again, drop);
  return row;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "term-button";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

chip.addEventListener("click", () => queue.showModal());
queue.querySelector("[data-queue-close]").addEventListener("click", () => queue.close());
addEventListener("online", send);
// The last script of the page: now each press is heard, and what waits is in the figures.
show().finally(() => (document.getElementById("content").inert = false));
send();
