// What the other scripts share: the data, small helpers, and how numbers are written.

const D = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// What is shown now. A step is an index into D.steps; a selection the id of a vertex.
const state = { step: 0, selected: null, fold: false, playing: null, collapsed: new Set() };

// An element with attributes and children. Texts become text nodes and never markup.
function make(tag, attributes = {}, ...children) {
  const space = attributes.svg ? SVG : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "svg" || value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const draw = (tag, attributes, ...children) => make(tag, { svg: true, ...attributes }, ...children);

// A number as text: of few digits, with a real minus sign, and what JSON cannot say by its usual sign.
function number(x, digits = 4) {
  if (typeof x === "boolean") return x ? "True" : "False";
  if (typeof x === "string") return { nan: "NaN", inf: "∞", "-inf": "−∞" }[x] ?? x;
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return grouped(x);
  let text = Math.abs(x) < 1e-4 ? x.toExponential(digits - 1) : x.toPrecision(digits);
  if (text.includes("e")) {
    const [digits, power] = text.split("e");
    text = `${trimmed(digits)}e${Number(power)}`;
  } else text = trimmed(text);
  return text.replace(/-/g, "−");
}

const trimmed = (digits) => (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits);
const grouped = (n) => n.toLocaleString("en-GB").replace("-", "−");
const counted = (n, noun) => `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
const percent = (share) => (share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`);

function bytes(n) {
  if (n < 1024) return counted(n, "byte");
  let unit;
  for (unit of ["KiB", "MiB", "GiB"]) {
    n /= 1024;
    if (n < 1024) break;
  }
  return `${n.toFixed(1)} ${unit}`;
}

const shape = (v) => (v.several ? counted(v.several, "result") : v.shape.length ? v.shape.join("×") : "scalar");
const described = (v) => [shape(v), v.dtype].filter(Boolean).join(" · ");
const isLeaf = (v) => v.kind === "parameter" || v.kind === "input" || v.kind === "number";

// The modules around a vertex or group, outermost first.
const groups = new Map(D.groups.map((group) => [group.id, group]));
function around(id) {
  const path = [];
  for (let group = groups.get(id); group; group = groups.get(group.parent)) path.unshift(group);
  return path;
}

// When each vertex is computed, when its gradient comes, and when each rule adds to it.
const born = new Map(), first = new Map(), pulled = new Map(), given = new Map();
D.steps.forEach((step, k) => {
  if (step.phase === "forward") born.set(step.at, k);
  if (step.phase !== "backward") return;
  pulled.set(step.at, k);
  for (const part of step.gives) {
    if (!given.has(part.to)) given.set(part.to, []);
    given.get(part.to).push({ ...part, step: k, from: step.at });
  }
});
for (const [id, v] of Object.entries(D.vertices)) if (isLeaf(v)) born.set(id, 0);
for (const [id, stands] of D.layouts.flatMap(({ drawn }) => Object.entries(drawn)))
  if (!isLeaf(D.vertices[id])) // what stands for several is there from the first of them on
    first.set(stands, Math.min(first.get(stands) ?? Infinity, born.get(id)));
for (const [id, k] of first) born.set(id, k);

const hasValue = (id, step = state.step) => born.has(id) && born.get(id) <= step;

// The picture of what has been added to a gradient until a step, and whether that is all of it.
function gradient(id, step = state.step) {
  const v = D.vertices[id], parts = given.get(id) ?? [];
  const arrived = parts.filter((part) => part.step <= step);
  if (v.grad !== undefined && parts.length === arrived.length && (arrived.length || pulled.get(id) <= step))
    return { picture: v.grad, complete: true, arrived: arrived.length, of: parts.length };
  if (!arrived.length) return null;
  const latest = arrived[arrived.length - 1];
  return { picture: latest.sum ?? latest.value, complete: false, arrived: arrived.length, of: parts.length };
}
