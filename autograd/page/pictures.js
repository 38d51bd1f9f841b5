// Arrays as pictures: their numbers if they are few, else a heat map, a histogram and what sums them up.

// −1 … 1 as a colour between the two of the theme; null (not finite) has one of its own.
function tone(t) {
  if (t === null) return "var(--broken)";
  const share = Math.round(Math.min(1, Math.abs(t)) * 100);
  return `color-mix(in srgb, var(--${t < 0 ? "negative" : "positive"}) ${share}%, var(--zero))`;
}

const flat = (values) => (Array.isArray(values) ? values.flat(Infinity) : [values]);

// The cells of a picture as rows of −1 … 1, or null where there is no grid of them.
function cells(p) {
  if (p.values !== undefined) {
    const all = flat(p.values).map((x) => (typeof x !== "string" ? Number(x) : x.includes("j") ? 0 : null));
    const top = Math.max(...all.map((x) => Math.abs(x ?? 0))) || 1;
    const rows = Array.isArray(p.values) && Array.isArray(p.values[0]) ? p.values.map(flat) : [flat(p.values)];
    let k = 0;
    return rows.map((row) => row.map(() => { const x = all[k++]; return x === null ? null : x / top; }));
  }
  if (!p.grid) return null;
  const raw = atob(p.grid.cells);
  return Array.from({ length: p.grid.rows }, (_, i) => Array.from({ length: p.grid.columns }, (_, j) => {
    const step = raw.charCodeAt(i * p.grid.columns + j);
    return step === 255 ? null : step / 127 - 1;
  }));
}

// At most `most` rows and columns, evenly chosen: for pictures too small to show all.
function thinned(rows, most) {
  const pick = (list) => list.length <= most ? list
    : Array.from({ length: most }, (_, k) => list[Math.floor((k * list.length) / most)]);
  return pick(rows).map(pick);
}

function heat(rows, width, height, attributes = {}) {
  const w = width / rows[0].length, h = height / rows.length;
  return draw("g", attributes, rows.flatMap((row, i) => row.map((t, j) =>
    draw("rect", { x: j * w, y: i * h, width: w + 0.3, height: h + 0.3, style: `fill:${tone(t)}` }))));
}

function bars(counts, width, height, attributes = {}) {
  const top = Math.max(...counts, 1), w = width / counts.length;
  return draw("g", attributes, counts.map((n, k) => {
    const h = n ? Math.max(1, (n / top) * height) : 0;
    return draw("rect", { class: "bar", x: k * w + w * 0.08, y: height - h, width: w * 0.84, height: h });
  }));
}

// A small picture beside a node, for a box of a given height; its width is as it needs it.
function thumbnail(p, height) {
  if (p.size === 0) return { width: 26, body: draw("text", { x: 13, y: height - 3 }, "empty") };
  if (p.size === 1) {
    const value = flat(p.values)[0], exact = number(value, 3), text = exact.length > 6 ? number(value, 2) : exact;
    const width = 7 + 4.7 * text.length;
    return { width, body: draw("text", { x: width / 2, y: height - 3 }, text) };
  }
  const rows = cells(p);
  if (rows && rows.length) {
    const small = thinned(rows, 12);
    const width = Math.max(10, Math.min(34, (small[0].length / small.length) * height));
    return { width, body: heat(small, width, height) };
  }
  if (p.bins) return { width: 26, body: bars(p.bins, 26, height) };
  const text = p.min === undefined ? "NaN" : number(p.min, 3);
  const width = 7 + 4.7 * text.length;
  return { width, body: draw("text", { x: width / 2, y: height - 3 }, text) };
}

// An array in the panel. `caption` is for those who cannot see it.
function picture(k, caption) {
  const p = D.pictures[k];
  const box = make("div", { class: "picture", "data-picture": k });
  if (p.size === 0) return box.append(make("p", { class: "quiet" }, "empty: no elements")), box;
  if (p.values !== undefined) {
    box.dataset.exact = JSON.stringify(p.values);
    box.append(numbers(p, caption));
    return box;
  }
  const views = make("div", { class: "views" });
  const rows = cells(p);
  if (rows) {
    const width = 132, height = Math.max(18, Math.min(132, (width * rows.length) / rows[0].length));
    views.append(make("figure", {},
      draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Heat map of ${caption}`,
        class: "heat" }, heat(rows, width, height)),
      make("figcaption", {}, make("span", { class: "scale" }), ` ±${number(p.grid.scale)}`)));
  }
  if (p.bins) {
    const width = 156, height = 56;
    const zero = p.from < 0 && p.to > 0 ? (-p.from / (p.to - p.from)) * width : null;
    views.append(make("figure", {},
      draw("svg", { viewBox: `0 0 ${width} ${height + 1}`, width, height: height + 1, role: "img", class: "histogram",
        "aria-label": `Histogram of ${caption}, from ${number(p.from)} to ${number(p.to)}` },
        bars(p.bins, width, height), draw("path", { class: "axis", d: `M0 ${height + 0.5}H${width}` }),
        zero === null ? null : draw("path", { class: "axis", "stroke-dasharray": "2 2", d: `M${zero} 0V${height}` })),
      make("figcaption", { class: "ends" }, make("span", {}, number(p.from)), make("span", {}, number(p.to)))));
  }
  box.append(views, statistics(p));
  return box;
}

function numbers(p, caption) {
  const rows = cells(p);
  const all = flat(p.values);
  if (all.length === 1) return make("p", { class: "single" }, number(all[0]));
  let k = 0;
  const kind = rows.length === 1 ? "numbers wrapped" : rows.length > 8 ? "numbers tall" : "numbers";
  const scrolls = rows.length > 1 && rows[0].length > 4; // then a key must be able to
  return make("table", { class: kind, "aria-label": caption, tabindex: scrolls ? 0 : null }, make("tbody", {}, rows.map((row) =>
    make("tr", {}, row.map((t) => make("td", { style: `background:${t === null ? "var(--broken-soft)" : tone(t * 0.5)}` }, number(all[k++])))))));
}

function statistics(p) {
  const of = p.absolute ? "|x| " : "";
  const pairs = p.min === undefined ? [] : p.min === p.max ? [[`${of}all equal`, number(p.min)]] : [
    [`${of}min`, number(p.min)], [`${of}max`, number(p.max)], [`${of}mean`, number(p.mean)], [`${of}std`, number(p.std)]];
  if (p.zeros) pairs.push(["zero", percent(p.zeros / p.size)]);
  if (p.nan) pairs.push(["NaN", grouped(p.nan), "bad"]);
  if (p.infinite) pairs.push(["±∞", grouped(p.infinite), "bad"]);
  return make("dl", { class: "statistics" }, pairs.map(([name, text, kind]) =>
    make("div", { class: kind }, make("dt", {}, name), make("dd", {}, text))));
}
