// Views, drawn into their nodes again wherever the run goes.

const drawers = { ...tables, ...charts }; // by node type

/** Keep the views of a player up to date; the slow ones when there is time. */
function showingViews(root, run, index, view) {
  const sight = seeing(run, index);
  let busy = false, again = false;

  function colours(name) {
    const text = getComputedStyle(root).getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  }

  async function draw(slow) {
    for (const [key, { type }] of Object.entries(sight.nodes)) {
      if (SLOW.has(type) !== slow || !view.hasInside(key)) continue;
      const { number } = view.now, found = await sight.look(key);
      if (view.ended) return;
      if (!view.hasInside(key)) continue; // it was folded away meanwhile
      const area = view.areaOf(key), [made, foot] = found === null ? [[], ""] : found.why ? [sentenceIn(found.why, area), ""] : drawers[type](found, area, colours);
      view.fill(key, made, foot, number);
    }
  }

  async function refresh() {
    sight.remember();
    await draw(false);
    if (busy) { again = true; return; }
    busy = true;
    try {
      do {
        again = false;
        await draw(true);
        await new Promise((then) => setTimeout(then, 50));
      } while (again && !view.ended);
    } finally {
      busy = false;
    }
  }

  if (Object.keys(sight.nodes).length) view.watching.push(refresh);
  return sight;
}
