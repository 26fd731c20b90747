// The classic picture: columns of neurons, and the weights as the lines between them.

const MOST_DOTS = 16; // of a column; of more, the first ones and the last
const DOT = 15, THICK_RING = 7; // radius of a neuron, and how thick the ring of the largest |δ| is

/** Draw a network's neurons over its graph, and keep them up to date; M shows and hides them. */
function mapping(root, run, index, view) {
  const layers = index.neurons, sheet = root.querySelector("#map"), button = root.querySelector("#neurons");
  if (!layers.length) return;
  button.hidden = false;
  const owner = new Map(layers.flatMap((layer) => layer.outputs.map((address) => [address, layer])));
  const depths = new Map(), dots = new Map(), columns = [];
  for (const layer of layers) {
    const depth = 1 + Math.max(0, ...layer.inputs.map(([address]) => depths.get(owner.get(address)?.key) ?? 0));
    depths.set(layer.key, depth);
    for (const [address, width] of layer.inputs) if (!owner.has(address)) add(0, address, address, width);
    add(depth, layer.key, layer.outputs.at(-1), run.data.parameters[nodeOf(layer.weights)][0], layer);
  }

  /** Put a group of dots into a column. */
  function add(depth, name, address, count, layer = null) {
    if (dots.has(name)) return;
    const group = { name, address, layer, count, dots: [] };
    dots.set(name, group);
    (columns[depth] ??= []).push(group);
  }

  const lines = [];
  let height = 0;
  for (const [depth, groups] of columns.entries()) {
    const whole = groups.flatMap((group) => Array.from({ length: group.count }, (_, number) => ({ group, number })));
    const shown = whole.length > MOST_DOTS ? [...whole.slice(0, MOST_DOTS - 2), null, whole.at(-1)] : whole;
    shown.forEach((dot, at) => {
      const x = 60 + 180 * depth, y = 60 * (at - (shown.length - 1) / 2);
      height = Math.max(height, Math.abs(y));
      if (dot) dot.group.dots.push({ ...dot, x, y });
      else sheet.append(named(x, y + 5, "⋮", "title"));
    });
  }
  const circles = [];
  for (const layer of layers) {
    const targets = dots.get(layer.key).dots;
    let column = 0;
    for (const [address, width] of layer.inputs) {
      const from = dots.get(owner.get(address)?.key ?? address);
      for (const start of from.dots) for (const end of targets) {
        const line = shape("path", { class: "wire", d: `M${start.x + 15} ${start.y}L${end.x - 15} ${end.y}` });
        lines.push({ line, layer, row: end.number, column: column + start.number });
      }
      column += width;
    }
  }
  sheet.append(...lines.map(({ line }) => line));
  for (const group of dots.values()) {
    for (const dot of group.dots) {
      const circle = shape("circle", { class: "dot", cx: dot.x, cy: dot.y, r: DOT }), said = named(dot.x, dot.y + 4, "", "value");
      const ring = shape("circle", { class: "ring", cx: dot.x, cy: dot.y, r: DOT }), below = named(dot.x, dot.y + DOT + 17, "", "delta");
      const title = shape("title");
      circle.append(title);
      circle.addEventListener("click", () => view.pin(group.layer?.key ?? nodeOf(group.address)));
      sheet.append(ring, circle, said, below);
      circles.push({ group, dot, circle, said, ring, below, title });
    }
    const alone = group.count > 1 || columns[depths.get(group.name) ?? 0].length === 1; // single neurons would be hidden by their names
    if (group.dots.length && alone) sheet.append(named(group.dots[0].x, group.dots[0].y - 30, fitting(group.layer?.key ?? nodeOf(group.address), 20), "title"));
  }
  const note = root.querySelector("#map-note"), left = 0, right = 120 + 180 * (columns.length - 1);
  sheet.setAttribute("viewBox", `${left} ${-height - 60} ${right} ${2 * height + 100}`);

  function named(x, y, words, name) { return textAt(x, y, words, { class: name }); }

  function update(now) {
    if (!sheet.classList.contains("shown")) return;
    const largest = new Map();
    for (const layer of layers) largest.set(layer, maximum(flat(now.values.get(layer.weights) ?? [0]).map(Math.abs)) || 1);
    for (const { line, layer, row, column } of lines) {
      const weight = now.values.get(layer.weights)?.[row]?.[column];
      if (weight === undefined) continue;
      line.style.strokeWidth = 0.4 + (4 * Math.abs(weight)) / largest.get(layer);
      line.classList.toggle("positive", weight >= 0);
      line.classList.toggle("negative", weight < 0);
    }
    const blames = new Map(layers.map((layer) => [layer.key, blameOf(layer, now)]));
    const most = Math.max(maximum([...blames.values()].flatMap(({ row }) => row.map((delta) => Math.abs(delta) || 0))), 0);
    const ages = new Set(), blameAges = new Set();
    for (const { group, dot, circle, said, ring, below, title } of circles) {
      const value = now.values.get(group.address), number = value && rowsOf(value)[0][dot.number];
      const age = number === undefined ? "" : now.age(nodeOf(group.address)), blame = blames.get(group.layer?.key), delta = blame?.row[dot.number];
      const name = `${group.layer?.key ?? group.address} ${dot.number + 1}`, told = (what, each, when) => (each === undefined ? "" : `, ${what} = ${show(each)}${when && ` (${when})`}`);
      said.textContent = number === undefined ? "" : briefly(number);
      said.classList.toggle("old", Boolean(age));
      circle.classList.toggle("old", Boolean(age));
      circle.classList.toggle("lit", now.node !== null && (now.node === group.layer?.key || group.layer?.outputs.some((address) => nodeOf(address) === now.node) || now.node.startsWith(`${group.layer?.key}.`) || now.node === nodeOf(group.address)));
      const thick = delta === undefined || !most ? 0 : (THICK_RING * Math.abs(delta)) / most;
      ring.setAttribute("r", DOT + 1.5 + thick / 2);
      ring.style.strokeWidth = thick;
      below.textContent = delta === undefined ? "" : `δ ${briefly(delta)}`;
      for (const each of [ring, below]) each.classList.toggle("old", Boolean(blame?.age));
      title.textContent = `${name}${told(group.layer ? "a" : "x", number, age)}${told("δ", delta, blame?.age)}`;
      if (age) ages.add(age);
      if (delta !== undefined && blame.age) blameAges.add(blame.age);
    }
    note.replaceChildren(...[["grey", ages], ["grey δ", blameAges]].flatMap(([what, those]) => [...those].sort().map((age) => element("li", {}, `${what}: ${age}`))));
  }

  /** δ of a layer's neurons, for the first row, and of when it is. */
  function blameOf({ key }, now) {
    const address = run.data.gradients[`${key}.z`], value = address === undefined ? undefined : now.values.get(address);
    return value === undefined ? { row: [], age: "" } : { row: rowsOf(value)[0].map(Number), age: now.age(nodeOf(address)) };
  }

  /** A number with two digits. */
  function briefly(number) { return show(Number(Number(number).toPrecision(2))); }

  function toggle() {
    const shown = sheet.classList.toggle("shown");
    button.setAttribute("aria-pressed", String(shown));
    note.hidden = !shown;
    if (view.now) update(view.now);
  }

  button.addEventListener("click", toggle);
  view.keys.m = toggle;
  view.watching.push(update);
}
