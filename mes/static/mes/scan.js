// A scanner is a keyboard that types fast and ends with Enter. Wherever the cursor is, what it
// types lands in the scan field, and the field's form is sent.

const FAST_MS = 50; // Between two keys; nobody types so fast for so long.
const SHORTEST = 4;
let buffer = "";
let last = 0;
let place = null; // Where the cursor stood, and what stood there before the first key.
let before = "";

const editable = (node) => node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement;

document.addEventListener(
  "keydown",
  (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    // When it was typed: a busy page reads it later.
    const now = event.timeStamp;
    const pause = now - last;
    last = now;
    if (event.key === "Enter") {
      const code = buffer;
      buffer = "";
      if (pause > FAST_MS || code.length < SHORTEST) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      land(code);
      return;
    }
    if (event.key.length !== 1) return;
    if (pause > FAST_MS || !buffer) {
      buffer = "";
      place = editable(event.target) ? event.target : null;
      before = place ? place.value : "";
    }
    buffer += event.key;
  },
  true,
);

function land(code) {
  const field = document.querySelector("[data-scan-field]");
  if (!field) return;
  if (place && place !== field) place.value = before;
  field.value = code;
  field.form.requestSubmit();
}
