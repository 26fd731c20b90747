// A page that computes.

/** Make an element a player of a graph that computes; returns what it offers to scripts. */
async function computing(root, { index, parts }) {
  if (parts.ziggurat) readZiggurat(parts.ziggurat);
  const run = await Run.made(index.forms, parts);
  index.explained = explained(index);
  const source = live(run, index), view = mount(root, index, source);
  const { api, follow, refresh } = changing(root, index, run, source, view);
  await view.open(index.begin);
  return { api, follow, refresh };
}

const root = document.body;
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => complain(root, event.reason?.message ?? `This page cannot go on: ${event.message ?? event.reason}. A newer browser may help.`));
}
window.nodeflow = {
  ready: (async () => {
    const index = await jsonOf("index");
    const parts = Object.fromEntries(await Promise.all(index.parts.map(async (name) => [name, await bytesOf(name)])));
    const { api, follow, refresh } = await computing(root, { index, parts });
    Object.defineProperties(window.nodeflow, Object.getOwnPropertyDescriptors(api));
    try {
      await follow(location.hash);
    } catch (error) {
      complain(root, error.message);
    }
    addEventListener("hashchange", () => follow(location.hash).then(refresh, (error) => { complain(root, error.message); refresh(); }));
    refresh();
    window.nodeflow.opened = performance.now();
    document.documentElement.dataset.ready = "";
  })(),
};
await window.nodeflow.ready;
