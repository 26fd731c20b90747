// The values under the pointer.

/** Show what the pointer is over in an element; `seen` gives the moment in view. Returns what shows it anew. */
function tipping(canvas, tip, picture, camera, nodes, seen) {
  let hovered = null, now = null;
  canvas.addEventListener("pointermove", (event) => {
    const target = event.target.closest("[data-port], [data-wire], [data-bundle], [data-node]");
    hovered = target && { event, target };
    showTip();
  });
  canvas.addEventListener("pointerleave", () => { hovered = null; showTip(); });

  function showTip() {
    now = seen();
    const told = hovered && now && !camera.isDragging() ? tipOf(hovered.target.dataset) : null;
    tip.hidden = !told;
    if (!told) return;
    tip.replaceChildren(element("b", {}, told.title), ...told.values.map(([address, value]) =>
      element("pre", { "data-value": address }, `${sizeOf(value)}\n${written(value)}`)));
    const stage = canvas.getBoundingClientRect(), { clientX, clientY } = hovered.event;
    tip.style.left = `${Math.max(4, Math.min(clientX - stage.left + 14, stage.width - tip.offsetWidth - 6))}px`;
    tip.style.top = `${Math.max(4, Math.min(clientY - stage.top + 16, stage.height - tip.offsetHeight - 6))}px`;
  }

  function tipOf({ port, wire, bundle, from, node }) {
    const valued = (addresses) => addresses.filter((address) => now.values.has(address)).map((address) => [address, now.values.get(address)]);
    if (bundle) return { title: bundle, values: valued([from]) };
    if (wire) {
      const found = picture.wires.find((each) => `${each.from} -> ${each.to}` === wire);
      const [address, place] = found.weighs ?? [];
      const weight = address === undefined ? undefined : flat(now.values.get(address) ?? [])[place];
      const title = wire.replace(" -> ", " → ") + (weight === undefined ? "" : `, weight ${exactly(weight)}`);
      return { title, values: valued([found.from]) };
    }
    if (port) {
      const key = [...nodes.keys()].find((each) => [...nodes.get(each).inputs, ...nodes.get(each).outputs].some(([address]) => address === port));
      const sources = nodes.get(key).reads.filter(([name]) => `${key}.${name}` === port || `${key}.${name}`.startsWith(`${port}[`)).map(([, source]) => source);
      return { title: sources.length ? `${port} ← ${sources.join(", ")}` : port, values: valued(sources.length ? sources : [port]) };
    }
    const { type, formula, outputs } = nodes.get(node);
    return { title: `${node} (${type})${formula ? `: ${formula}` : ""}`, values: valued(outputs.map(([address]) => address)) };
  }

  return showTip;
}
