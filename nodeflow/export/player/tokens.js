// Numbers on their way along the wires.

const MOST_TOKENS = 24;

/** Return what lets the numbers that a step was given travel over a picture. */
function flying(picture, camera) {
  let flight = 0;

  /** Let what the step was given travel along its wires, for so many milliseconds. */
  function fly(now, duration) {
    cancelAnimationFrame(flight);
    picture.tokens.replaceChildren();
    if (!duration) return;
    const under = [];
    for (const wire of picture.wires) {
      const value = (now.replaced.has(wire.from) ? now.replaced : now.values).get(wire.from);
      if (nodeOf(wire.to) !== now.node || value === undefined || under.length >= MOST_TOKENS) continue;
      const words = short(value), half = words.length * 3.6 + 8;
      const outline = wire.kind === "backward" // an arrow in the direction of blame
        ? `M${-half - 9} 0L${-half} -10H${half}V10H${-half}Z`
        : `M${-half + 6} -10H${half - 6}a10 10 0 0 1 0 20H${-half + 6}a10 10 0 0 1 0 -20Z`;
      const token = shape("g", { class: `token ${wire.kind}`, "data-token": wire.from }, shape("path", { d: outline }), textAt(0, 4, words));
      picture.tokens.append(token);
      const line = wire.grip ? wire.line : shape("path", { d: wire.way });
      under.push({ token, line, length: line.getTotalLength() });
    }
    const begun = performance.now();
    const move = (time) => {
      const part = Math.min(1, Math.max(0, time - begun) / duration);
      if (part >= 1) return picture.tokens.replaceChildren();
      const along = still.matches ? 0.5 : part * part * (3 - 2 * part);
      for (const { token, line, length } of under) {
        const { x, y } = line.getPointAtLength(along * length);
        token.setAttribute("transform", `translate(${x} ${y}) scale(${Math.min(1 / camera.zoom, 5)})`);
      }
      flight = requestAnimationFrame(move);
    };
    move(begun);
  }

  return fly;
}
