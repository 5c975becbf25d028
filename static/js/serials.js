// A list of serial numbers, scanned or pasted: how many there are, and which of them are there twice.
// <p data-tally="id of the textarea" data-wanted="id of the quantity's field">

const SHOWN = 5;

// Compared as the server does: letters and digits only, upper case.
function norm(number) {
  return number.replace(/[^0-9A-Za-z]/g, "").toUpperCase();
}

function tally(place) {
  const field = document.getElementById(place.dataset.tally);
  if (!field) return;
  const wanted = place.dataset.wanted && document.getElementById(place.dataset.wanted);
  const [count, twice] = place.children;
  const show = () => {
    const numbers = field.value.split(/[\n,]/).map((line) => line.trim()).filter(Boolean);
    const seen = new Set();
    const again = [];
    for (const number of numbers) {
      const key = norm(number);
      if (seen.has(key)) again.push(number);
      seen.add(key);
    }
    const goal = wanted && Number(wanted.value) > 0 ? ` ${count.dataset.ofLabel} ${wanted.value}` : "";
    count.textContent = `${count.dataset.countLabel} ${numbers.length}${goal}`;
    twice.hidden = !again.length;
    twice.textContent = again.length
      ? ` ${twice.dataset.twiceLabel} ${again.slice(0, SHOWN).join(", ")}${again.length > SHOWN ? " …" : ""}`
      : "";
    place.hidden = !numbers.length;
  };
  field.addEventListener("input", show);
  wanted?.addEventListener("input", show);
  show();
}

for (const place of document.querySelectorAll("[data-tally]")) tally(place);
