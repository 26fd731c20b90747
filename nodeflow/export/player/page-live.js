// A page that computes.

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
