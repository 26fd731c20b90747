// A page with a recording.

const root = document.body;
document.documentElement.dataset.begun = "";
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => complain(root, toldOf(event)));
}

async function start() {
  const run = await jsonOf("index"), source = recording(run, jsonOf), view = mount(root, run, source);
  await view.open(0);
  Object.defineProperties(window.nodeflow, Object.getOwnPropertyDescriptors(recordedApi(run, source, view)));
  document.documentElement.dataset.ready = "";
}

const { begin } = window.nodeflow;
delete window.nodeflow.begin;
begin(start());
