// Order entry: type-ahead, paste of several lines, and the answer to each date while typing.
// The server decides everything; without this module the same form is checked when submitted.

const PATIENCE = 1000; // ms
const form = document.getElementById("order-form");
if (form) start(form);

function start(form) {
  const rows = form.querySelector("#rows");
  const status = document.getElementById("check-status");
  const dialog = document.getElementById("ways-out");
  const asked = new Map(); // row → the question already answered by "keep typing"
  let timer = 0;
  let running = null;
  let dialogRow = null;
  let typedAt = 0;
  let patience = 0;

  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
  const all = () => [...rows.querySelectorAll("[data-row]")];
  const question = (row) => ["item", "quantity", "requested_date"].map((name) => field(row, name).value).join("|");

  document.getElementById("add-row").hidden = false;
  for (const row of all()) prepare(row);

  const customer = form.querySelector("[name=customer]");
  if (!customer.value && !customer.disabled) customer.focus();

  function prepare(row) {
    row.querySelector("[data-remove]").hidden = false;
    field(row, "requested_date").max = "9999-12-31"; // Else the year takes six digits.
  }

  // Rows ------------------------------------------------------------------------------------

  function renumber() {
    all().forEach((row, index) => {
      for (const node of row.querySelectorAll("[name^=line-], [id^=id_line-], label[for^=id_line-]")) {
        for (const attribute of ["name", "id", "for"]) {
          const value = node.getAttribute(attribute);
          if (value) node.setAttribute(attribute, value.replace(/line-(\d+|__prefix__)-/, `line-${index}-`));
        }
      }
    });
    form.querySelector("[name=line-TOTAL_FORMS]").value = String(all().length);
  }

  function addRow() {
    const row = document.getElementById("empty-row").content.firstElementChild.cloneNode(true);
    prepare(row);
    rows.append(row);
    renumber();
    return row;
  }

  document.getElementById("add-row").addEventListener("click", () => field(addRow(), "item").focus());

  rows.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    const row = button.closest("[data-row]");
    const next = row.nextElementSibling ?? row.previousElementSibling;
    if (all().length > 1) row.remove();
    else for (const input of row.querySelectorAll("input")) input.value = "";
    renumber();
    if (next) field(next, "item").focus();
    schedule();
  });

  rows.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || !(event.target instanceof HTMLInputElement)) return;
    event.preventDefault();
    const row = event.target.closest("[data-row]");
    const next = row.nextElementSibling ?? addRow();
    field(next, "item").focus();
  });

  // Paste of spreadsheet cells: item, quantity, then price and date in any order ---------------

  rows.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!/[\t\n]/.test(text.trim()) || !event.target.name?.endsWith("-item")) return;
    event.preventDefault();
    let row = event.target.closest("[data-row]");
    for (const line of text.trim().split(/\r?\n/)) {
      fill(row, line.split(/\t|;/).map((cell) => cell.trim()));
      row = row.nextElementSibling ?? addRow();
    }
    field(row, "item").focus();
    schedule();
  });

  function fill(row, [item, quantity, ...rest]) {
    field(row, "item").value = item ?? "";
    field(row, "quantity").value = (quantity ?? "").replace(/[,\s](?=\d{3}\b)/g, "");
    for (const cell of rest) {
      if (/^\d{4}-\d{2}-\d{2}$/.test(cell)) field(row, "requested_date").value = cell;
      else if (/^[\d.,]+$/.test(cell)) field(row, "unit_price").value = cell.replace(/,(?=\d{3}\b)/g, "");
    }
    const above = row.previousElementSibling;
    if (!field(row, "requested_date").value && above) {
      field(row, "requested_date").value = field(above, "requested_date").value;
    }
  }

  // The check -------------------------------------------------------------------------------

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(check, 250);
  }

  form.addEventListener("input", (event) => {
    if (event.target.name?.endsWith("-rush")) return;
    typedAt = Date.now();
    clearTimeout(patience);
    const row = event.target.closest("[data-row]");
    if (row) field(row, "rush").value = "";
    if (row || ["customer", "at_site"].includes(event.target.name)) schedule();
  });

  async function check() {
    running?.abort();
    running = new AbortController();
    const asking = all().map((row) => ({ row, asks: question(row) }));
    const cells = asking.map(({ row }) => row.querySelector(".answer-cell"));
    for (const cell of cells) cell.classList.add("is-checking");
    try {
      const response = await fetch(form.dataset.check, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Requested-With": "fetch" },
        signal: running.signal,
      });
      if (!response.ok) throw new Error(String(response.status));
      show(asking, await response.json());
      status.textContent = "";
    } catch (error) {
      if (error.name === "AbortError") return;
      status.textContent = status.dataset.failed;
    }
    for (const cell of cells) cell.classList.remove("is-checking");
  }

  function show(asking, { rows: answers }) {
    asking.forEach(({ row, asks }, index) => {
      if (question(row) !== asks) return; // Typed on meanwhile: the next check answers.
      const answer = answers[String(index)];
      const box = row.querySelector("[data-answer]");
      const isOpen = box.querySelector("details")?.open;
      box.innerHTML = answer?.html ?? "";
      if (isOpen && box.querySelector("details")) box.querySelector("details").open = true;
      markRush(row, box);
      row.querySelector("[data-name]").textContent = answer?.name ?? "";
      const price = field(row, "unit_price");
      if (answer) price.placeholder = answer.price;
      if (answer?.dialog) interrupt(row, answer, asks);
    });
  }

  // What was chosen in the dialog stays in sight: nothing else on the line would tell it.
  function markRush(row, box) {
    if (!field(row, "rush").value || box.querySelector(".answer-rush")) return;
    const note = document.createElement("span");
    note.className = "answer-rush";
    note.textContent = status.dataset.rush;
    (box.querySelector(".answer") ?? box).append(note);
  }

  // The dialog interrupts once per question; asking again needs another quantity, item or date.
  function interrupt(row, answer, asks) {
    clearTimeout(patience);
    if (dialog.open || !row.isConnected || question(row) !== asks) return;
    if (field(row, "rush").value || asked.get(row) === asks) return;
    const here = row.contains(document.activeElement) ? (document.activeElement.name ?? "") : "";
    if (here.endsWith("-quantity")) return;
    // A date is typed in parts, each of them a date: wait until the typing has come to rest.
    const rest = PATIENCE - (Date.now() - typedAt);
    if (here.endsWith("-requested_date") && rest > 0) {
      patience = setTimeout(() => interrupt(row, answer, asks), rest);
      return;
    }
    asked.set(row, asks);
    dialogRow = row;
    const body = document.getElementById("ways-body");
    body.innerHTML = answer.dialog;
    dialog.showModal();
  }

  rows.addEventListener("focusout", (event) => {
    if (/-(quantity|requested_date)$/.test(event.target.name ?? "")) schedule();
  });

  dialog.addEventListener("click", (event) => {
    const way = event.target.closest("[data-way]");
    if (!way || !dialogRow) return;
    const { way: kind, date, quantity, rest, restDate } = way.dataset;
    if (kind === "date") field(dialogRow, "requested_date").value = date;
    if (kind === "rush") {
      field(dialogRow, "rush").value = "on";
      markRush(dialogRow, dialogRow.querySelector("[data-answer]"));
    }
    if (kind === "split") split(dialogRow, quantity, rest, restDate);
    dialog.close();
    if (kind === "rush") status.textContent = status.dataset.rush;
    schedule();
  });

  function split(row, quantity, rest, restDate) {
    const other = addRow();
    row.after(other);
    renumber();
    field(row, "quantity").value = quantity;
    field(other, "item").value = field(row, "item").value;
    field(other, "unit_price").value = field(row, "unit_price").value;
    field(other, "quantity").value = rest;
    field(other, "requested_date").value = restDate;
  }

  lookups(form, schedule);
  if (all().some((row) => field(row, "item").value)) schedule();
}

// Type-ahead (ARIA combobox): arrows choose, Enter or Tab takes, Escape closes ------------------

function lookups(form, changed) {
  let list = null;
  let input = null;
  let active = -1;
  let timer = 0;

  form.addEventListener("input", (event) => {
    if (!event.target.dataset?.lookup) return;
    input = event.target;
    if (!input.closest("[data-row]")) name("");
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });

  async function search() {
    const owner = input;
    if (!owner.value.trim()) return close();
    const url = form.dataset.lookup.replace("KIND", owner.dataset.lookup);
    const response = await fetch(`${url}?q=${encodeURIComponent(owner.value)}`);
    if (!response.ok || owner !== input || document.activeElement !== owner) return;
    open(await response.json());
  }

  function open({ results, empty }) {
    close();
    list = document.createElement("ul");
    list.className = "lookup-list";
    list.id = "lookup-list";
    list.setAttribute("role", "listbox");
    results.forEach(({ code, name }, index) => {
      const option = document.createElement("li");
      option.id = `lookup-${index}`;
      option.setAttribute("role", "option");
      option.dataset.code = code;
      option.textContent = code;
      const note = document.createElement("small");
      note.textContent = name;
      option.append(note);
      list.append(option);
    });
    if (!results.length) {
      const note = document.createElement("li");
      note.textContent = empty;
      note.setAttribute("role", "option");
      note.setAttribute("aria-disabled", "true");
      list.append(note);
    }
    input.parentElement.classList.add("lookup");
    input.after(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", list.id);
    mark(results.length ? 0 : -1);
  }

  function close() {
    list?.remove();
    list = null;
    active = -1;
    input?.setAttribute("aria-expanded", "false");
    input?.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    const options = [...(list?.querySelectorAll("[data-code]") ?? [])];
    active = options.length ? (index + options.length) % options.length : -1;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === active)));
    if (active >= 0) {
      options[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", options[active].id);
    }
  }

  // A code says little: the customer's name stands below it, as an item's does.
  function name(text) {
    let note = input.parentElement.querySelector(".item-name");
    if (!note) {
      note = document.createElement("span");
      note.className = "item-name";
      input.after(note);
    }
    note.textContent = text;
  }

  function take(option) {
    input.value = option.dataset.code;
    const row = input.closest("[data-row]");
    close();
    changed();
    if (row) row.querySelector('[name$="-quantity"]').focus();
    else name(option.querySelector("small").textContent);
  }

  form.addEventListener("keydown", (event) => {
    if (!list || event.target !== input) return;
    const options = [...list.querySelectorAll("[data-code]")];
    if (event.key === "ArrowDown") mark(active + 1);
    else if (event.key === "ArrowUp") mark(active - 1);
    else if (event.key === "Escape") close();
    else if ((event.key === "Enter" || event.key === "Tab") && active >= 0) take(options[active]);
    else return;
    event.preventDefault();
  }, true);

  form.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.(".lookup-list [data-code]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });

  form.addEventListener("focusout", (event) => {
    if (event.target === input) setTimeout(() => document.activeElement !== input && close(), 100);
  });
}
