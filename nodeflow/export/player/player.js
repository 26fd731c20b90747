// Draws a graph and the moments of a run on it: `mount(root, index, source)`.
//
// `root` is an element with the player's markup in it, `index` the drawing, `source` the run that
// is played: a recording (recorded.js), or an engine that computes (live.js). Whatever belongs to
// one player is found below its root, so that a page may have several.

const FAR = 0.5; // below this zoom small print is left out
const LISTED = 4; // numbers of an array that are listed in a line
const FOOT = 26; // characters that fit at the foot of a node
const MOST = 200; // numbers of an array that are shown in full
const SLOWEST_TO_FLY = 120; // milliseconds of a beat in which numbers can still be seen to fly
const still = matchMedia("(prefers-reduced-motion: reduce)");

// --- numbers ------------------------------------------------------------------------------------


/** A number with so many decimals, and its power of ten; halfway it goes to the even digit. */
function rounded(value, decimals, how) {
  const write = (more) => value[how](decimals + more).split("e");
  const [up, power] = write(0), [longer] = write(1), [exact] = write(30);
  const halfway = longer.endsWith("5") && /^0*$/.test(exact.slice(longer.length));
  const odd = "13579".includes(up.at(-1));
  return [halfway && odd ? longer.slice(0, -1) : up, Number(power ?? 0)];
}

/** A number as a person writes it: at most 4 significant digits after the lead. */
function show(number) {
  const value = Number(number), size = Math.abs(value);
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "−Infinity";
  if (value === 0) return "0";
  const stripped = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const [digits, power] = rounded(value, 3, "toExponential");
  const plain = size < 1e6 && power >= -4;
  const text = plain
    ? stripped(rounded(value, size >= 0.1 ? 4 : 3 - power, "toFixed")[0])
    : `${size < 1 ? stripped(digits) : digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return text.replaceAll("-", "−");
}

const exactly = (number) => String(number).replaceAll("-", "−");

const sizeOf = (value) => shapeOf(value).join("×");

/** A value in one line: its number, its few numbers, or its shape. */
function short(value) {
  const numbers = flat(value);
  if (numbers.length === 1) return show(numbers[0]);
  return numbers.length <= LISTED ? numbers.map(show).join(", ") : sizeOf(value);
}

/** All digits of a value, a row a line. */
function written(value) {
  const rows = Array.isArray(value) && Array.isArray(value[0]) ? value : [flat(value)];
  const width = Math.max(...flat(value).slice(0, MOST).map((number) => exactly(number).length)) + 2;
  let left = MOST;
  const lines = [];
  for (const row of rows) {
    if (left <= 0) break;
    lines.push(row.slice(0, left).map((number) => exactly(number).padEnd(width)).join("").trimEnd());
    left -= row.length;
  }
  const more = flat(value).length - MOST;
  return lines.join("\n") + (more > 0 ? `\n… and ${more} more` : "");
}

// --- making elements ----------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return filled(made, attributes, children);
}

function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  return filled(made, attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A name with its middle left out where it is too long. */
function fitting(name, most) {
  if (name.length <= most) return name;
  const half = (most - 1) >> 1;
  return `${name.slice(0, most - 1 - half)}…${name.slice(-half)}`;
}

// --- the player ---------------------------------------------------------------------------------

/** A player in a root; what it draws may be another form of the graph than the one that is run. */
function mount(root, index, source) {
  const find = (selector) => root.querySelector(selector);
  const LEVELS = index.levels;
  const nodes = new Map(Object.entries({ ...index.folded?.nodes, ...index.nodes }));
  const hidden = new Set(index.hidden ?? []); // by a lesson

  const text = (x, y, words, attributes = {}) => shape("text", { x, y, ...attributes }, words);

  const canvas = find("#canvas"), world = shape("g", { id: "world" });
  const drawn = new Map(); // node → its parts that change
  const tokens = shape("g", { id: "tokens", "aria-hidden": "true" });
  let wires = [], lines = [], faces = new Map(), places = new Map(), bounds = index.bounds;
  const onScreen = new Map(); // node → the value that it shows
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
      world.append(text(x + 12, y + 19, title, { class: "title" }));
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
    const label = wire.weighs && wire.kind !== "feedback" && !wire.across ? text(0, 0, "", { class: "weight" }) : null;
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
    const title = text(x + 10, y + 17.5, fitting(node.title, 24), { class: "title" });
    enlarge(title, 20);
    const foot = text(x + 10, y + height - 8, node.foot, { class: "foot" });
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
      if (room) group.append(text(x + width - 10, y + 17.5, node.type, { class: "type" }));
      group.append(shape("path", { class: "rule", d: `M${x + 8} ${y + height - 24}H${x + width - 8}` }));
      group.append(foot, bars.up, bars.down, inside);
    }
    for (const [address, label, px, py, side, wired, optional] of [...node.inputs, ...node.outputs]) {
      group.append(shape("circle", {
        class: `port${wired ? " wired" : optional ? " optional" : ""}`, cx: px, cy: py, r: 4,
      }));
      if (label) group.append(text(px - 11 * side, py + 4, label, { class: `label ${side < 0 ? "left" : "right"}` }));
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

  draw(index);

  function showValues({ values, age }) {
    for (const [key, { group, foot, bars }] of drawn) {
      const address = faces.get(key), value = values.get(address);
      group.classList.toggle("old", Boolean(address && value !== undefined && age(nodeOf(address))));
      if (onScreen.get(key) === value && onScreen.has(key)) continue;
      onScreen.set(key, value);
      if (Object.hasOwn(index.views?.nodes ?? {}, key)) continue; // drawn by views.js
      const node = places.get(key), count = value === undefined ? 0 : flat(value).length;
      const [left, top, width, height] = node.view ?? [node.x + 84, node.y + node.height - 22, node.width - 94, 20];
      const listed = value === undefined ? fitting(node.foot, FOOT) : short(value);
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
    const largest = Math.max(...numbers.map(Math.abs), 0) || 1;
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

  // --- the view -----------------------------------------------------------------------------------

  const view = { x: 0, y: 0, zoom: 1, fitted: true };

  function applyView() {
    world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.zoom})`);
    canvas.classList.toggle("far", view.zoom < FAR);
    canvas.style.setProperty("--unzoomed", Math.min(1 / view.zoom, 5));
    placeCallout();
  }

  function fit() {
    const [left, top, right, bottom] = bounds;
    const { width, height } = canvas.getBoundingClientRect();
    const margin = Math.min(28, width / 20);
    const across = (width - 2 * margin) / (right - left || 1), down = (height - 2 * margin) / (bottom - top || 1);
    view.zoom = Math.min(across, down, 1.5);
    view.x = width / 2 - (view.zoom * (left + right)) / 2;
    view.y = height / 2 - (view.zoom * (top + bottom)) / 2;
    view.fitted = true;
    applyView();
  }

  function zoomAbout(x, y, factor) {
    const zoom = Math.max(0.02, Math.min(6, view.zoom * factor));
    view.x = x - ((x - view.x) * zoom) / view.zoom;
    view.y = y - ((y - view.y) * zoom) / view.zoom;
    view.zoom = zoom;
    view.fitted = false;
    applyView();
  }

  /** Bring a node into view, if it is not. */
  function follow(key, duration = Math.min(300, 500 / player.speed)) {
    if (view.fitted) return;
    const node = places.get(standing(key)), { width, height } = canvas.getBoundingClientRect();
    if (!node) return;
    const x = view.x + view.zoom * (node.x + node.width / 2), y = view.y + view.zoom * (node.y + node.height / 2);
    const edge = Math.min(80, width / 5);
    if (x > edge && x < width - edge && y > edge && y < height - edge) return;
    glide(width / 2 - x, height / 2 - y, still.matches ? 0 : duration);
  }

  let gliding = 0;

  /** Move the view by so much within so many milliseconds. */
  function glide(dx, dy, duration) {
    const begun = performance.now();
    let done = 0;
    cancelAnimationFrame(gliding);
    const move = (time) => {
      const part = duration ? Math.min(1, Math.max(0, time - begun) / duration) : 1;
      const eased = part * (2 - part);
      view.x += dx * (eased - done);
      view.y += dy * (eased - done);
      done = eased;
      applyView();
      if (part < 1) gliding = requestAnimationFrame(move);
    };
    move(begun);
  }

  const pointers = new Map();
  let dragged = false;
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
    cancelAnimationFrame(gliding);
    dragged = false;
  });
  const ending = new AbortController(), { signal } = ending; // of what listens outside of the player
  addEventListener("pointerup", (event) => pointers.delete(event.pointerId), { signal });
  addEventListener("pointercancel", (event) => pointers.delete(event.pointerId), { signal });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const box = canvas.getBoundingClientRect();
    const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
    if (other) {
      dragged = true;
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      zoomAbout((event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top, apart(event) / apart(before));
    } else if (dragged || Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 3) {
      if (!dragged) canvas.setPointerCapture(event.pointerId);
      dragged = true;
      view.x += event.clientX - before.clientX;
      view.y += event.clientY - before.clientY;
      view.fitted = false;
      applyView();
    } else return;
    pointers.set(event.pointerId, event);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect(), lines = event.deltaMode ? 30 : 1;
    zoomAbout(event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)));
  }, { passive: false });
  canvas.addEventListener("click", (event) => {
    const key = event.target.closest("[data-node]")?.dataset.node ?? null;
    if (!dragged) pin(key);
  });
  new ResizeObserver(() => (view.fitted ? fit() : applyView())).observe(canvas);

  // Paper has a size of its own: the whole graph is printed, as large as there is room for.
  addEventListener("beforeprint", () => {
    const [left, top, right, bottom] = bounds;
    world.removeAttribute("transform");
    canvas.setAttribute("viewBox", `${left - 10} ${top - 10} ${right - left + 20} ${bottom - top + 20}`);
  }, { signal });
  addEventListener("afterprint", () => {
    canvas.removeAttribute("viewBox");
    applyView();
  }, { signal });

  // --- the moment in view -------------------------------------------------------------------------

  let now = null, pinned = null, asked = 0;
  const watching = []; // what wants to know of every moment that is shown

  /** Show a moment. Of several that are asked for in a hurry only the last is shown. */
  async function goto(number, { flying = 0 } = {}) {
    const mine = ++asked;
    try {
      const moment = await source.at(clamp(number));
      if (mine === asked) present(moment, flying);
    } catch (error) {
      if (source.now) present(source.now()); // it came as far as the node at fault
      throw error;
    }
  }

  function clamp(number) {
    return Math.max(0, Math.min(source.endless ? Infinity : source.last(), Math.round(number)));
  }

  /** Show a moment that the source is at. */
  function present(moment, flying = 0) {
    if (signal.aborted) return;
    asked++;
    const forward = now !== null && moment.number === now.number + 1;
    now = moment;
    showValues(now);
    showActive(forward);
    showCaption();
    showPanel();
    showLog();
    showTip();
    if (now.node !== null) follow(now.node);
    fly(flying);
    for (const shown of watching) shown(now);
  }

  function showActive(forward) {
    for (const old of canvas.querySelectorAll(".active, .changed")) old.classList.remove("active", "changed");
    const callout = find("#callout");
    const group = drawn.get(standing(now.node))?.group;
    callout.hidden = !group;
    if (!group) return;
    group.classList.add("active", now.phase);
    const active = new Set(wires.filter((wire) => nodeOf(wire.to) === standing(now.node)).flatMap((wire) => wire.lines));
    for (const line of lines) line.classList.toggle("active", active.has(line));
    if (forward && now.replaced.size) {
      group.getBoundingClientRect(); // so that a flash begins anew
      group.classList.add("changed");
    }
    callout.className = now.phase;
    callout.replaceChildren(...callouts());
    callout.hidden = !callout.childNodes.length;
    placeCallout();
  }

  /** What came out, for each port "old → new". */
  function callouts() {
    const outputs = nodes.get(now.node).outputs.map(([address]) => address).filter((address) => now.values.has(address));
    return outputs.map((address) => {
      const line = element("div"), value = now.values.get(address), old = now.replaced.get(address);
      if (old !== undefined && flat(value).length <= LISTED) line.append(element("s", {}, short(old)), " → ");
      line.append(element("b", { "data-callout": address }, begun(value)));
      return line;
    });
  }

  /** The first numbers of a value, and its shape if there are more. */
  function begun(value) {
    const numbers = flat(value);
    return numbers.length <= LISTED ? short(value) : `${numbers.slice(0, 3).map(show).join(", ")}, … (${sizeOf(value)})`;
  }

  function placeCallout() {
    const node = now && places.get(standing(now.node)), callout = find("#callout");
    if (!node) return;
    const stage = canvas.getBoundingClientRect();
    const x = view.x + view.zoom * (node.x + node.width / 2), y = view.y + view.zoom * node.y;
    const inside = x > 0 && x < stage.width && y > -20 && y < stage.height;
    callout.style.visibility = inside ? "visible" : "hidden";
    const half = callout.offsetWidth / 2 + 4;
    callout.style.left = `${Math.max(half, Math.min(stage.width - half, x))}px`;
    callout.style.top = `${Math.max(callout.offsetHeight + 10, y)}px`;
  }

  function showCaption() {
    find("#where").textContent = now.where;
    find("#where").className = now.phase;
    find("#node").textContent = now.node ?? "";
    const cost = source.costAt(now);
    find("#cost").textContent = [cost === undefined ? "" : `cost ${show(cost)}`, source.note()].filter(Boolean).join(" · ");
    const formula = find("#formula");
    formula.textContent = now.formula;
    formula.dataset.step = now.number;
    find("#remark").textContent = now.remark;
    const scrub = find("#scrub");
    scrub.max = source.last();
    scrub.value = now.number;
    scrub.setAttribute("aria-valuetext", `${now.where}, ${now.node ?? "start"}`);
    find("#timeline").style.setProperty("--done", now.number / Math.max(source.last(), 1));
  }

  /** The node whose values are listed: the one that was clicked, or the one that is evaluated. */
  function showPanel() {
    const key = pinned ?? now.node ?? source.next(), node = nodes.get(key), panel = find("#values");
    const heading = element("h2", {}, key, element("small", {}, node.type));
    if (pinned) {
      const close = element("button", { "aria-label": `Follow the steps instead of ${key}` }, "×");
      close.addEventListener("click", () => pin(null));
      heading.append(close);
    }
    const parts = [heading, element("p", {}, node.formula)];
    const given = (address) => (key === now.node && now.replaced.has(address) ? now.replaced : now.values).get(address);
    const before = key === now.node && now.given ? now.given : given;
    for (const [name, source, fed] of node.reads) parts.push(...portRow("input", name, `${fed ? "⤺" : "←"} ${source}`, before(source), `${key}.${name}`));
    for (const [address] of node.outputs) parts.push(...portRow("output", address.slice(key.length + 1), "", now.values.get(address), address));
    if (key === now.node) for (const sentence of now.shares ?? []) parts.push(element("p", { class: "share" }, sentence));
    panel.replaceChildren(...parts);
  }

  function portRow(kind, name, from, value, address) {
    if (value === undefined) return [];
    const age = now.age(from ? nodeOf(from.slice(2)) : nodeOf(address));
    const head = element("div", { class: `port ${kind}${age && " old"}` }, element("b", {}, name), from, element("small", {}, sizeOf(value)), ...(age ? [element("small", {}, `(${age})`)] : []));
    return [head, element("pre", { [`data-${kind}`]: address, tabindex: "0", "aria-label": `${kind} ${name}` }, written(value))];
  }

  function pin(key) {
    drawn.get(pinned)?.group.classList.remove("pinned");
    pinned = key === pinned ? null : key;
    drawn.get(pinned)?.group.classList.add("pinned");
    if (!now) return;
    showPanel();
    for (const shown of watching) shown(now);
  }

  let logged = null;

  /** The steps of the pass in view; of a long one those around the moment. */
  async function showLog() {
    const log = find("#log"), at = now.number, pass = await source.pass(at);
    if (at !== now.number || signal.aborted) return;
    if (logged?.key !== pass.key) {
      logged = pass;
      log.replaceChildren();
      let phase = null;
      for (const step of pass.steps) {
        if (hidden.has(step.node)) continue;
        if (step.phase !== phase) log.append(element("li", { class: `phase ${step.phase}` }, step.phase));
        ({ phase } = step);
        const button = element("button", { "data-log": step.number, tabindex: "-1" }, element("b", {}, step.node), " ", element("span"));
        log.append(element("li", {}, button));
      }
    }
    for (const step of pass.steps) {
      const button = log.querySelector(`[data-log="${step.number}"]`);
      if (!button) continue; // it is hidden
      if (button.title !== step.formula) button.lastChild.textContent = button.title = step.formula;
    }
    log.querySelector("[aria-current]")?.removeAttribute("aria-current");
    for (const button of log.querySelectorAll("button[tabindex='0']")) button.tabIndex = -1;
    const current = log.querySelector(`[data-log="${now.number}"]`) ?? log.querySelector("button");
    if (!current) return;
    current.tabIndex = 0;
    if (Number(current.dataset.log) !== now.number) return;
    current.setAttribute("aria-current", "step");
    const row = current.parentElement;
    if (row.offsetTop < log.scrollTop + 30 || row.offsetTop > log.scrollTop + log.clientHeight - 60) {
      log.scrollTop = row.offsetTop - log.clientHeight / 3;
    }
  }

  find("#log").addEventListener("click", (event) => {
    const button = event.target.closest("[data-log]");
    if (button) { pause(); goto(Number(button.dataset.log)); }
  });

  // --- numbers on their way -----------------------------------------------------------------------

  let flight = 0;

  /** Let what the step was given travel along its wires, for so many milliseconds. */
  function fly(duration) {
    cancelAnimationFrame(flight);
    tokens.replaceChildren();
    if (!duration) return;
    const flying = [];
    for (const wire of wires) {
      const value = (now.replaced.has(wire.from) ? now.replaced : now.values).get(wire.from);
      if (nodeOf(wire.to) !== now.node || value === undefined || flying.length >= 24) continue;
      const words = short(value), half = words.length * 3.6 + 8;
      const outline = wire.kind === "backward" // an arrow in the direction of blame
        ? `M${-half - 9} 0L${-half} -10H${half}V10H${-half}Z`
        : `M${-half + 6} -10H${half - 6}a10 10 0 0 1 0 20H${-half + 6}a10 10 0 0 1 0 -20Z`;
      const token = shape("g", { class: `token ${wire.kind}`, "data-token": wire.from }, shape("path", { d: outline }), text(0, 4, words));
      tokens.append(token);
      const line = wire.grip ? wire.line : shape("path", { d: wire.way });
      flying.push({ token, line, length: line.getTotalLength() });
    }
    const begun = performance.now();
    const move = (time) => {
      const part = Math.min(1, Math.max(0, time - begun) / duration);
      if (part >= 1) return tokens.replaceChildren();
      const along = still.matches ? 0.5 : part * part * (3 - 2 * part);
      for (const { token, line, length } of flying) {
        const { x, y } = line.getPointAtLength(along * length);
        token.setAttribute("transform", `translate(${x} ${y}) scale(${Math.min(1 / view.zoom, 5)})`);
      }
      flight = requestAnimationFrame(move);
    };
    move(begun);
  }

  // --- values under the pointer -------------------------------------------------------------------

  let hovered = null;
  canvas.addEventListener("pointermove", (event) => {
    const target = event.target.closest("[data-port], [data-wire], [data-bundle], [data-node]");
    hovered = target && { event, target };
    showTip();
  });
  canvas.addEventListener("pointerleave", () => { hovered = null; showTip(); });

  function showTip() {
    const tip = find("#tip");
    const told = hovered && now && !(pointers.size && dragged) ? tipOf(hovered.target.dataset) : null;
    tip.hidden = !told;
    if (!told) return;
    tip.replaceChildren(element("b", {}, told.title), ...told.values.map(([address, value]) =>
      element("pre", { "data-value": address }, `${sizeOf(value)}\n${written(value)}`)));
    const stage = canvas.getBoundingClientRect(), { clientX, clientY } = hovered.event;
    tip.style.left = `${Math.max(4, Math.min(clientX - stage.left + 14, stage.width - tip.offsetWidth - 6))}px`;
    tip.style.top = `${Math.max(4, Math.min(clientY - stage.top + 16, stage.height - tip.offsetHeight - 6))}px`;
  }

  function tipOf({ port, wire, bundle, from, node }) {
    const valued = (addresses) => addresses.filter((address) => now.values.has(address)).map((address) => [address, now.values.get(address)]);
    if (bundle) return { title: bundle, values: valued([from]) };
    if (wire) {
      const found = wires.find((each) => `${each.from} -> ${each.to}` === wire);
      const [address, place] = found.weighs ?? [];
      const weight = address === undefined ? undefined : flat(now.values.get(address) ?? [])[place];
      const title = wire.replace(" -> ", " → ") + (weight === undefined ? "" : `, weight ${exactly(weight)}`);
      return { title, values: valued([found.from]) };
    }
    if (port) {
      const key = [...nodes.keys()].find((each) => [...nodes.get(each).inputs, ...nodes.get(each).outputs].some(([address]) => address === port));
      const sources = nodes.get(key).reads.filter(([name]) => `${key}.${name}` === port || `${key}.${name}`.startsWith(`${port}[`)).map(([, source]) => source);
      return { title: sources.length ? `${port} ← ${sources.join(", ")}` : port, values: valued(sources.length ? sources : [port]) };
    }
    const { type, formula, outputs } = nodes.get(node);
    return { title: `${node} (${type})${formula ? `: ${formula}` : ""}`, values: valued(outputs.map(([address]) => address)) };
  }

  // --- playing ------------------------------------------------------------------------------------

  const player = { playing: false, level: LEVELS.includes(index.level) ? index.level : "step", speed: 2, timer: 0 };

  async function beat() {
    if (!player.playing) return;
    const begun = performance.now(), period = 1000 / player.speed;
    try {
      await goto(source.boundary(now.number, player.level, 1), { flying: period >= SLOWEST_TO_FLY ? 0.7 * period : 0 });
      if (now.number >= source.last() || source.stops(now)) return pause();
    } catch (error) {
      pause();
      throw error;
    }
    if (player.playing) player.timer = setTimeout(beat, Math.max(0, begun + period - performance.now()));
  }

  function play() {
    if (player.playing) return;
    player.playing = true;
    showPlaying();
    if (now.number >= source.last()) goto(0).then(beat);
    else beat();
  }

  function pause() {
    player.playing = false;
    clearTimeout(player.timer);
    showPlaying();
  }

  function showPlaying() {
    const button = find("#play");
    button.classList.toggle("playing", player.playing);
    button.setAttribute("aria-label", player.playing ? "Pause" : "Play");
    find("#caption").setAttribute("aria-live", player.playing ? "off" : "polite"); // a step by hand is read out
  }

  /** Move by hand: by one step with its numbers flying, or by a beat. */
  function move(way, level = "step") {
    pause();
    return goto(source.boundary(now.number, level, way), { flying: way > 0 && level === "step" ? 600 : 0 });
  }

  function setLevel(level) {
    player.level = find("#level").value = level;
  }

  function setSpeed(power) {
    const slider = find("#speed");
    slider.value = power;
    player.speed = 2 ** Number(slider.value);
    find("#rate").textContent = `${Number(player.speed.toPrecision(2))} /s`;
  }

  // --- controls -----------------------------------------------------------------------------------

  let folded = false;

  /** Hide the backward pass behind its trainer, or show it as nodes. */
  function toggleFold() {
    if (!index.folded) return;
    folded = !folded;
    draw(folded ? index.folded : index);
    find("#fold").textContent = folded ? "Unfold" : "Fold";
    find("#fold").setAttribute("aria-pressed", String(folded));
    fit();
    if (pinned) drawn.get(pinned)?.group.classList.add("pinned");
    if (now) present(now);
  }

  function toggleTheme() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    if (now) present(now); // pictures have the colours of a theme
  }

  function toggleSide(open = root.classList.contains("narrow")) {
    root.classList.toggle("narrow", !open);
    find("#side").setAttribute("aria-expanded", String(open));
  }

  const actions = {
    play: () => (player.playing ? pause() : play()),
    next: () => move(1), previous: () => move(-1),
    forth: () => move(1, player.level), back: () => move(-1, player.level),
    fit, fold: toggleFold, theme: toggleTheme, side: () => toggleSide(), help: () => find("#keys").showModal(),
  };
  for (const [id, act] of Object.entries(actions)) find(`#${id}`).addEventListener("click", () => act());
  find("#level").addEventListener("change", (event) => setLevel(event.target.value));
  find("#speed").addEventListener("input", (event) => setSpeed(event.target.value));
  find("#scrub").addEventListener("input", (event) => { pause(); goto(Number(event.target.value)); });

  const keys = {
    " ": actions.play, f: fit, u: toggleFold, t: toggleTheme, v: actions.side, "?": actions.help,
    Home: () => { pause(); goto(0); }, End: () => { pause(); goto(source.last()); },
    "+": () => setSpeed(Number(find("#speed").value) + 0.5), "-": () => setSpeed(Number(find("#speed").value) - 0.5),
  };
  root.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || find("#keys").open) return;
    if (at.matches("select, #speed, input:not(#scrub), textarea") || (event.key === " " && at.matches("button"))) return;
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const act = way ? () => move(way, event.shiftKey ? player.level : "step")
      : LEVELS[Number(event.key) - 1] ? () => setLevel(LEVELS[Number(event.key) - 1])
      : keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }, { signal });


  /** A cost, or several futures of it, over the bar, and a mark at each epoch. */
  function drawCurve() {
    const curve = find("#curve"), last = Math.max(source.last(), 1), { lines, epochs } = source.curve();
    curve.setAttribute("viewBox", "0 0 1000 100");
    curve.replaceChildren();
    const every = Math.ceil(epochs.length / 40);
    for (let at = every; at < epochs.length; at += every) {
      curve.append(shape("path", { class: "epoch", d: `M${(1000 * epochs[at]) / last} 0V100` }));
    }
    const known = lines.map(({ points, kind }) => ({ points: points.filter(([, cost]) => Number.isFinite(cost)), kind }));
    const most = Math.max(...known.flatMap(({ points }) => points.map(([, cost]) => cost)), 0) || 1;
    for (const { points, kind } of known) {
      if (points.length < 2) continue;
      const line = points.map(([x, cost]) => `${((1000 * x) / last).toFixed(2)} ${(96 - (88 * cost) / most).toFixed(2)}`).join("L");
      const [left, right] = [points[0][0], points.at(-1)[0]].map((x) => ((1000 * x) / last).toFixed(2));
      if (kind === "cost") curve.append(shape("path", { class: "area", d: `M${left} 100L${line}L${right} 100Z` }));
      curve.append(shape("path", { class: kind, d: `M${line}` }));
    }
  }

  // --- begin --------------------------------------------------------------------------------------

  find("#fold").hidden = !index.folded;
  find("#scrub").max = source.last();
  drawCurve();
  setLevel(player.level);
  setSpeed(1);
  const small = matchMedia("screen and (max-width: 760px)");
  small.addEventListener("change", () => toggleSide(!small.matches), { signal });
  toggleSide(!small.matches);
  fit();

  /** Show the first moment; a small screen follows the steps from near. */
  async function open(number) {
    await goto(number);
    if (small.matches && view.zoom < FAR) {
      zoomAbout(0, 0, 0.6 / view.zoom);
      follow(now.node ?? source.next(), 0); // there is nothing yet to come from
    }
  }

  return {
    hasInside: (key) => drawn.has(key), areaOf,
    fill: (key, made, foot, number) => {
      const { inside, foot: below } = drawn.get(key);
      inside.replaceChildren(...made);
      inside.dataset.moment = number; // of which what is drawn tells
      below.textContent = fitting(foot || places.get(key).foot, Math.floor((places.get(key).width - 20) / 6));
    },
    open, end: () => { pause(); ending.abort(); }, goto: (number) => { pause(); return goto(number); }, present, play, pause, drawCurve, watching, pin, move, keys,
    get now() { return now; },
    get pinned() { return pinned; },
    get playing() { return player.playing; },
    get ended() { return signal.aborted; },
  };
}
