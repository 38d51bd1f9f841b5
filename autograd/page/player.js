// Going through the steps: buttons, slider, keys, the chart of the memory; and how all of it starts.

const say = (text) => { $("live").textContent = text; };

function go(k, { spoken = true } = {}) {
  state.step = Math.max(0, Math.min(D.steps.length - 1, k));
  root.dataset.step = state.step;
  const step = D.steps[state.step];
  showStep();
  showPanel();
  if (near() !== undefined) follow(near());
  $("slider").value = state.step;
  const text = `step ${grouped(state.step)} of ${grouped(D.steps.length - 1)}`;
  $("slider").setAttribute("aria-valuetext", `${text}, ${sentence(state.step)}`);
  $("place").textContent = text;
  showMemory();
  // not `disabled`: a button that the reader has just pressed must keep the focus
  for (const id of ["first", "back"]) $(id).setAttribute("aria-disabled", state.step === 0);
  for (const id of ["forth", "last"]) $(id).setAttribute("aria-disabled", state.step === D.steps.length - 1);
  if (spoken) say(`${text}: ${spokenStep(state.step)}`);
}

// A step in words, with its numbers where there are only few.
function spokenStep(k) {
  const step = D.steps[k], few = (n) => {
    const p = D.pictures[n];
    return p?.values !== undefined && p.size > 0 && p.size <= 4 ? ` ${flat(p.values).map((x) => number(x)).join(", ")}` : "";
  };
  if (step.phase === "forward") return `${sentence(k)}, ${described(D.vertices[step.at])}${few(D.vertices[step.at].value)}`;
  if (step.phase !== "backward") return sentence(k);
  const added = step.gives.map((part) => `${D.vertices[part.to].symbol} gets${few(part.value) || ` ${described(D.vertices[part.to])}`}`);
  return `backward: ${D.vertices[step.at].symbol}, gradient${few(D.vertices[step.at].grad)} comes in; ${added.join("; ")}`;
}

function play(on = state.playing === null) {
  clearInterval(state.playing);
  state.playing = null;
  if (on) {
    if (state.step === D.steps.length - 1) go(0);
    const pace = Number($("speed").value);
    state.playing = setInterval(() => {
      const last = state.step + 1 === D.steps.length - 1;
      go(state.step + 1, { spoken: last || pace >= 1000 }); // nobody can listen to five steps in a second
      if (last) play(false);
    }, pace);
  }
  $("play").classList.toggle("playing", state.playing !== null);
  $("play").setAttribute("aria-label", state.playing === null ? "Play" : "Pause");
}

const jump = (k) => { play(false); go(k); };

// The memory that the tape holds, over the steps

function drawMemory() {
  const held = D.memory;
  const share = (phase) => D.steps.filter((step) => step.phase === phase).length;
  $("forward-part").style.flexGrow = share("forward") || 1e-3;
  $("backward-part").style.flexGrow = share("backward") || 1e-3;
  if (!held) { $("memory").hidden = true; return; }
  const top = most || 1, n = held.length - 1;
  const points = held.map((size, k) => `${k} ${100 - (96 * size) / top}`);
  $("memory").append(
    draw("svg", { viewBox: `0 0 ${n} 100`, preserveAspectRatio: "none", role: "img",
      "aria-label": `Memory that the tape holds for its rules, over the steps: at most ${bytes(most)}` },
    draw("path", { class: "area", d: `M0 100L${points.join("L")}L${n} 100Z` }),
    draw("path", { class: "line", d: `M${points.join("L")}` }),
    draw("path", { class: "now", id: "now-line", d: "M0 0V100" })));
}

const most = D.memory ? D.memory.reduce((a, b) => Math.max(a, b), 0) : 0;

function showMemory() {
  if (!D.memory) return;
  $("now-line").setAttribute("d", `M${state.step} 0V100`);
  $("held").textContent = `tape holds ${bytes(D.memory[state.step])} of at most ${bytes(most)}`;
}

// Keys

function arrow(up) {
  const near = D.edges.filter(([, source, target]) => (up ? target : source) === state.selected);
  const next = near.length ? near[0][up ? 1 : 2] : state.selected === null ? D.steps[state.step].at ?? D.edges[0]?.[2] : null;
  if (next) { reveal(next); graph.nodes.get(drawn(next))?.focus({ preventScroll: true }); }
}

const keys = {
  " ": () => play(), ArrowRight: () => jump(state.step + 1), ArrowLeft: () => jump(state.step - 1),
  Home: () => jump(0), End: () => jump(D.steps.length - 1), "/": () => $("search").focus(),
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "−": () => zoom(0.8), 0: () => fit(),
  c: () => foldAll(true), e: () => foldAll(false), t: () => turn(), "?": () => help(),
  Escape: () => select(null),
};

addEventListener("keydown", (event) => {
  const at = event.target, name = at.tagName;
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (at === $("search")) {
    if (event.key === "Enter") nextHit(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") { at.value = ""; search(); stage.focus(); }
    else return;
    event.preventDefault();
    return;
  }
  if (name === "SELECT") return;
  if (at === $("slider") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
  if ((name === "BUTTON" || name === "SUMMARY") && (event.key === " " || event.key === "Enter")) return;
  if (stage.contains(at)) {
    if (event.key === "ArrowUp" || event.key === "ArrowDown") { event.preventDefault(); return arrow(event.key === "ArrowUp"); }
    const node = at.closest("g.node");
    const chosen = node && (event.key === "Enter" || (event.key === " " && node.id !== state.selected));
    if (chosen) { event.preventDefault(); return select(node.id, node.id in graph.folds); }
  }
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function help() {
  $("keys").showModal();
  $("keys-title").focus(); // the button to close it is at the end, which may be out of sight
}

// Light and dark

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme === "auto" ? dark.matches : root.dataset.theme === "dark");

function nameTheme() {
  $("theme").textContent = isDark() ? "Light" : "Dark";
  $("theme").setAttribute("aria-label", isDark() ? "Change to light colours" : "Change to dark colours");
}

function turn() {
  root.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
}

// The start

async function layOut() {
  const found = [...stage.querySelectorAll("svg"), ...document.querySelector("template").content.querySelectorAll("svg")];
  if (D.dots) {
    const viz = await Viz.instance();
    found.push(...D.dots.map((dot) => viz.renderSVGElement(dot)));
  }
  await visible();
  found.forEach((svg, k) => pictures.push({ svg, inner: null, full: null, nodes: new Map(), edges: new Map(),
    clusters: new Map(), chips: new Map(), frames: new Map(), boxes: new Map(), between: new Map(), ...D.layouts[k] }));
}

// Until the page is seen, as in a notebook's tab in the background, nothing on it has a size.
function visible() {
  return new Promise((resolve) => {
    const watch = new ResizeObserver(() => {
      if (!stage.clientWidth) return;
      watch.disconnect();
      resolve();
    });
    watch.observe(stage);
  });
}

function wire() {
  const acts = {
    first: () => jump(0), back: () => jump(state.step - 1), play: () => play(), forth: () => jump(state.step + 1),
    last: () => jump(D.steps.length - 1), in: () => zoom(1.25), out: () => zoom(0.8), fit: () => fit(), theme: turn,
    help, close: () => $("keys").close(), collapse: () => foldAll(true), expand: () => foldAll(false),
  };
  for (const [id, act] of Object.entries(acts)) $(id).addEventListener("click", act);
  $("slider").max = D.steps.length - 1;
  $("slider").addEventListener("input", () => jump(Number($("slider").value)));
  $("search").addEventListener("input", search);
  $("speed").addEventListener("change", () => { if (state.playing !== null) { play(false); play(true); } });
  dark.addEventListener("change", nameTheme);
}

function facts() {
  const values = Object.values(D.vertices), parameters = values.filter((v) => v.kind === "parameter");
  const elements = parameters.reduce((sum, v) => sum + v.shape.reduce((a, b) => a * b, 1), 0);
  $("facts").textContent = `${counted(totals.forward, "operation")} · ${counted(parameters.length, "tensor")} with ${counted(elements, "parameter")}`;
  $("notes").append(...D.notes.map((note) => make("p", {}, note)));
}

layOut().then(() => {
  showPicture(0);
  wire();
  facts();
  nameTheme();
  drawMemory();
  $("modules").hidden = pictures.length === 1;
  steer();
  showModules();
  go(0, { spoken: false });
  root.dataset.ready = "";
}).catch((error) => {
  stage.append(make("p", { class: "failed", role: "alert" }, `The graph could not be shown: ${error.message}`));
  throw error;
});
