// The picture of the graph: what is shown of each node at a step, pan and zoom, collapsed modules, search.

const stage = $("stage");

// The pictures of the graph: the whole one, and, where there are modules, one in which they are closed.
const pictures = [];
let graph = null;

// A vertex that is not drawn itself stands behind the one that is drawn for it.
const drawn = (id) => graph.drawn[id] ?? id;

// The drawn edge that stands for one of the computation.
function drawnEdge([id, source, target]) {
  return graph.edges.has(id) ? id : graph.between.get(`${drawn(source)}-${drawn(target)}`);
}

// What a drawn vertex is, in words.
function named(id, isFold = id in graph.folds) {
  const fold = graph.folds[id], v = D.vertices[id];
  return isFold ? `${fold.label}, ${fold.kind}, ${counted(fold.operations, "operation")}` : `${v.symbol}, ${v.label}, ${described(v)}`;
}

// Show one of the pictures.
function showPicture(k) {
  if (graph === pictures[k]) return;
  graph = pictures[k];
  stage.replaceChildren(graph.svg);
  if (graph.inner === null) readGraph();
  fit(0.6);
}

function readGraph() {
  graph.inner = graph.svg.querySelector("g.graph");
  for (const attribute of ["width", "height"]) graph.svg.removeAttribute(attribute);
  graph.svg.setAttribute("role", "group");
  graph.svg.setAttribute("aria-label", "Computation graph");
  const byId = (group, into) => graph.inner.querySelectorAll(group).forEach((g) => into.set(g.id, g));
  byId("g.node", graph.nodes);
  byId("g.edge", graph.edges);
  byId("g.cluster", graph.clusters);
  for (const title of graph.svg.querySelectorAll("title")) title.remove();
  const box = graph.svg.viewBox.baseVal;
  graph.full = { x: box.x, y: box.y, w: box.width, h: box.height };
  const chips = draw("g", { class: "chips", "aria-hidden": "true" });
  graph.inner.append(chips);
  for (const id of graph.edges.keys()) graph.between.set(id.slice(0, id.indexOf("-", id.indexOf("-") + 1)), id);
  for (const [id, g] of graph.nodes) {
    g.setAttribute("role", "button");
    g.setAttribute("tabindex", "-1");
    g.setAttribute("aria-label", named(id));
    g.addEventListener("click", () => select(id, id in graph.folds));
    g.addEventListener("dblclick", () => (id in graph.folds ? open(id) : born.get(id) && go(born.get(id))));
    graph.frames.set(id, g.getBBox()); // now: what a closed module hides has no size
    graph.chips.set(id, chips.appendChild(draw("g", { "data-of": id })));
  }
  for (const [id, g] of graph.clusters) {
    if (!groups.has(id)) continue;
    const fold = () => toggle(id);
    pressable(g, `Collapse ${groups.get(id).label}`, true, fold);
  }
}

// An SVG group that works like a button, by mouse and by key.
function pressable(g, label, expanded, act) {
  for (const [name, value] of Object.entries({ role: "button", tabindex: 0, "aria-label": label, "aria-expanded": expanded }))
    g.setAttribute(name, value);
  g.addEventListener("click", (event) => { event.stopPropagation(); act(); });
  g.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
}

// The step in the graph

function showStep() {
  const step = D.steps[state.step], at = step.at === undefined ? null : drawn(step.at);
  const flowing = new Map();
  if (step.at !== undefined) {
    const given = new Set((step.gives ?? []).map((part) => part.edge));
    for (const edge of D.edges)
      if (edge[2] === step.at && (step.phase === "forward" || given.has(edge[0]))) flowing.set(drawnEdge(edge), step.phase);
  }
  for (const [id, g] of graph.nodes) {
    g.classList.toggle("todo", !hasValue(id));
    g.classList.toggle("now", id === at);
    g.classList.toggle("selected", state.selected !== null && id === (state.fold ? state.selected : drawn(state.selected)));
    chip(id);
  }
  for (const [id, g] of graph.edges) {
    g.classList.toggle("flow-forward", flowing.get(id) === "forward");
    g.classList.toggle("flow-backward", flowing.get(id) === "backward");
    g.classList.toggle("todo", !hasValue(id.split("-")[1]));
  }
  for (const [id, box] of graph.boxes)
    box.classList.toggle("now", step.at !== undefined && around(D.vertices[step.at].group).some((m) => m.id === id));
  graph.svg.dataset.phase = step.phase;
}

// The small pictures and marks in a node; in one that stands for several, those of the last of them.
function chip(id) {
  const holder = graph.chips.get(id), shown = graph.folds[id]?.result ?? id, v = D.vertices[shown];
  const found = gradient(shown), value = hasValue(shown) ? v.value : undefined;
  const key = `${value}/${found?.picture}/${found?.complete}/${hasValue(shown)}`;
  if (holder.dataset.key === key) return;
  holder.dataset.key = key;
  holder.replaceChildren();
  const box = graph.frames.get(id);
  let y = box.y + box.height / 2 - (found?.picture !== undefined && value !== undefined ? 12.5 : 6);
  for (const [kind, k] of [["value", value], ["grad", found?.picture]]) {
    if (k === undefined || (kind === "value" && v.kind === "number")) continue;
    const { width, body } = thumbnail(D.pictures[k], 11);
    const g = draw("g", { class: `chip ${kind}${found?.complete === false ? " partial" : ""}`,
      transform: `translate(${box.x + box.width - 6 - width} ${y})` });
    g.append(draw("rect", { class: "back", width, height: 11 }), body,
      draw("rect", { class: "rim", x: -0.75, y: -0.75, width: width + 1.5, height: 12.5, rx: 1.5 }));
    holder.append(g);
    y += 14;
  }
  const words = marks(v, hasValue(shown), found?.complete);
  if (words.length) {
    const text = [...new Set(words.map((mark) => mark.sign))].join(" ");
    const width = 6 + 5.4 * text.length;
    holder.append(draw("g", { class: "badge", transform: `translate(${box.x + box.width - 6} ${box.y - 6})` },
      draw("rect", { width, height: 12, rx: 6 }), draw("text", { x: width / 2, y: 9 }, text)));
  }
}

// What is unusual about a vertex, as far as it can be seen at this step.
function marks(v, computed, complete) {
  const found = [];
  for (const [kind, amount, of] of v.marks ?? []) {
    if (kind === "saturated" && computed && amount >= 0.1)
      found.push({ sign: `◐ ${percent(amount)}`, text: `saturated: the slope is below 0.01 for ${percent(amount)} of the elements` });
    if (kind === "zero" && complete) found.push({ sign: "∅", text: "the gradient is zero everywhere" });
    if (kind === "infinite" && (of === "value" ? computed : complete))
      found.push({ sign: "NaN", text: `${counted(amount, "element")} of the ${of} ${amount === 1 ? "is" : "are"} NaN or infinite` });
  }
  return found;
}

// Pan and zoom: `scale` pixels for each unit of the picture, and the point in the middle

const view = { scale: 1, x: 0, y: 0, moved: false, frame: 0, gliding: false };

function apply() {
  const w = stage.clientWidth / view.scale, h = stage.clientHeight / view.scale;
  graph.svg.setAttribute("viewBox", `${view.x - w / 2} ${view.y - h / 2} ${w} ${h}`);
}

function fit(least = 0) {
  halt();
  const { x, y, w, h } = graph.full;
  const scale = Math.min(1.7, 0.96 * Math.min(stage.clientWidth / (w + 50), stage.clientHeight / (h + 20)));
  view.scale = Math.max(scale, Math.min(least, 1.7));
  view.x = x + w / 2 + 15;
  view.y = scale < least ? y + stage.clientHeight / view.scale / 2 - 10 : y + h / 2;
  apply();
}

function zoom(factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) {
  halt();
  const scale = Math.min(12, Math.max(0.02, view.scale * factor));
  const dx = px - stage.clientWidth / 2, dy = py - stage.clientHeight / 2;
  view.x += dx / view.scale - dx / scale;
  view.y += dy / view.scale - dy / scale;
  view.scale = scale;
  apply();
}

// Bring a drawn vertex, or the box of the module that hides it, into view.
function follow(id) {
  const hidden = hiddenBy((D.vertices[id] ?? graph.folds[id]).group);
  const g = hidden ? graph.boxes.get(hidden) : graph.nodes.get(drawn(id));
  if (!g) return;
  const box = g.getBBox(), shift = graph.inner.transform.baseVal.consolidate().matrix;
  const x = box.x + box.width / 2 + shift.e, y = box.y + box.height / 2 + shift.f;
  const w = stage.clientWidth / view.scale, h = stage.clientHeight / view.scale;
  const inside = Math.abs(x - view.x) < w * 0.36 && Math.abs(y - view.y) < h * 0.3;
  const { x: left, y: top, w: width, h: height } = graph.full;
  if (!inside) glide(within(x, left, width, w), within(y, top, height, h));
}

// A middle of the view from which no more than a margin beyond the picture is seen.
function within(middle, start, size, seen) {
  const low = start + seen / 2 - 15, high = start + size - seen / 2 + 15;
  return low > high ? start + size / 2 : Math.min(high, Math.max(low, middle));
}

// Move the middle of the view; at once where steps follow each other so fast that a slow move would never arrive.
function glide(x, y) {
  const hurried = view.gliding, from = { x: view.x, y: view.y };
  halt();
  if (calm.matches || hurried) { view.x = x; view.y = y; return apply(); }
  let start = null;
  const move = (now) => {
    start ??= now;
    const t = Math.min(1, (now - start) / 260), eased = t * (2 - t);
    view.x = from.x + (x - from.x) * eased;
    view.y = from.y + (y - from.y) * eased;
    apply();
    view.gliding = t < 1;
    if (view.gliding) view.frame = requestAnimationFrame(move);
  };
  view.gliding = true;
  view.frame = requestAnimationFrame(move);
}

function halt() {
  cancelAnimationFrame(view.frame);
  view.gliding = false;
}

function steer() {
  stage.addEventListener("click", (event) => { if (event.target === graph.svg || event.target === stage) select(null); });
  const fingers = new Map(), embedded = root.dataset.place === "embedded"; // in a notebook, which scrolls by itself
  stage.addEventListener("wheel", (event) => {
    if (embedded && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const frame = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), event.clientX - frame.x, event.clientY - frame.y);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    fingers.set(event.pointerId, event);
    view.moved = false;
  });
  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    if (embedded && event.pointerType === "touch" && fingers.size === 1) return fingers.set(event.pointerId, event);
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (!view.moved && Math.hypot(dx, dy) < 4) return;
    view.moved = true;
    halt();
    stage.classList.add("moving");
    if (fingers.size === 2) {
      const [other] = [...fingers.values()].filter((finger) => finger.pointerId !== event.pointerId);
      const gap = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY) || 1;
      const frame = stage.getBoundingClientRect();
      zoom(gap(event) / gap(before), (event.clientX + other.clientX) / 2 - frame.x, (event.clientY + other.clientY) / 2 - frame.y);
    }
    view.x -= dx / view.scale / fingers.size; // the point in the middle of two fingers moves by half of what one does
    view.y -= dy / view.scale / fingers.size;
    apply();
    fingers.set(event.pointerId, event);
  });
  for (const kind of ["pointerup", "pointercancel"])
    addEventListener(kind, (event) => { fingers.delete(event.pointerId); stage.classList.remove("moving"); });
  stage.addEventListener("click", (event) => { // the end of a drag is none; one by a key or a screen reader has no detail
    if (view.moved && event.detail) event.stopPropagation();
  }, true);
  new ResizeObserver(apply).observe(stage);
}
