// A page with a recording.

const root = document.body;
document.documentElement.dataset.begun = "";
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => complain(root, toldOf(event)));
}
const run = await jsonOf("index"), source = recording(run, jsonOf), view = mount(root, run, source);
await view.open(0);
window.nodeflow = recordedApi(run, source, view);
document.documentElement.dataset.ready = "";
