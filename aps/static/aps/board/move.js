// "Move to…": the twin of the drag for keyboard and touch.

export function begin(board) {
  const dialog = board.host.querySelector("[data-move]");
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(board, dialog);
  });
  dialog.querySelector("[data-cancel]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => board.canvas.focus());
}

export async function open(board, bar) {
  const { host, parts, model, config, clock } = board;
  const dialog = host.querySelector("[data-move]");
  const { units, reason } = await parts.drag.eligible(board, bar.id);
  if (reason) {
    parts.edits.say(board, reason);
    return;
  }
  const rows = model.rows.filter((row) => (bar.row.id ? units.has(row.id) : row === bar.row));
  const select = dialog.querySelector("[name=work_unit]");
  select.replaceChildren(
    ...rows.map((row) => new Option([row.code || config.words.outside, row.name].filter(Boolean).join(" · "), row.code)),
  );
  select.value = bar.row.code;
  const wall = new Date(Math.round(clock.local(bar.start)) * 60000).toISOString().slice(0, 16);
  dialog.querySelector("[name=starts_at]").value = wall;
  dialog.querySelector("[data-what]").textContent = `${bar.label} · ${bar.workOrder}/${bar.sequence}`;
  dialog.dataset.operation = bar.id;
  dialog.showModal();
}

function send(board, dialog) {
  const form = new FormData(dialog.querySelector("form"));
  const local = Date.parse(`${form.get("starts_at")}Z`) / 60000;
  if (Number.isNaN(local)) return;
  const starts_at = new Date(board.clock.moment(local) * 60000).toISOString();
  dialog.close();
  board.parts.edits.apply(board, {
    kind: "move",
    operation: Number(dialog.dataset.operation),
    work_unit: form.get("work_unit") ?? "",
    starts_at,
  });
}
