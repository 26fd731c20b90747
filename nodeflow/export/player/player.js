// Plays a run on the drawing of a graph: `mount(root, index, source)`.
//
// `root` is an element with the player's markup in it, `index` the drawing, `source` the run that
// is played: a recording (recorded.js), or an engine that computes (live.js). Whatever belongs to
// one player is found below its root, so that a page may have several.

const SLOWEST_TO_FLY = 120; // milliseconds of a beat in which numbers can still be seen to fly

/** A player in a root; what it draws may be another form of the graph than the one that is run. */
function mount(root, index, source) {
  const find = (selector) => root.querySelector(selector);
  const LEVELS = index.levels;
  const nodes = new Map(Object.entries({ ...index.folded?.nodes, ...index.nodes }));
  const hidden = new Set(index.hidden ?? []); // by a lesson

  const ending = new AbortController(), { signal } = ending; // of what listens outside of the player
  const canvas = find("#canvas"), picture = picturing(canvas, index, hidden);
  const camera = looking(canvas, picture, { signal, moved: placeCallout, clicked: pin });
  const fly = flying(picture, camera), showTip = tipping(canvas, find("#tip"), picture, camera, nodes, () => now);
  const showLog = listingSteps(find("#log"), source, hidden, (number) => { pause(); goto(number); });

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
  function present(moment, duration = 0) {
    if (signal.aborted) return;
    asked++;
    const forward = now !== null && moment.number === now.number + 1;
    now = moment;
    picture.showValues(now);
    showActive(forward);
    showCaption();
    showPanel();
    showLog(now);
    showTip();
    if (now.node !== null) camera.follow(now.node, Math.min(300, 500 / player.speed));
    fly(now, duration);
    for (const shown of watching) shown(now);
  }

  function showActive(forward) {
    for (const old of canvas.querySelectorAll(".active, .changed")) old.classList.remove("active", "changed");
    const callout = find("#callout");
    const group = picture.drawn.get(picture.standing(now.node))?.group;
    callout.hidden = !group;
    if (!group) return;
    group.classList.add("active", now.phase);
    const active = new Set(picture.wires.filter((wire) => nodeOf(wire.to) === picture.standing(now.node)).flatMap((wire) => wire.lines));
    for (const line of picture.lines) line.classList.toggle("active", active.has(line));
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
    const node = now && picture.places.get(picture.standing(now.node)), callout = find("#callout");
    if (!node) return;
    const stage = canvas.getBoundingClientRect();
    const [x, y] = camera.onScreen(node.x + node.width / 2, node.y);
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

  /** The values of the node that was clicked, or of the one that is evaluated. */
  function showPanel() {
    const key = pinned ?? now.node ?? source.next();
    find("#values").replaceChildren(...valuesOf(key, nodes.get(key), now, pinned && (() => pin(null))));
  }

  function pin(key) {
    picture.drawn.get(pinned)?.group.classList.remove("pinned");
    pinned = key === pinned ? null : key;
    picture.drawn.get(pinned)?.group.classList.add("pinned");
    if (!now) return;
    showPanel();
    for (const shown of watching) shown(now);
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
    picture.draw(folded ? index.folded : index);
    find("#fold").textContent = folded ? "Unfold" : "Fold";
    find("#fold").setAttribute("aria-pressed", String(folded));
    camera.fit();
    if (pinned) picture.drawn.get(pinned)?.group.classList.add("pinned");
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
    fit: camera.fit, fold: toggleFold, theme: toggleTheme, side: () => toggleSide(), help: () => find("#keys").showModal(),
  };
  for (const [id, act] of Object.entries(actions)) find(`#${id}`).addEventListener("click", () => act());
  find("#level").addEventListener("change", (event) => setLevel(event.target.value));
  find("#speed").addEventListener("input", (event) => setSpeed(event.target.value));
  find("#scrub").addEventListener("input", (event) => { pause(); goto(Number(event.target.value)); });

  const keys = {
    " ": actions.play, f: camera.fit, u: toggleFold, t: toggleTheme, v: actions.side, "?": actions.help,
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
  const small = matchMedia("screen and (max-width: 760px), screen and (max-height: 480px)");
  small.addEventListener("change", () => toggleSide(!small.matches), { signal });
  toggleSide(!small.matches);
  camera.fit();

  /** Show the first moment; a small screen follows the steps from near. */
  async function open(number) {
    await goto(number);
    if (small.matches && camera.zoom < FAR) {
      camera.zoomAbout(0, 0, 0.6 / camera.zoom);
      camera.follow(now.node ?? source.next(), 0); // there is nothing yet to come from
    }
  }

  return {
    hasInside: (key) => picture.drawn.has(key), areaOf: picture.areaOf,
    fill: (key, made, foot, number) => {
      const { inside, foot: below } = picture.drawn.get(key);
      inside.replaceChildren(...made);
      inside.dataset.moment = number; // of which what is drawn tells
      below.textContent = fitting(foot || picture.places.get(key).foot, Math.floor((picture.places.get(key).width - 20) / 6));
    },
    open, end: () => { pause(); ending.abort(); }, goto: (number) => { pause(); return goto(number); }, present, play, pause, drawCurve, watching, pin, move, keys,
    get now() { return now; },
    get pinned() { return pinned; },
    get playing() { return player.playing; },
    get ended() { return signal.aborted; },
  };
}
