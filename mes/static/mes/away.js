// No network and no copy of the page: try again by itself.

const RETRY_MS = 5000;
const { home, look } = document.body.dataset;

function again() {
  // A page that came by a form is not sent once more.
  if (location.pathname === home) location.reload();
  else location.replace(home);
}

async function isBack() {
  const answer = await fetch(look, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer && answer.status < 500) again();
  else setTimeout(isBack, RETRY_MS);
}

document.getElementById("again").addEventListener("click", again);
setTimeout(isBack, RETRY_MS);
