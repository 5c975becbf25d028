// The terminal without network: a service worker whose scope is the terminal and nothing else.
//
// SHELL comes before this text: {version, files, home, away, signIn, leaving}.
// Styles and scripts come from the shell of this version. Pages come from the network; where it does
// not answer, the last good copy is shown, marked as one. Only pages with X-Floor-Person are kept
// (a badge's session on a registered device), of one person at a time, and all are forgotten at the
// sign-out, at the sign-in page and when somebody else's page comes. Everything that is not a page
// or a file of the shell passes by untouched: reports wait in the outbox, not here.

const FILES = `floor-files-${SHELL.version}`;
const PAGES = "floor-pages";
// A sign-out that found no network: it goes first when there is one.
const DOOR = "floor-door";
const PERSON = "X-Floor-Person";
const WHO = new URL("/who", location.origin).href;
const HOME = new URL(SHELL.home, location.origin).href;
const WAIT_MS = 5000;
const NO_SERVER = [502, 503, 504];
let era = 0; // What was asked for before a sign-out is not kept after it.

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function install() {
  const cache = await caches.open(FILES);
  await Promise.all([...SHELL.files, SHELL.away].map((address) => renew(cache, address)));
  await self.skipWaiting();
}

// Only what has come whole is kept. An answer that was cut off within its head passes for whole and
// empty without encryption: Cache.add would put it in the good file's place.
async function renew(cache, address) {
  const answer = await fetch(address, { cache: "reload" });
  const body = await answer.arrayBuffer();
  if (!answer.ok || !body.byteLength) throw new TypeError(`${answer.status} ${address}`);
  await cache.put(address, new Response(body, { headers: plain(answer.headers) }));
}

// The headers of a body that has been read: it is neither packed nor so long any more.
function plain(headers) {
  const found = new Headers(headers);
  for (const name of ["Content-Encoding", "Content-Length"]) found.delete(name);
  return found;
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith("floor-files-") && name !== FILES) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "GET" && SHELL.files.includes(url.pathname)) event.respondWith(file(request));
  else if (request.mode !== "navigate") return;
  else if (request.method === "GET") event.respondWith(page(event, url));
  else if (SHELL.leaving.includes(url.pathname)) event.waitUntil(forget());
});

self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keepAll(event.data.keep));
  if (event.data.leave) {
    event.waitUntil(leave(event.data.leave).finally(() => event.ports[0].postMessage("left")));
  }
});

async function file(request) {
  const cache = await caches.open(FILES);
  return (await cache.match(request.url)) ?? fetch(request);
}

// -- pages ------------------------------------------------------------------------------------

async function page(event, url) {
  if (!(await openDoor())) return away();
  const copy = await stored(url);
  const began = era;
  const asked = fetch(event.request).then(async (answer) => {
    await note(url, answer, began);
    return answer;
  });
  event.waitUntil(asked.catch(() => {}));
  try {
    // Without a copy there is nothing to show instead: it may take its time.
    const answer = await (copy ? Promise.race([asked, tooLong()]) : asked);
    return copy && NO_SERVER.includes(answer.status) ? copy : answer;
  } catch {
    return copy ?? away();
  }
}

const tooLong = () => new Promise((_resolve, reject) => setTimeout(reject, WAIT_MS));

async function note(url, answer, began) {
  if (!answer.ok || answer.type !== "basic") return;
  if (url.pathname === SHELL.signIn) await forget();
  if (url.pathname !== SHELL.home) return;
  if (answer.headers.has(PERSON)) await keep(url, answer.clone(), began);
  else await forget();
}

// Of one work unit and one job each, whatever else the address says.
function keyOf(url) {
  const found = new URL(HOME);
  for (const name of ["choose", "job", "unit"]) {
    if (url.searchParams.has(name)) found.searchParams.set(name, url.searchParams.get(name));
  }
  return found.href;
}

async function keep(url, answer, began) {
  if (began !== era) return;
  const person = answer.headers.get(PERSON);
  const who = await (await caches.open(PAGES)).match(WHO);
  if (who && (await who.text()) !== person) {
    await forget();
    began = era;
  }
  const text = await answer.text();
  if (began !== era) return; // Forgotten while it was read.
  const headers = plain(answer.headers);
  const keys = [keyOf(url)];
  // What the terminal shows without more being said is what it showed last.
  if (!url.searchParams.has("job") && !url.searchParams.has("choose")) keys.push(HOME);
  const pages = await caches.open(PAGES);
  await pages.put(WHO, new Response(person));
  for (const key of keys) await pages.put(key, new Response(text, { headers }));
}

async function keepAll(addresses) {
  const began = era;
  const kept = new Set([WHO, HOME]);
  for (const address of addresses) {
    const url = new URL(address, location.origin);
    if (url.origin !== location.origin || url.pathname !== SHELL.home) continue;
    kept.add(keyOf(url));
    // Nobody has touched anything: the session does not live longer by it.
    const answer = await fetch(url, { headers: { "X-By-Itself": "1" } }).catch(() => null);
    if (!answer) return;
    if (answer.ok && !answer.redirected && answer.headers.has(PERSON)) await keep(url, answer, began);
    if (began !== era) return;
  }
  const files = await caches.open(FILES);
  // In the language that the device speaks now.
  await renew(files, SHELL.away).catch(() => {});
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) if (!kept.has(request.url)) await pages.delete(request);
}

async function stored(url) {
  if (url.pathname !== SHELL.home) return null;
  const cache = await caches.open(PAGES);
  const copy = await cache.match(keyOf(url));
  if (!copy) return null;
  const text = (await copy.text()).replace("<body ", '<body data-stored="1" ');
  return new Response(text, { headers: copy.headers });
}

async function away() {
  const cache = await caches.open(FILES);
  return (await cache.match(SHELL.away)) ?? Response.error();
}

async function forget() {
  era += 1;
  await caches.delete(PAGES);
}

// -- the door ---------------------------------------------------------------------------------

// Signing out: nothing of the person stays, whether the server hears of it now or later.
async function leave({ url, body }) {
  await forget();
  const cache = await caches.open(DOOR);
  await cache.put(url, new Response(JSON.stringify({ body, at: Date.now() })));
  await openDoor();
}

// Whether nobody's sign-out is waiting any more.
async function openDoor() {
  if (!(await caches.has(DOOR))) return true;
  const cache = await caches.open(DOOR);
  for (const waiting of await cache.keys()) {
    const { body, at } = await (await cache.match(waiting)).json();
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Age-Seconds": String(Math.max(0, Math.round((Date.now() - at) / 1000))),
    };
    const options = { method: "POST", redirect: "manual", headers, body };
    const answer = await fetch(waiting.url, options).catch(() => null);
    if (!answer || NO_SERVER.includes(answer.status)) return false;
    await cache.delete(waiting);
  }
  await caches.delete(DOOR);
  return true;
}
