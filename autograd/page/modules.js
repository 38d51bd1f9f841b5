// Modules that are collapsed into a box, and the search.

function toggle(id, folded = !state.collapsed.has(id)) {
  if (folded) state.collapsed.add(id);
  else state.collapsed.delete(id);
  showModules();
  const now = folded ? graph.boxes.get(id) : graph.clusters.get(id);
  now?.focus({ preventScroll: true });
  say(`${groups.get(id).label} ${folded ? "collapsed" : "expanded"}`);
}

// All modules: the other picture, in which what is left is laid out anew.
function foldAll(folded) {
  if (folded && pictures.length === 1) return; // there is nothing to close
  state.collapsed.clear();
  if (state.fold) select(null);
  showPicture(folded ? pictures.length - 1 : 0);
  search();
  showModules();
  if (near() !== undefined) follow(near());
  say(folded ? "all modules collapsed" : "all modules expanded");
}

// The vertex that a step is about; at the start, the first.
const near = () => D.steps[state.step].at ?? (state.step === 0 ? D.steps[1].at : undefined);

// Go from a closed module to what is in it.
function open(id) {
  const inside = Object.keys(graph.drawn).find((member) => graph.drawn[member] === id && !isLeaf(D.vertices[member]));
  if (graph === pictures[0]) return; // the graph is so large that it is never drawn open
  foldAll(false);
  reveal(inside);
}

// The outermost collapsed module around a vertex or module, if any.
const hiddenBy = (group) => around(group).find((m) => state.collapsed.has(m.id))?.id;

function showModules() {
  for (const box of graph.boxes.values()) box.remove();
  graph.boxes.clear();
  const homes = new Map();
  for (const [id, g] of graph.nodes) {
    const home = hiddenBy((graph.folds[id] ?? D.vertices[id]).group);
    homes.set(id, home);
    g.classList.toggle("inside", home !== undefined);
    graph.chips.get(id).classList.toggle("inside", home !== undefined);
  }
  for (const [id, g] of graph.edges) {
    const [source, target] = id.split("-"), home = homes.get(source);
    g.classList.toggle("inside", home !== undefined && home === homes.get(target));
  }
  for (const [id, g] of graph.clusters) {
    const home = hiddenBy(groups.get(id)?.parent);
    g.classList.toggle("inside", home !== undefined || state.collapsed.has(id));
    if (home === undefined && state.collapsed.has(id)) graph.boxes.set(id, moduleBox(id, g));
  }
  showStep();
}

// An opaque box in the place of a module, over the ends of the edges that lead into it.
function moduleBox(id, cluster) {
  cluster.classList.remove("inside"); // what is not displayed has no size
  const box = cluster.querySelector("path, polygon").getBBox(), group = groups.get(id);
  cluster.classList.add("inside");
  const x = box.x + box.width / 2, y = box.y + box.height / 2;
  const lines = [
    [`▸ ${group.label}`, "title"],
    [group.kind === group.label ? null : group.kind, "quiet"],
    [counted(group.operations, "operation"), "quiet"],
    [group.parameters ? `${counted(group.parameters, "parameter value")}` : null, "quiet"],
  ].filter(([text]) => text);
  const longest = Math.max(...lines.map(([text]) => text.length));
  const size = Math.max(5, Math.min(22, box.height / (lines.length * 1.6), (1.7 * box.width) / longest));
  const g = draw("g", { class: "folded", id: `folded-${id}` },
    draw("rect", { x: box.x, y: box.y, width: box.width, height: box.height, rx: 8 }),
    lines.map(([text, kind], k) => draw("text", { class: kind, x, style: `font-size:${size}px`,
      y: y + size * (0.35 + 1.4 * (k - (lines.length - 1) / 2)) }, text)));
  graph.inner.append(g);
  pressable(g, `Expand ${lines.map(([text]) => text.replace("▸ ", "")).join(", ")}`, false, () => toggle(id, false));
  return g;
}

// Search

const hits = { all: [], at: -1 };

function words(id) {
  const v = D.vertices[id];
  const path = around(v.group).flatMap((m) => [m.label, m.kind]);
  return [v.symbol, v.name, v.label, v.kind, shape(v), v.shape.join("x"), v.dtype, ...path].join("\n").toLowerCase();
}

function search() {
  const wanted = $("search").value.trim().toLowerCase();
  hits.all = wanted ? Object.keys(D.vertices).filter((id) => words(id).includes(wanted)) : [];
  hits.at = -1;
  const shown = new Set(hits.all.map(drawn));
  for (const [id, g] of graph.nodes) {
    g.classList.toggle("match", shown.has(id));
    g.classList.toggle("dim", wanted !== "" && !shown.has(id));
  }
  $("found").textContent = wanted ? (hits.all.length ? counted(hits.all.length, "hit") : "no hits") : "";
}

function nextHit(step = 1) {
  if (!hits.all.length) return;
  hits.at = (hits.at + step + hits.all.length) % hits.all.length;
  $("found").textContent = `${hits.at + 1} of ${hits.all.length}`;
  reveal(hits.all[hits.at]);
}

// Select a vertex, with the modules around it open.
function reveal(id) {
  let opened = false;
  for (const m of around(D.vertices[id].group)) opened = state.collapsed.delete(m.id) || opened;
  if (opened) showModules();
  select(id);
}
