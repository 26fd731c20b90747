// A graph as it is drawn: nodes, wires, and the values that they show.

const FOOT = 26; // characters that fit at the foot of a node

/** Draw a graph into an SVG, in one of its forms; `hidden` nodes are left out. */
function picturing(canvas, index, hidden) {
  const world = shape("g", { id: "world" }), tokens = shape("g", { id: "tokens", "aria-hidden": "true" });
  const drawn = new Map(); // node → its parts that change
  const onScreen = new Map(); // node → the value that it shows
  let wires = [], lines = [], faces = new Map(), places = new Map(), bounds = index.bounds;
  canvas.append(world);

  /** Draw a form of the graph: with its backward pass as nodes, or folded. */
  function draw(picture) {
    drawn.clear();
    onScreen.clear();
    world.replaceChildren();
    ({ bounds } = picture);
    places = new Map(Object.entries(picture.nodes).filter(([key]) => !hidden.has(key)));
    const seen = picture.wires.filter(({ from, to }) => !hidden.has(nodeOf(from)) && !hidden.has(nodeOf(to)));
    const bundled = strokesOf(picture.strokes ?? [], seen);
    wires = seen.map((wire) => ({ ...wire, ...wireParts(wire, bundled) }));
    lines = [...new Set(wires.flatMap((wire) => wire.lines))];
    for (const [title, x, y, width, height] of picture.groups) {
      world.append(shape("rect", { class: "group", x, y, width, height, rx: 10 }));
      world.append(textAt(x + 12, y + 19, title, { class: "title" }));
    }
    const strokes = [...bundled.values()], own = wires.filter(({ grip }) => grip);
    world.append(...[...strokes, ...own].map(({ line }) => line), ...[...own, ...strokes.reverse()].map(({ grip }) => grip));
    for (const [key, node] of places) world.append(nodeParts(key, node));
    world.append(...wires.flatMap((wire) => (wire.label ? [wire.label] : [])), tokens);
    faces = new Map([...places.keys()].map((key) => [key, faceOf(key)]));
  }

  /** The node that stands for one that is evaluated: itself, or the one whose backward pass it is in. */
  const standing = (key) => (places.has(key) ? key : index.twins?.[key] ?? key);

  /** What the wires of bundles have in common, by number, trunks first: they lie under the strands. */
  function strokesOf(strokes, seen) {
    const found = new Map(), order = (number) => (strokes[number].part === "trunk" ? 0 : 1);
    for (const wire of seen) for (const number of wire.strokes ?? []) found.set(number, [...(found.get(number) ?? []).slice(0, 1), wire]);
    return new Map([...found.keys()].sort((a, b) => order(a) - order(b)).map((number) => {
      const { path, part, text: told, width } = strokes[number], [first, more] = found.get(number);
      const line = shape("path", { d: path, class: lookOf(first), "data-part": part });
      if (part === "trunk") line.style.strokeWidth = width;
      const what = more ? { "data-bundle": told, "data-from": part === "start" ? first.from : "" } : { "data-wire": `${first.from} -> ${first.to}` };
      return [number, { line, path, grip: shape("path", { d: path, class: "grip", ...what }) }];
    }));
  }

  const lookOf = (wire) => `wire ${wire.kind}${wire.across ? " across" : ""}`;

  /** A wire of its own is drawn with its grip; one in a bundle is its strokes, and has a line to travel along. */
  function wireParts(wire, bundled) {
    const strokes = (wire.strokes ?? []).map((number) => bundled.get(number));
    const path = wire.path ?? strokes.map((stroke, at) => (at ? stroke.path.replace(/^M[^C]*/, "") : stroke.path)).join("");
    const own = wire.path !== undefined;
    const line = own ? shape("path", { d: path, class: lookOf(wire) }) : strokes.at(-1).line;
    const grip = own ? shape("path", { d: path, class: "grip", "data-wire": `${wire.from} -> ${wire.to}` }) : null;
    const lines = own ? [line] : strokes.map((stroke) => stroke.line);
    const label = wire.weighs && wire.kind !== "feedback" && !wire.across ? textAt(0, 0, "", { class: "weight" }) : null;
    if (label) {
      label.setAttribute("x", wire.middle[0]);
      label.setAttribute("y", wire.middle[1] + 3.5);
    }
    return { line, lines, way: path, grip, label };
  }

  function nodeParts(key, node) {
    const { x, y, width, height } = node;
    const group = shape("g", { class: `node ${node.family}`, "data-node": key });
    group.append(shape("rect", { class: "body", x, y, width, height, rx: 7 }));
    const isRelay = node.type === "relay", inside = shape("g", { class: "inside" });
    const title = textAt(x + 10, y + 17.5, fitting(node.title, 24), { class: "title" });
    enlarge(title, 20);
    const foot = textAt(x + 10, y + height - 8, node.foot, { class: "foot" });
    const bars = { up: shape("path", { class: "bar up" }), down: shape("path", { class: "bar down" }) };
    if (!isRelay) {
      const bottom = y + 26;
      group.append(
        shape("path", {
          class: "head", d: `M${x + 0.6} ${bottom}V${y + 7}a6.4 6.4 0 0 1 6.4 -6.4H${x + width - 7}a6.4 6.4 0 0 1 6.4 6.4V${bottom}Z`,
        }),
        title,
      );
      const room = node.title.length + node.type.length < 22 && node.type !== node.title;
      if (room) group.append(textAt(x + width - 10, y + 17.5, node.type, { class: "type" }));
      group.append(shape("path", { class: "rule", d: `M${x + 8} ${y + height - 24}H${x + width - 8}` }));
      group.append(foot, bars.up, bars.down, inside);
    }
    for (const [address, label, px, py, side, wired, optional] of [...node.inputs, ...node.outputs]) {
      group.append(shape("circle", {
        class: `port${wired ? " wired" : optional ? " optional" : ""}`, cx: px, cy: py, r: 4,
      }));
      if (label) group.append(textAt(px - 11 * side, py + 4, label, { class: `label ${side < 0 ? "left" : "right"}` }));
      group.append(shape("circle", { class: "grip", "data-port": address, cx: px, cy: py, r: 9 }));
    }
    foot.style.setProperty("--rise", `${24 - (node.view ? 24 : height) / 2 - (node.view ? 12 : 0)}px`);
    enlarge(foot, 26);
    drawn.set(key, { group, foot, bars, inside });
    return group;
  }

  /** Say how large a text can be where the whole graph is seen from afar. */
  function enlarge(drawing, most, room = 160) {
    const size = Math.min(most, room / (0.66 * (drawing.textContent.length || 1)));
    drawing.style.setProperty("--far", `${size.toFixed(1)}px`);
  }

  /** The area in which a view draws. */
  function areaOf(key) {
    const [left, top, width, height] = places.get(key).view;
    return [left, top + 2, width, height - 4];
  }

  /** Where a node's value comes from: its first output, of a view its first input. */
  function faceOf(key) {
    const node = places.get(key);
    return node.outputs.length ? node.outputs[0][0] : node.reads[0]?.[1];
  }


  function showValues({ values, age }) {
    for (const [key, { group, foot, bars }] of drawn) {
      const address = faces.get(key), value = values.get(address);
      group.classList.toggle("old", Boolean(address && value !== undefined && age(nodeOf(address))));
      if (onScreen.get(key) === value && onScreen.has(key)) continue;
      onScreen.set(key, value);
      if (Object.hasOwn(index.views?.nodes ?? {}, key)) continue; // drawn by showing.js
      const node = places.get(key), count = value === undefined ? 0 : flat(value).length;
      const [left, top, width, height] = node.view ?? [node.x + 84, node.y + node.height - 22, node.width - 94, 20];
      const listed = value === undefined ? fitting(node.foot, FOOT) : node.counts ? counted(flat(value)) : short(value);
      const many = node.view ? count > 1 : count > LISTED || listed.length > FOOT;
      foot.textContent = listed.length > FOOT ? sizeOf(value) : listed;
      enlarge(foot, many && !node.view ? 18 : 26, many && !node.view ? 72 : 160);
      drawBars(bars, many && count * 1.5 <= width ? flat(value).map(Number) : [], left, top, width, height);
    }
    for (const wire of wires) if (wire.weighs && wire.kind !== "feedback") {
      showWeight(wire, values);
      if (wire.label) wire.label.classList.toggle("old", wire.before !== undefined && Boolean(age(nodeOf(wire.from))));
    }
  }

  /** Numbers as bars from a line in the middle: above it positive, below it negative. */
  function drawBars({ up, down }, numbers, left, top, width, height) {
    const largest = Math.max(maximum(numbers.map(Math.abs)), 0) || 1;
    const middle = top + height / 2, pitch = Math.min(width / (numbers.length || 1), 14);
    const start = left + width - pitch * numbers.length;
    const paths = { up: "", down: "" };
    numbers.forEach((number, at) => {
      const tall = (number / largest) * (height / 2 - 1);
      const x = start + at * pitch;
      if (tall) paths[tall > 0 ? "up" : "down"] += `M${x.toFixed(1)} ${middle}v${(-tall).toFixed(1)}h${(pitch * 0.8).toFixed(1)}v${tall.toFixed(1)}z`;
    });
    up.setAttribute("d", paths.up);
    down.setAttribute("d", paths.down);
  }

  /** A weight is the thickness and the colour of its wire; its sign is written beside it. */
  function showWeight(wire, values) {
    const [address, place] = wire.weighs;
    const value = values.get(address);
    const own = wire.from === address, before = own ? undefined : values.get(wire.from);
    if (value === undefined || (wire.value === value && wire.before === before)) return;
    Object.assign(wire, { value, before });
    const numbers = flat(value), weight = Number(numbers[numbers.length > 1 ? place : 0]);
    wire.line.style.strokeWidth = 1 + 4 * Math.tanh(Math.abs(weight) / 3);
    wire.line.classList.toggle("positive", weight >= 0);
    wire.line.classList.toggle("negative", weight < 0);
    if (wire.label) wire.label.textContent = own ? (weight < 0 ? "" : "+") + show(weight) : weighed(weight, before);
  }

  /** What a weight does to the number on a wire: 1.5 × 0.8; only × 0.8 where there is no room. */
  function weighed(weight, value) {
    const times = `× ${show(weight)}`, numbers = value === undefined ? [] : flat(value);
    const text = numbers.length === 1 ? `${show(Number(numbers[0]))} ${times}` : times;
    return text.length <= 12 ? text : times;
  }

  draw(index);
  return {
    world, tokens, drawn, draw, showValues, standing, areaOf,
    get wires() { return wires; }, get lines() { return lines; }, get places() { return places; }, get bounds() { return bounds; },
  };
}
