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

/** Keep an opened page and the model the same; returns what ends it. */
function joined(model, page) {
  const token = page.page; // which of the widget's pages it is: the model may be a step ahead
  let agreed = null; // the state that both sides have
  let timer = 0, following = false, over = false;

  /** Take up what the other side says; of several states that came meanwhile only the newest. */
  async function follow() {
    if (following) return;
    following = true;
    for (;;) {
      const wanted = model.get("_state"), state = JSON.stringify(wanted);
      if (over || state === agreed || wanted.page !== token) break;
      agreed = state;
      await page.takeUp(JSON.parse(state)).catch(sendSoon); // the page says what it is; the other side hears where it stands
    }
    following = false;
  }

  function send() {
    timer = 0;
    if (following) return sendSoon(); // it is between two moments
    const state = JSON.stringify({ ...page.state(), page: token });
    if (state === agreed) return;
    agreed = state;
    model.set("_state", JSON.parse(state));
    model.set("moment", page.moment());
    model.set("weights", Object.fromEntries(Object.entries(page.weights()).map(([key, value]) => [key, packed(value)])));
    model.save_changes();
  }

  function sendSoon() { if (!over) timer ||= setTimeout(send, EVERY); }

  model.on("change:_state", follow);
  follow().then(() => page.watch(sendSoon));
  return () => {
    over = true;
    clearTimeout(timer);
    model.off("change:_state", follow);
  };
}

/** Link a frame with the model, whichever page it shows; returns what ends it. */
function linked(model, frame) {
  let leave = () => {}, opens = 0;

  function left() {
    leave();
    leave = () => {};
    return ++opens;
  }

  async function opened() {
    const mine = left(), found = frame.contentWindow?.nodeflow;
    if (!found?.ready) return; // nothing is shown yet
    await found.ready;
    if (mine !== opens || !found.takeUp) return; // a recording has no state
    if (found.page === model.get("_state").page) leave = joined(model, found);
    else await show(); // the cell's output has a page that is no longer this one
  }

  async function show() {
    const mine = left(), text = await textOf(model.get("_page"));
    if (mine === opens) frame.srcdoc = text;
  }

  frame.addEventListener("load", opened);
  model.on("change:_page", show);
  if (frame.srcdoc) opened();
  else show();
  return () => {
    left();
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
