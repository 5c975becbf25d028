// Tables of rows to fill in: add one, and find a code while typing it.
// Without this module the page still has its spare rows and plain fields.

const SUGGEST_AFTER = 200;

for (const adder of document.querySelectorAll("[data-add-row]")) {
  const box = adder.closest("[data-rows]");
  const prefix = box.dataset.rows;
  const total = box.querySelector(`[name="${prefix}-TOTAL_FORMS"]`);
  const most = Number(box.querySelector(`[name="${prefix}-MAX_NUM_FORMS"]`).value);
  const template = box.querySelector("template");
  const show = () => {
    adder.hidden = Number(total.value) >= most;
  };
  adder.addEventListener("click", () => {
    const number = Number(total.value);
    const holder = document.createElement("tbody");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", String(number));
    const row = holder.firstElementChild;
    box.querySelector("tbody").append(row);
    total.value = String(number + 1);
    suggestNext(box, row);
    row.querySelector("input:not([type=hidden])")?.focus();
    show();
  });
  show();
}

// Positions and sequences go on in tens.
function suggestNext(box, row) {
  const name = box.dataset.counts;
  if (!name) return;
  const numbers = [...box.querySelectorAll(`input[name$="-${name}"]`)].map((i) => Number(i.value));
  const field = row.querySelector(`input[name$="-${name}"]`);
  if (field) field.value = String(Math.floor(Math.max(0, ...numbers) / 10) * 10 + 10);
}

// The sheet mutes days that nobody has chosen by their missing value attribute.
document.addEventListener("change", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || !field.type.startsWith("date")) return;
  if (field.value) field.setAttribute("value", field.value);
  else field.removeAttribute("value");
});

let waiting;
document.addEventListener("input", (event) => {
  const field = event.target;
  const url = field.dataset?.suggest;
  if (!url) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => suggest(field, url), SUGGEST_AFTER);
});

async function suggest(field, url) {
  const asked = field.value.trim();
  if (!asked) return;
  const address = new URL(url, location.href);
  address.searchParams.set("q", asked);
  const answer = await fetch(address, {
    headers: { Accept: "application/json" },
  }).catch(() => null);
  if (!answer?.ok || field.value.trim() !== asked) return;
  const list = listOf(field);
  list.replaceChildren(
    ...(await answer.json()).map(({ value, text }) => {
      const option = document.createElement("option");
      option.value = value;
      option.label = text;
      return option;
    }),
  );
}

function listOf(field) {
  if (!field.list) {
    const list = document.createElement("datalist");
    list.id = `suggest-${field.id}`;
    field.after(list);
    field.setAttribute("list", list.id);
  }
  return field.list;
}
