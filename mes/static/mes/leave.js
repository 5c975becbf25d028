// Signing out and the end of a shift: the service worker forgets the person's pages first, and says
// it to the server, now or as soon as there is a network. Without a worker the form goes as it is.

const PATIENCE_MS = 4000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  const worker = navigator.serviceWorker?.controller;
  if (event.defaultPrevented || !worker || !("leaves" in form.dataset)) return;
  event.preventDefault();
  const go = () => location.assign(form.dataset.leaves);
  const channel = new MessageChannel();
  channel.port1.onmessage = go;
  // A network that swallows requests must not keep anybody signed in: the page goes, and the worker
  // shows nothing until it has told the server.
  setTimeout(go, PATIENCE_MS);
  const body = new URLSearchParams(new FormData(form)).toString();
  worker.postMessage({ leave: { url: form.action, body } }, [channel.port2]);
});
