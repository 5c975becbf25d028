// The checks of the job in hand: answered with big keys, and shown as answered at once, also while
// the server cannot be asked. How many are still open stands at the job (data-open-checks).
//
//   floor:do {verb: "check", body, label}     out: the answer
//   floor:expected {verb, body}               in: what was done, or waits to be sent
//   floor:figures                             in: the good pieces changed, and what is due with them

const texts = JSON.parse(document.getElementById("terminal-texts").textContent);
const job = () => document.getElementById("job");
const rows = () => [...(job()?.querySelectorAll("[data-position]") ?? [])];

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

// A comma or a point, a sign: what the server takes as a number.
function numberOf(text) {
  const value = text.trim().replace(",", ".").replace("−", "-");
  return /^-?\d+(\.\d+)?$/.test(value) ? value : null;
}

function answer(button) {
  const { check, passed, field: id } = button.dataset;
  const body = { position: Number(check) };
  if (isFault(button.closest("[data-position]"))) body.again = true;
  let label = button.textContent.trim();
  if (id) {
    const field = document.getElementById(id);
    body.value = numberOf(field.value);
    if (body.value === null) {
      field.focus();
      return;
    }
    label = body.value;
    field.value = "";
  } else body.passed = passed === "1";
  tell("floor:do", { verb: "check", body, label });
}

// -- where a check stands -----------------------------------------------------------------------

const isFault = (row) => Number(row.dataset.faults) > 0;

function isGood({ lower, upper }, { value, passed }) {
  if (value === undefined) return passed;
  const number = Number(value);
  return !(lower && number < Number(lower)) && !(upper && number > Number(upper));
}

// How many answers so many good pieces ask for.
function needed({ frequency, every }) {
  const good = Number(job().dataset.good);
  if (!(good > 0)) return 0;
  if (frequency === "per_order") return 1;
  return Math.ceil(good / (frequency === "every_n" ? Number(every) : 1));
}

function isOpen({ dataset }) {
  if (!dataset.required) return false;
  const [satisfied, faults] = [Number(dataset.satisfied), Number(dataset.faults)];
  return faults > 0 || needed(dataset) > satisfied + faults;
}

function note(body) {
  const row = rows().find((one) => Number(one.dataset.position) === body.position);
  if (!row) return;
  const { dataset } = row;
  if (body.again && isFault(row)) dataset.faults = String(Number(dataset.faults) - 1);
  const name = isGood(dataset, body) ? "satisfied" : "faults";
  dataset[name] = String(Number(dataset[name]) + 1);
  const said = body.value === undefined ? texts[body.passed ? "pass" : "fail"] : `${body.value} ${dataset.unit}`.trim();
  const told = row.querySelector("[data-said]");
  told.hidden = false;
  told.textContent = (name === "satisfied" ? texts.checked : texts.outside).replace("%s", said);
  told.classList.toggle("term-check-fault", name === "faults");
  for (const old of row.querySelectorAll("[data-fault]")) old.hidden = !isFault(row);
  draw();
}

function draw() {
  const node = job();
  if (!node) return;
  let open = 0;
  for (const row of rows()) {
    const isStill = isOpen(row);
    open += Number(isStill);
    row.classList.toggle("is-fault", isFault(row));
    row.classList.toggle("is-open", isStill && !isFault(row));
    row.classList.toggle("is-idle", !isStill && !isFault(row) && !(Number(row.dataset.satisfied) > 0));
    const due = row.querySelector("[data-due]");
    due.hidden = false;
    due.textContent = `${row.dataset.satisfied} / ${needed(row.dataset)}`;
  }
  node.dataset.openChecks = String(open);
  const badge = node.querySelector(".term-count-open");
  if (badge) {
    badge.textContent = String(open);
    badge.hidden = open === 0;
  }
}

document.addEventListener("floor:figures", draw);
document.addEventListener("floor:expected", ({ detail: { verb, body } }) => {
  if (verb === "check") note(body);
});

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("button[data-check]") : null;
  if (target && job()?.contains(target)) answer(target);
});
