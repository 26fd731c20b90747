// Places of numbers in an area: axes, lines that are cut at its edges, tangents.

/** An area in which numbers have places, `low` and `high` its corners, with room for what is written at it. */
function axesIn([x, y, wide, high], low, most) {
  const room = 6 + Math.max(wideness(show(low[1]), 9), wideness(show(most[1]), 9)), left = x + room, top = y + 4, width = wide - room - 4, height = high - 18;
  const at = (u, v) => [left + ((u - low[0]) / (most[0] - low[0] || 1)) * width, top + (1 - (v - low[1]) / (most[1] - low[1] || 1)) * height];
  const edge = between("var(--body)", "var(--border)", 0.6), small = { fill: "var(--faint)", size: 9 };

  /** The parts of a line that lie in the area, cut at its upper and lower edge. */
  function line(points) {
    const parts = [[]], within = ([, v]) => v >= low[1] && v <= most[1];
    points.forEach(([u, v], number) => {
      const inside = within([u, v]), before = points[number - 1];
      if (number && inside !== within(before)) {
        const [u0, v0] = before, limit = Math.max(v, v0) > most[1] ? most[1] : low[1];
        if (Number.isFinite(v) && Number.isFinite(v0)) parts.at(-1).push(at(u0 + ((limit - v0) / (v - v0)) * (u - u0), limit));
      }
      if (inside) parts.at(-1).push(at(u, v));
      else if (parts.at(-1).length) parts.push([]);
    });
    return parts.filter((part) => part.length > 1);
  }

  /** A piece of the tangent at a place, a share of the area long. */
  function tangent([px, py], slope, length) {
    const dx = width / (most[0] - low[0] || 1), dy = (-slope * height) / (most[1] - low[1] || 1), scale = (length * Math.min(width, 2 * height)) / 2 / (Math.hypot(dx, dy) || 1);
    return [[px - dx * scale, py - dy * scale], [px + dx * scale, py + dy * scale]];
  }

  const numbers = () => [
    lettering(left, top + height + 10, show(low[0]), small), lettering(left + width, top + height + 10, show(most[0]), { ...small, anchor: "end" }),
    lettering(left - 3, top + 7, show(most[1]), { ...small, anchor: "end" }), lettering(left - 3, top + height, show(low[1]), { ...small, anchor: "end" }),
  ];

  /** The lower and the left edge with the range of each, and where 0 is. */
  function frame() {
    const made = [polyline([[left, top], [left, top + height], [left + width, top + height]], edge)];
    for (const axis of [0, 1]) {
      if (!(low[axis] < 0 && most[axis] > 0)) continue;
      const [zx, zy] = at(axis ? low[0] : 0, axis ? 0 : low[1]);
      made.push(polyline(axis ? [[left, zy], [left + width, zy]] : [[zx, top], [zx, top + height]], edge, 0.6, "4 3"));
    }
    return [...made, ...numbers()];
  }

  return { area: [left, top, width, height], at, line, tangent, numbers, frame };
}
