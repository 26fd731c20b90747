// The classic picture: columns of neurons, and the weights as the lines between them.

const MOST_DOTS = 16; // of a column; of more, the first ones and the last

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
      const x = 60 + 180 * depth, y = 46 * (at - (shown.length - 1) / 2);
      height = Math.max(height, Math.abs(y));
      if (dot) dot.group.dots.push({ ...dot, x, y });
      else sheet.append(text("⋮", x, y + 5, "title"));
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
      const circle = shape("circle", { class: "dot", cx: dot.x, cy: dot.y, r: 15 }), said = text("", dot.x, dot.y + 4, "value");
      circle.append(shape("title", {}, `${group.layer?.key ?? group.address} ${dot.number + 1}`));
      circle.addEventListener("click", () => view.pin(group.layer?.key ?? nodeOf(group.address)));
      sheet.append(circle, said);
      circles.push({ group, dot, circle, said });
    }
    const alone = group.count > 1 || columns[depths.get(group.name) ?? 0].length === 1; // single neurons would be hidden by their names
    if (group.dots.length && alone) sheet.append(text(fitting(group.layer?.key ?? nodeOf(group.address), 20), group.dots[0].x, group.dots[0].y - 24, "title"));
  }
  const left = 0, right = 120 + 180 * (columns.length - 1);
  sheet.setAttribute("viewBox", `${left} ${-height - 60} ${right} ${2 * height + 100}`);

  function text(words, x, y, name) { return shape("text", { x, y, class: name }, words); }

  function update(now) {
    if (!sheet.classList.contains("shown")) return;
    const largest = new Map();
    for (const layer of layers) largest.set(layer, Math.max(...flat(now.values.get(layer.weights) ?? [0]).map(Math.abs)) || 1);
    for (const { line, layer, row, column } of lines) {
      const weight = now.values.get(layer.weights)?.[row]?.[column];
      if (weight === undefined) continue;
      line.style.strokeWidth = 0.4 + (4 * Math.abs(weight)) / largest.get(layer);
      line.classList.toggle("positive", weight >= 0);
      line.classList.toggle("negative", weight < 0);
    }
    for (const { group, dot, circle, said } of circles) {
      const value = now.values.get(group.address), row = Array.isArray(value?.[0]) ? value[0] : value, number = row?.[dot.number];
      said.textContent = number === undefined ? "" : show(Number(Number(number).toPrecision(2)));
      circle.classList.toggle("lit", now.node !== null && (now.node === group.layer?.key || group.layer?.outputs.some((address) => nodeOf(address) === now.node) || now.node.startsWith(`${group.layer?.key}.`) || now.node === nodeOf(group.address)));
    }
  }

  function toggle() {
    const shown = sheet.classList.toggle("shown");
    button.setAttribute("aria-pressed", String(shown));
    if (view.now) update(view.now);
  }

  button.addEventListener("click", toggle);
  view.keys.m = toggle;
  view.watching.push(update);
}
