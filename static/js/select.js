// Searchable selects: <select data-select>, or <input data-select data-url="…?q="> whose URL
// answers [{"value": …, "text": …}]; its data-chosen is such a list of what is in it now.
// tom-select is fetched only by pages that have one.

const assets = document.querySelector("meta[name=app-assets]")?.dataset ?? {};
const texts = JSON.parse(document.getElementById("app-texts")?.textContent ?? "{}");
let library = null;

function load() {
  library ??= new Promise((resolve, reject) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = assets.selectCss;
    // Before our own sheets, so that our colours win.
    document.head.querySelector("link[rel=stylesheet]").after(style);
    const script = document.createElement("script");
    script.src = assets.selectJs;
    script.addEventListener("load", () => resolve(window.TomSelect));
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  return library;
}

function escaped(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span.innerHTML;
}

function options(element) {
  const settings = {
    maxOptions: 200,
    create: false,
    render: { no_results: () => `<div class="no-results">${escaped(texts.none ?? "")}</div>` },
  };
  const url = element.dataset.url;
  if (!url) return settings;
  return {
    ...settings,
    dataAttr: "data-chosen",
    valueField: "value",
    labelField: "text",
    searchField: ["value", "text"],
    preload: "focus",
    maxItems: 1,
    load: async (text, done) => {
      try {
        const answer = await fetch(url + encodeURIComponent(text), {
          headers: { Accept: "application/json" },
        });
        done(answer.ok ? await answer.json() : []);
      } catch {
        done([]);
      }
    },
  };
}

async function dress(scope) {
  const found = [...scope.querySelectorAll("[data-select]:not(.tomselected)")];
  if (!found.length) return;
  const TomSelect = await load();
  for (const element of found) if (!element.tomselect) new TomSelect(element, options(element));
}

dress(document);
document.addEventListener("htmx:afterSettle", (event) => dress(event.target.parentElement ?? document));
