// Opens the program of the page, which lies packed in it: that makes the page a good deal smaller.
//
// `window.nodeflow` is there at once; the program says what `ready` waits for.

window.nodeflow = {};
window.nodeflow.ready = new Promise((begin) => { window.nodeflow.begin = begin; });
addEventListener("message", ({ data }) => { // who has this page in a frame may say its theme
  if (["light", "dark"].includes(data?.theme)) document.body.dataset.theme = data.theme;
});
const program = document.createElement("script");
program.type = "module";
program.textContent = await textOf("program");
document.head.append(program);
