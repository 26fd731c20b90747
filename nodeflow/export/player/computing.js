// An element becomes a player of a graph that computes.

/**
 * Make an element a player; returns what it offers to scripts (as `window.nodeflow` does), `follow`,
 * which takes up the part of an address that `link` made, `refresh`, which draws what is now, and
 * `end`, which leaves the element to another player.
 *
 * `index` is plain data and `parts` bytes by name: what `nodeflow.export.live.data` returns. An
 * element that has no markup yet is given it. `arrive` takes the run to where it stands at first.
 */
async function computing(root, { index, parts, markup = "", arrive = null }) {
  if (markup && !root.querySelector("#canvas")) root.innerHTML = markup;
  root.classList.add("nodeflow");
  if (parts.ziggurat) readZiggurat(parts.ziggurat);
  const run = await Run.made(index.forms, parts);
  arrive?.(run);
  index.explained = explained(index);
  const source = live(run, index), view = mount(root, index, source);
  const { api, follow, refresh, lesson } = changing(root, index, run, source, view), sight = showingViews(root, run, index, view);
  mapping(root, run, index, view);
  /** What a view shows, as plain data. */
  api.view = (key) => sight.look(key);
  await view.open(arrive ? run.number : index.begin);
  return { api, follow, refresh, lesson, run, pieces: index.pieces ?? {}, end: () => { run.stop(); view.end(); } };
}
