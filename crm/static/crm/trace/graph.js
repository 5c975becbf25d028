// The chain as a drawing: what went in stands left of what it went into. The list below the drawing
// says the same; this only draws it, and fetches one level more around what is clicked.

const box = document.getElementById("trace-graph");
if (box && window.cytoscape) draw(box);

function draw(box) {
  const figure = document.getElementById("trace-figure");
  const picked = document.getElementById("trace-picked");
  const most = Number(box.dataset.most);
  figure.hidden = false;
  const cy = cytoscape({
    container: box,
    elements: elements(JSON.parse(document.getElementById("trace-graph-data").textContent)),
    style: looks(box),
    minZoom: 0.1,
    maxZoom: 2,
    wheelSensitivity: 0.3,
    userPanningEnabled: true,
    autounselectify: true,
    boxSelectionEnabled: false,
  });
  arrange();
  count();

  function arrange() {
    cy.layout({
      name: "dagre",
      rankDir: box.clientWidth < 560 ? "TB" : "LR",
      nodeSep: 14,
      rankSep: 46,
      animate: false,
      fit: true,
      padding: 18,
    }).run();
    if (cy.zoom() > 1.1) { cy.zoom(1.1); cy.center(); }
  }

  function count() {
    box.dataset.nodes = cy.nodes().length;
  }

  function say(node, words) {
    picked.replaceChildren();
    const link = document.createElement("a");
    link.href = node.data("url");
    link.textContent = `${box.dataset.open}: ${node.data("label")} (${node.data("item")})`;
    picked.append(link);
    if (words) picked.append(` · ${words}`);
  }

  async function expand(node) {
    if (node.data("open")) return say(node, "");
    if (cy.nodes().length >= most) return say(node, box.dataset.full);
    node.data("open", true);
    const answer = await fetch(node.data("more") + box.dataset.query, {
      headers: { Accept: "application/json" },
    }).catch(() => null);
    if (!answer?.ok) {
      node.data("open", false);
      return say(node, "");
    }
    const graph = await answer.json();
    const before = cy.nodes().length;
    add(graph);
    if (cy.nodes().length > before) arrange();
    count();
    const isFull = cy.nodes().length >= most;
    say(node, isFull ? box.dataset.full : graph.capped ? box.dataset.capped : "");
  }

  function add(graph) {
    const fresh = elements(graph);
    let room = most - cy.nodes().length;
    cy.batch(() => {
      for (const one of fresh.nodes) {
        if (cy.getElementById(one.data.id).empty() && room-- > 0) cy.add({ group: "nodes", ...one });
      }
      for (const one of fresh.edges) {
        const ends = [one.data.source, one.data.target].every((id) => cy.getElementById(id).nonempty());
        if (ends && cy.getElementById(one.data.id).empty()) cy.add({ group: "edges", ...one });
      }
    });
  }

  cy.on("tap", "node", (event) => expand(event.target));
  cy.on("dbltap", "node", (event) => { location.href = event.target.data("url"); });
  cy.on("mouseover", "node", () => { box.style.cursor = "pointer"; });
  cy.on("mouseout", "node", () => { box.style.cursor = ""; });

  figure.addEventListener("click", (event) => {
    const what = event.target.closest("[data-graph]")?.dataset.graph;
    const middle = { x: box.clientWidth / 2, y: box.clientHeight / 2 };
    if (what === "fit") cy.fit(undefined, 18);
    if (what === "in") cy.zoom({ level: cy.zoom() * 1.3, renderedPosition: middle });
    if (what === "out") cy.zoom({ level: cy.zoom() / 1.3, renderedPosition: middle });
  });

  const wear = () => cy.style(looks(box));
  new MutationObserver(wear).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", wear);
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (box.clientWidth === width) return;
    width = box.clientWidth;
    cy.resize();
    arrange();
  }).observe(box);
}

function elements(graph) {
  const words = document.getElementById("trace-graph").dataset;
  return {
    nodes: graph.nodes.map((node) => ({
      data: { ...node, text: `${node.number}\n${node.item}`, root: node.id === graph.root && node.open },
      classes: [node.kind, node.held ? "held" : ""].join(" "),
    })),
    edges: graph.edges.map((edge) => ({
      data: { ...edge, text: words[edge.state] || "" },
      classes: [edge.sure ? "" : "doubt", edge.state].join(" "),
    })),
  };
}

// A canvas knows no custom properties: a hidden element is asked what each of them is.
function colour(box, name) {
  const probe = document.createElement("span");
  probe.hidden = true;
  probe.style.color = `var(${name})`;
  box.parentElement.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function looks(box) {
  const is = (name) => colour(box, name);
  return [
    {
      selector: "node",
      style: {
        label: "data(text)",
        "text-wrap": "wrap",
        "text-valign": "center",
        "text-halign": "center",
        "font-size": 12,
        "font-family": getComputedStyle(box).fontFamily,
        color: is("--text"),
        "background-color": is("--surface"),
        "border-color": is("--line-strong"),
        "border-width": 2,
        width: 132,
        height: 42,
        shape: "round-rectangle",
        "text-max-width": 124,
        "text-overflow-wrap": "anywhere",
      },
    },
    { selector: "node.unit", style: { shape: "rectangle", "border-color": is("--brand") } },
    {
      selector: "node[?root]",
      style: {
        "background-color": is("--brand-soft"),
        color: is("--on-brand-soft"),
        "border-width": 4,
      },
    },
    {
      selector: "node.held",
      style: {
        "border-color": is("--status-hold"),
        "background-color": is("--status-hold-ground"),
        color: is("--status-hold"),
        "border-style": "double",
        "border-width": 5,
      },
    },
    {
      selector: "edge",
      style: {
        width: 2,
        "curve-style": "bezier",
        "target-arrow-shape": "triangle",
        "line-color": is("--line-strong"),
        "target-arrow-color": is("--line-strong"),
        label: "data(text)",
        "font-size": 11,
        "font-family": getComputedStyle(box).fontFamily,
        color: is("--text"),
        "text-background-color": is("--surface-sunken"),
        "text-background-opacity": 1,
        "text-background-padding": 2,
      },
    },
    { selector: "edge.doubt", style: { "line-style": "dashed" } },
    { selector: "edge.removed", style: { "line-style": "dotted", "line-color": is("--status-hold") } },
  ];
}
