// Shows a page in a notebook, and keeps what it stands for the same on both sides.
//
// The page lies in a frame of its own: neither style nor keys of page and notebook meet. `_state` is
// all that a moment follows from; whichever side changes it, the other one takes it up.

const EVERY = 150; // milliseconds between two messages while a network trains

async function textOf(packed) {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
}

/** A value as its shape and the bytes of its float64: −0 and NaN are not lost. */
function packed(value) {
  const shape = [];
  for (let part = value; Array.isArray(part); part = part[0]) shape.push(part.length);
  const bytes = new Uint8Array(Float64Array.from([value].flat(Infinity)).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { shape, data: btoa(text) };
}

/** Link a frame with the model; returns what ends it. */
function linked(model, frame) {
  let page = null, told = null, timer = 0, shown = null;

  async function follow() {
    const state = JSON.stringify(model.get("_state"));
    if (!page || state === told || (model.get("_state").page ?? null) !== shown) return;
    told = state;
    try {
      await page.takeUp(JSON.parse(state));
    } catch (error) {
      frame.contentWindow.complain?.(error.message);
    }
  }

  function tell() {
    timer = 0;
    if (!page) return; // another one is opened
    const state = JSON.stringify({ ...page.state(), page: shown });
    if (state === told) return;
    told = state;
    model.set("_state", JSON.parse(state));
    model.set("moment", page.moment());
    if (page.weights) model.set("weights", Object.fromEntries(Object.entries(page.weights()).map(([key, value]) => [key, packed(value)])));
    model.save_changes();
  }

  async function opened() {
    const found = frame.contentWindow?.nodeflow;
    if (!found) return;
    await found.ready;
    page = frame.contentWindow.nodeflow;
    [told, shown] = [null, model.get("_state").page ?? null];
    await follow();
    page.watch(() => { timer ||= setTimeout(tell, EVERY); });
  }

  async function show() {
    page = null;
    frame.srcdoc = await textOf(model.get("_page"));
  }

  frame.addEventListener("load", opened);
  model.on("change:_page", show);
  model.on("change:_state", follow);
  if (frame.srcdoc) opened();
  else show();
  return () => {
    clearTimeout(timer);
    frame.removeEventListener("load", opened);
    model.off("change:_page", show);
    model.off("change:_state", follow);
  };
}

/** Link the frames that lie in a notebook's output as HTML, as they come. */
function initialize({ model }) {
  const id = model.get("_id"), ends = new Map();
  const link = (frame) => { if (!ends.has(frame)) ends.set(frame, linked(model, frame)); };
  const came = ({ detail }) => { if (detail.dataset.nodeflow === id) link(detail); };
  for (const frame of document.querySelectorAll("iframe[data-nodeflow]")) came({ detail: frame });
  addEventListener("nodeflow", came);
  return () => {
    removeEventListener("nodeflow", came);
    for (const end of ends.values()) end();
  };
}

/** Show the page where a notebook makes a view of the widget. */
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.title = model.get("_title");
  frame.style.cssText = `display: block; width: 100%; height: ${model.get("height")}px; border: 0`;
  el.append(frame);
  return linked(model, frame);
}

export default { initialize, render };
