// What came out of the step in view, beside its node.

/** Show the step in view at its node; `nodes` are those of the run. Returns what shows a moment, and what puts the words in place. */
function callingOut(canvas, callout, picture, camera, nodes) {
  let now = null;

  /** Show a moment; `forward` where one step led to it. */
  function point(moment, forward) {
    now = moment;
    for (const old of canvas.querySelectorAll(".active, .changed")) old.classList.remove("active", "changed");
    const key = picture.standing(now.node), group = picture.drawn.get(key)?.group;
    callout.hidden = !group;
    if (!group) return;
    group.classList.add("active", now.phase);
    const active = new Set(picture.wires.filter((wire) => nodeOf(wire.to) === key).flatMap((wire) => wire.lines));
    for (const line of picture.lines) line.classList.toggle("active", active.has(line));
    if (forward && now.replaced.size) {
      group.getBoundingClientRect(); // so that a flash begins anew
      group.classList.add("changed");
    }
    callout.className = now.phase;
    callout.replaceChildren(...words());
    callout.hidden = !callout.childNodes.length;
    place();
  }

  /** What came out, for each port "old → new". */
  function words() {
    const outputs = nodes.get(now.node).outputs.map(([address]) => address).filter((address) => now.values.has(address));
    return outputs.map((address) => {
      const line = element("div"), value = now.values.get(address), old = now.replaced.get(address);
      if (old !== undefined && flat(value).length <= LISTED) line.append(element("s", {}, short(old)), " → ");
      line.append(element("b", { "data-callout": address }, begun(value)));
      return line;
    });
  }

  /** The first numbers of a value, and its shape if there are more. */
  function begun(value) {
    const numbers = flat(value);
    return numbers.length <= LISTED ? short(value) : `${numbers.slice(0, 3).map(show).join(", ")}, … (${sizeOf(value)})`;
  }

  function place() {
    const node = now && picture.places.get(picture.standing(now.node));
    if (!node) return;
    const stage = canvas.getBoundingClientRect();
    const [x, y] = camera.onScreen(node.x + node.width / 2, node.y);
    const inside = x > 0 && x < stage.width && y > -20 && y < stage.height;
    callout.style.visibility = inside ? "visible" : "hidden";
    const half = callout.offsetWidth / 2 + 4;
    callout.style.left = `${Math.max(half, Math.min(stage.width - half, x))}px`;
    callout.style.top = `${Math.max(callout.offsetHeight + 10, y)}px`;
  }

  return { point, place };
}
