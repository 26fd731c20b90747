// Opens the program of the page, which lies packed in it: that makes the page a good deal smaller.
//
// `window.nodeflow` is there at once; the program says what `ready` waits for.

window.nodeflow = {};
window.nodeflow.ready = new Promise((begin) => { window.nodeflow.begin = begin; });
addEventListener("message", ({ data, ports }) => { // who has this page in a frame may say its theme, and follow it
  if (["light", "dark"].includes(data?.theme)) document.body.dataset.theme = data.theme;
  if (data?.join && ports[0]) window.nodeflow.ready.then(() => window.nodeflow.join?.(ports[0]));
});
const program = document.createElement("script");
program.type = "module";
program.textContent = await textOf("program");
document.head.append(program);
