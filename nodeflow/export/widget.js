// Shows a page in a notebook, and keeps what it stands for the same on both sides.
//
// The page lies in a frame of its own: neither style nor keys of page and notebook meet. `_state` is
// all that a moment follows from; whichever side changes it, the other one takes it up. They speak
// through a port, since a frame may have an origin of its own.

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

/**
 * Keep an opened page and the model the same, by a port; returns what ends it. The page is this one
 * of the widget's: the model may be a step ahead.
 */
function joined(model, port, name) {
  let agreed = null; // the state that both sides have
  let number = 0; // of the last state that the page was told

  function follow() {
    const wanted = model.get("_state"), state = JSON.stringify(wanted);
    if (state === agreed || wanted.page !== name) return;
    agreed = state;
    port.postMessage({ number: ++number, state });
  }

  port.onmessage = ({ data: { seen, state, moment, weights } }) => {
    if (seen < number) return; // it was under way when the model changed
    agreed = state;
    model.set("_state", JSON.parse(state));
    model.set("moment", moment);
    model.set("weights", Object.fromEntries(Object.entries(weights).map(([key, value]) => [key, packed(value)])));
    model.save_changes();
  };
  model.on("change:_state", follow);
  follow();
  return () => model.off("change:_state", follow);
}

/** Link a frame with the model, whichever page it shows; returns what ends it. */
function linked(model, frame) {
  let leave = () => {};
  let shows = 0; // the frame may load while a page is unpacked: one that is put into a document late does

  function left() {
    leave();
    leave = () => {};
  }

  /** Hand the page a port: where frames have origins of their own, it cannot be asked itself. */
  function opened() {
    left();
    const { port1: port, port2: theirs } = new MessageChannel();
    let end = () => {};
    leave = () => {
      end();
      port.postMessage(null); // it is over
      port.close();
    };
    port.onmessage = ({ data: { page } }) => { // a page that computes is ready, and says which one it is
      if (page === model.get("_state").page) end = joined(model, port, page);
      else show(); // the cell's output has a page that is no longer this one
    };
    frame.contentWindow?.postMessage({ join: true }, "*", [theirs]);
  }

  async function show() {
    left();
    const mine = ++shows, text = await textOf(model.get("_page"));
    if (mine === shows) frame.srcdoc = text;
  }

  frame.addEventListener("load", opened);
  model.on("change:_page", show);
  if (frame.srcdoc) opened();
  else show();
  return () => {
    left();
    shows++;
    frame.removeEventListener("load", opened);
    model.off("change:_page", show);
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

/** Show the page where a notebook makes a view of the widget, unless it lies beside it as HTML. */
function render({ model, el }) {
  if (model.get("_beside") && document.querySelector(`iframe[data-nodeflow="${model.get("_id")}"]`)) return undefined;
  const frame = document.createElement("iframe");
  frame.title = model.get("_title");
  frame.style.cssText = `display: block; width: 100%; height: ${model.get("height")}px; border: 0`;
  el.append(frame);
  return linked(model, frame);
}

export default { initialize, render };
