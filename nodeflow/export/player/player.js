// Plays a run on the drawing of a graph: `mount(root, index, source)`.
//
// `root` is an element with the player's markup in it, `index` the drawing, `source` the run that
// is played: a recording (recorded.js), or an engine that computes (live.js). Whatever belongs to
// one player is found below its root, so that a page may have several.

/** A player in a root; what it draws may be another form of the graph than the one that is run. */
function mount(root, index, source) {
  const find = (selector) => root.querySelector(selector);
  const nodes = new Map(Object.entries({ ...index.folded?.nodes, ...index.nodes }));
  const hidden = new Set(index.hidden ?? []); // by a lesson

  const ending = new AbortController(), { signal } = ending; // of what listens outside of the player
  const canvas = find("#canvas"), picture = picturing(canvas, index, hidden);
  let callout = null;
  const camera = looking(canvas, picture, { signal, moved: () => callout?.place(), clicked: pin });
  callout = callingOut(canvas, find("#callout"), picture, camera, nodes);
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
    callout.point(now, forward);
    showCaption(root, source, now);
    showPanel();
    showLog(now);
    showTip();
    if (now.node !== null) camera.follow(now.node, Math.min(300, 500 / player.speed));
    fly(now, duration);
    for (const shown of watching) shown(now);
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

  const player = new Playing(root, source, index.levels.includes(index.level) ? index.level : "step", { goto, now: () => now });
  const pause = () => player.pause();

  /** Move by hand: by one step with its numbers flying, or by a beat. */
  function move(way, level = "step") {
    pause();
    return goto(source.boundary(now.number, level, way), { flying: way > 0 && level === "step" ? 600 : 0 });
  }

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

  const { keys, small } = controlling(root, index, source, player, {
    signal, move, fit: camera.fit, fold: toggleFold, goto: (number) => { pause(); goto(number); }, again: () => { if (now) present(now); },
  });

  // --- begin --------------------------------------------------------------------------------------

  find("#fold").hidden = !index.folded;
  find("#scrub").max = source.last();
  drawCurve(find("#curve"), source);
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
    open, end: () => { pause(); ending.abort(); }, goto: (number) => { pause(); return goto(number); }, present, play: () => player.play(), pause, drawCurve: () => drawCurve(find("#curve"), source), watching, pin, move, keys,
    get now() { return now; },
    get pinned() { return pinned; },
    get playing() { return player.playing; },
    get ended() { return signal.aborted; },
  };
}
