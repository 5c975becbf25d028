// The view in the URL: span of time, filter, colour, load chart and selection, so that a link shows the same.

const LATER = 250;

export function readAddress() {
  const query = new URLSearchParams(location.search);
  const moment = (name) => {
    const text = query.get(name);
    const value = text ? Date.parse(text.length === 10 ? text : `${text.slice(0, 16)}Z`) : NaN;
    return Number.isNaN(value) ? null : value / 60000;
  };
  const operation = Number(query.get("operation"));
  return {
    // On the site's wall clock.
    from: moment("from"),
    to: moment("to"),
    order: query.get("order") ?? "",
    operation: Number.isSafeInteger(operation) ? operation : 0,
    colour: query.get("colour") ?? "lateness",
    text: (query.get("q") ?? "").trim().toLowerCase(),
    center: query.get("center") ?? "",
    late: query.has("late"),
    load: query.get("load"),
  };
}

export function makeWriter() {
  let timer = 0;
  const wall = (local) => new Date(Math.round(local) * 60000).toISOString().slice(0, 16);

  function write(view) {
    const query = new URLSearchParams(location.search);
    const put = (name, value) => (value ? query.set(name, value) : query.delete(name));
    put("from", wall(view.from));
    put("to", wall(view.to));
    put("order", view.order);
    put("operation", view.operation);
    put("colour", view.colour === "lateness" ? "" : view.colour);
    if (view.load !== null) query.set("load", view.load);
    put("q", view.q);
    put("center", view.center);
    put("late", view.late ? "on" : "");
    query.delete("page");
    history.replaceState(history.state, "", `?${query}`);
    // The other tabs open with the same span and filter.
    for (const link of document.querySelectorAll("a[data-view]")) {
      const own = new URLSearchParams(query);
      own.set("view", link.dataset.view);
      link.search = `?${own}`;
    }
  }

  return (view) => {
    clearTimeout(timer);
    timer = setTimeout(() => write(view()), LATER);
  };
}
