// Number and PIN by the big keys: digits go where the cursor is, first the number, then the PIN.

const number = document.getElementById("number");
const pin = document.getElementById("pin");
let active = number.value ? pin : number;

for (const field of [number, pin]) field.addEventListener("focus", () => (active = field));

document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-digit]");
  const person = event.target.closest("[data-number]");
  if (person) {
    number.value = person.dataset.number;
    pin.value = "";
    active = pin;
    pin.focus();
  }
  if (!key) return;
  if (key.dataset.digit === "clear") active.value = "";
  else if (key.dataset.digit === "back") active.value = active.value.slice(0, -1);
  else if (active.value.length < active.maxLength) active.value += key.dataset.digit;
});

// Real keys work too: Enter in the number goes on to the PIN.
number.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.defaultPrevented) return;
  event.preventDefault();
  pin.focus();
});
