// The panel: what happens in this step, what is known of the selected vertex, and the list of all steps.

const panel = $("panel");
const parts = { step: make("section", { id: "step" }), selection: make("section", { id: "selection", hidden: true }),
  list: make("details", { id: "list" }, make("summary", {}, "All steps")) };
panel.append(parts.step, parts.selection, parts.list);

const missing = "not kept: record it under “with autograd.keep_values():” to see it";

// A formula: shapes in small print, and digits lowered where they number a letter (W2, δ1) or a sum (Σ_rows).
function formula(text) {
  const pattern = /( ?\(\d+(?:×\d+)*\))|(?<![\w.])(\p{L})(\d+)(?![\w.])|Σ_(\w+)/gu;
  const found = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    found.push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1]) found.push(make("span", { class: "dims" }, match[1].trim()));
    else if (match[2]) found.push(match[2], make("sub", {}, match[3]));
    else found.push("Σ", make("sub", {}, match[4]));
  }
  return make("p", { class: "formula", "data-formula": text }, found, text.slice(from));
}

// A button that selects a vertex.
function link(id, text = D.vertices[id].symbol) {
  return make("button", { type: "button", class: "link", onclick: () => reveal(id) }, text);
}

function path(group) {
  const modules = around(group);
  if (!modules.length) return null;
  return make("p", { class: "path" }, modules.map((m, k) => [k ? " › " : "", make("span", { title: m.kind }, m.label)]).flat());
}

const caption = (v) => `the value of ${v.symbol}`;
const derivative = (v) => v.cotangent ?? `∂${D.target}/∂${v.symbol}`;

function head(kind, name, count, of, v) {
  return [
    make("p", { class: "phase" }, make("span", { class: `badge-${kind}` }, name), of ? ` ${grouped(count)} of ${grouped(of)}` : ""),
    v ? make("h2", {}, v.symbol === v.label ? "" : `${v.symbol} `, make("small", {}, v.label)) : null,
    v ? path(v.group) : null,
  ];
}

const total = (phase) => D.steps.filter((step) => step.phase === phase).length;
const totals = { forward: total("forward"), backward: total("backward") };

function showPanel() {
  const step = D.steps[state.step];
  const show = { start: startPanel, forward: forwardPanel, backward: backwardPanel, end: endPanel }[step.phase];
  parts.step.className = step.phase;
  parts.step.replaceChildren(...show(step).flat(3).filter((child) => child !== null && child !== undefined));
  showSelection();
  panel.scrollTop = 0;
  for (const item of parts.list.querySelectorAll("[aria-current]")) item.removeAttribute("aria-current");
  const item = parts.list.querySelector(`[data-step="${state.step}"]`);
  item?.setAttribute("aria-current", "step");
}

function value(id) {
  const v = D.vertices[id];
  if (v.value !== undefined) return picture(v.value, caption(v));
  if (v.kind === "number") return make("p", { class: "single" }, v.label);
  if (v.several) return make("p", { class: "quiet" }, "several results: each is a node of its own");
  return make("p", { class: "quiet" }, missing);
}

function row(id) {
  const v = D.vertices[id];
  return make("div", { class: "row" }, make("span", {}, link(id), v.symbol === v.label ? null : make("small", {}, ` ${v.label}`)),
    make("span", { class: "shape" }, described(v)));
}

// What ∂J/∂W1 and δ1 mean, with the letters of this page.
function notation() {
  const all = Object.values(D.vertices), of = all.find((v) => v.kind === "parameter" && v.cotangent && v.symbol !== D.target);
  if (!of) return null;
  const short = all.find((v) => v.cotangent?.startsWith("δ"));
  return make("p", { class: "notation" }, `${D.target} is the result. The gradient ${derivative(of)} says how ${D.target} changes with ${of.symbol}.`,
    short ? ` ${short.cotangent} is short for ∂${D.target}/∂${short.symbol}.` : "");
}

function startPanel() {
  const leaves = Object.keys(D.vertices).filter((id) => ["parameter", "input"].includes(D.vertices[id].kind));
  const kind = (wanted, title) => {
    const some = leaves.filter((id) => D.vertices[id].kind === wanted);
    return some.length ? [make("h3", {}, title), make("div", { class: "rows" }, some.slice(0, 60).map((id) => row(id))),
      some.length > 60 ? make("p", { class: "quiet" }, `and ${grouped(some.length - 60)} more`) : null] : [];
  };
  return [
    head("start", "start"), make("h2", {}, "Before the first operation"),
    make("p", {}, `The tape will record ${counted(totals.forward, "operation")}. Step forward with the arrow key →, or press play.`),
    notation(),
    kind("parameter", "These get a gradient"), kind("input", "Constants"),
  ];
}

function forwardPanel(step) {
  const v = D.vertices[step.at];
  const sources = D.edges.filter(([, , target]) => target === step.at).map(([, source]) => source);
  return [
    head("forward", "forward", state.step, totals.forward, v),
    step.formula ? formula(`${v.symbol} = ${step.formula}`) : null,
    make("h3", {}, "Takes"), make("div", { class: "rows" }, [...new Set(sources)].map((id) => row(id))),
    make("h3", {}, "Gives ", make("small", {}, described(v))), value(step.at), remarks(step.at, true, false),
    v.line ? make("p", { class: "line" }, v.line) : null,
  ];
}

function backwardPanel(step) {
  const v = D.vertices[step.at];
  return [
    head("backward", "backward", pulled.get(step.at) - totals.forward, totals.backward, v),
    make("h3", {}, "Comes in ", make("small", {}, `${derivative(v)} · ${described(v)}`)),
    v.grad !== undefined ? picture(v.grad, derivative(v)) : v.several ? results(step.at) : make("p", { class: "quiet" }, "no numbers"),
    step.gives.map((part) => contribution(part)),
  ];
}

// The gradients of the results of an operation that has several.
function results(id) {
  return D.edges.filter(([, source]) => source === id).map(([, , target]) => D.vertices[target]).map((v) => [
    make("p", { class: "sum" }, `${derivative(v)} · ${described(v)}`), v.grad === undefined ? null : picture(v.grad, derivative(v))]);
}

function contribution(part) {
  const v = D.vertices[part.to];
  const last = part.count !== undefined && part.count === part.of;
  return make("article", { class: "gives", "data-edge": part.edge },
    make("h3", {}, "Adds to ", link(part.to, derivative(v)), make("small", {}, ` · ${described(v)}`)),
    part.formula ? formula(part.formula) : null,
    part.stretched ? make("p", { class: "quiet" }, `summed over the axes along which ${v.symbol} was stretched`) : null,
    part.value !== undefined ? picture(part.value, `what is added to ${derivative(v)}`) : null,
    part.sum !== undefined
      ? [make("p", { class: "sum" }, `Sum of ${part.count} of ${part.of} parts${last ? ", complete" : " so far"}`),
        part.count > 1 ? picture(part.sum, `the sum so far of ${derivative(v)}`) : null].flat()
      : null,
    last && v.kind === "parameter" ? make("p", { class: "done" }, `This is the gradient of ${v.symbol}.`) : null);
}

function endPanel() {
  const wanted = Object.keys(D.vertices).filter((id) => D.vertices[id].kind === "parameter");
  const known = wanted.filter((id) => D.vertices[id].grad !== undefined || D.vertices[id].left !== undefined);
  const rows = known.slice(0, 60).map((id) => make("article", { class: "result", "data-vertex": id },
    make("h3", {}, link(id, derivative(D.vertices[id])), " ", make("small", {}, described(D.vertices[id]))),
    picture(D.vertices[id].grad ?? D.vertices[id].left, derivative(D.vertices[id])), remarks(id, false, true)));
  return [
    head("end", "end"), make("h2", {}, known.length ? "The gradients" : "After the last operation"),
    D.vertices[known[0]]?.left !== undefined ? make("p", { class: "quiet" }, "What .grad holds now; other backward passes may have added to it.") : null,
    rows, known.length > 60 ? make("p", { class: "quiet" }, `and ${grouped(known.length - 60)} more: select them in the graph`) : null,
  ];
}

function remarks(id, computed, complete) {
  const found = marks(D.vertices[id], computed, complete);
  const small = (D.vertices[id].marks ?? []).find(([kind, share]) => kind === "saturated" && share < 0.1);
  if (small && computed) found.push({ sign: "◐", text: `saturated: ${percent(small[1])} of the elements` });
  return found.map((mark) => make("p", { class: "remark" }, make("span", { class: "mark" }, mark.sign), ` ${mark.text}`));
}

function showSelection() {
  const id = state.selected;
  parts.selection.hidden = id === null;
  if (id === null) return parts.selection.replaceChildren();
  if (state.fold) return foldSelection(id);
  const v = D.vertices[id], found = gradient(id);
  const uses = D.edges.filter(([, source]) => source === id).map(([, , target]) => target);
  const seen = hasValue(id);
  parts.selection.replaceChildren(...[
    selectionTitle(v.symbol, v.symbol === v.label ? v.kind : v.label), path(v.group), make("p", { class: "quiet" }, described(v)),
    make("h3", {}, "Value"), seen ? value(id) : make("p", { class: "quiet" }, "not computed yet at this step"),
    found === null ? null : make("h3", {}, "Gradient ", make("small", {}, `${derivative(v)}${found.complete ? "" : ` · ${found.arrived} of ${found.of} parts so far`}`)),
    found?.picture !== undefined ? picture(found.picture, derivative(v)) : null,
    ...remarks(id, seen, found?.complete),
    uses.length ? make("h3", {}, "Used by") : null,
    uses.length ? make("div", { class: "rows" }, [...new Set(uses)].slice(0, 20).map((user) => row(user))) : null,
    v.line ? make("p", { class: "line" }, v.line) : null,
    make("div", { class: "jumps" },
      born.get(id) ? make("button", { type: "button", onclick: () => go(born.get(id)) }, "Go to its forward step") : null,
      pulled.has(id) ? make("button", { type: "button", onclick: () => go(pulled.get(id)) }, "Go to its backward step") : null),
  ].filter((child) => child !== null));
}

// What is drawn as one vertex, but stands for several.
function foldSelection(id) {
  const fold = graph.folds[id], members = Object.keys(graph.drawn).filter((m) => graph.drawn[m] === id && !isLeaf(D.vertices[m]));
  parts.selection.replaceChildren(selectionTitle(fold.label, fold.kind), make("p", { class: "quiet" },
    `${counted(fold.operations, "operation")}${fold.parameters ? `, ${counted(fold.parameters, "parameter")}` : ""}${graph === pictures[0] ? ": drawn as one, since the whole graph is large" : ""}`),
  make("div", { class: "rows" }, members.slice(0, 40).map((m) => row(m))),
  members.length > 40 ? make("p", { class: "quiet" }, `and ${grouped(members.length - 40)} more`) : "",
  graph === pictures[0] ? "" : make("div", { class: "jumps" }, make("button", { type: "button", onclick: () => open(id) }, "Open it")));
}

const selectionTitle = (title, small) => make("div", { class: "title" }, make("h2", {}, `${title} `, make("small", {}, small)),
  make("button", { type: "button", class: "close", "aria-label": "Close the selection", title: "Close (Esc)", onclick: () => select(null) }, "×"));

// `fold`: not the vertex of this id, but what is drawn under it for several.
function select(id, fold = false) {
  state.selected = id;
  state.fold = fold;
  for (const [other, g] of graph.nodes) {
    g.classList.toggle("selected", id !== null && other === (fold ? id : drawn(id)));
    g.setAttribute("tabindex", id !== null && other === (fold ? id : drawn(id)) ? "0" : "-1");
  }
  showSelection();
  if (id === null) return;
  follow(id);
  parts.selection.scrollIntoView({ block: "nearest" });
  say(named(id, fold));
}

// The list of all steps is made when it is opened: there may be thousands.
parts.list.addEventListener("toggle", () => {
  if (parts.list.querySelector("ol")) return;
  parts.list.append(make("ol", {}, D.steps.map((step, k) => make("li", {},
    make("button", { type: "button", class: `link ${step.phase}`, "data-step": k, "aria-current": k === state.step ? "step" : null,
      onclick: () => go(k) }, sentence(k))))));
});

function sentence(k) {
  const step = D.steps[k];
  if (step.phase === "start" || step.phase === "end") return step.phase;
  const v = D.vertices[step.at];
  const name = v.symbol === v.label ? v.label : `${v.symbol}, ${v.label}`;
  if (step.phase === "forward") return `forward: ${name}`;
  return `backward: ${name}, to ${[...new Set(step.gives.map((part) => D.vertices[part.to].symbol))].join(", ") || "nothing"}`;
}
