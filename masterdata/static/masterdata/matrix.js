// The arrow keys go from field to field of a table of minutes; without this module Tab does.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

for (const table of document.querySelectorAll("[data-matrix]")) {
  const rows = [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("input")]);
  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const row = rows.findIndex((fields) => fields.includes(event.target));
    if (row < 0) return;
    const column = rows[row].indexOf(event.target);
    const next = rows[row + step[0]]?.[column + step[1]];
    if (!next) return;
    // Else the arrows would count the number up and down.
    event.preventDefault();
    next.focus();
    next.select();
  });
}
