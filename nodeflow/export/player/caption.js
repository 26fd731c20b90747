// The step in view in words, its place on the bar, and the cost over the run behind the bar.

function showCaption(root, source, now) {
  const find = (selector) => root.querySelector(selector), cost = source.costAt(now), formula = find("#formula"), scrub = find("#scrub");
  find("#where").textContent = now.where;
  find("#where").className = now.phase;
  find("#node").textContent = now.node ?? "";
  find("#cost").textContent = [cost === undefined ? "" : `cost ${show(cost)}`, source.note()].filter(Boolean).join(" · ");
  formula.textContent = now.formula;
  formula.dataset.step = now.number;
  find("#remark").textContent = now.remark;
  scrub.max = source.last();
  scrub.value = now.number;
  scrub.setAttribute("aria-valuetext", `${now.where}, ${now.node ?? "start"}`);
  find("#timeline").style.setProperty("--done", now.number / Math.max(source.last(), 1));
}

/** A cost, or several futures of it, over the bar, and a mark at each epoch. */
function drawCurve(curve, source) {
  const last = Math.max(source.last(), 1), { lines, epochs } = source.curve();
  curve.setAttribute("viewBox", "0 0 1000 100");
  curve.replaceChildren();
  const every = Math.ceil(epochs.length / 40);
  for (let at = every; at < epochs.length; at += every) {
    curve.append(shape("path", { class: "epoch", d: `M${(1000 * epochs[at]) / last} 0V100` }));
  }
  const known = lines.map(({ points, kind }) => ({ points: points.filter(([, cost]) => Number.isFinite(cost)), kind }));
  const most = Math.max(maximum(known.flatMap(({ points }) => points.map(([, cost]) => cost))), 0) || 1;
  for (const { points, kind } of known) {
    if (points.length < 2) continue;
    const line = points.map(([x, cost]) => `${((1000 * x) / last).toFixed(2)} ${(96 - (88 * cost) / most).toFixed(2)}`).join("L");
    const [left, right] = [points[0][0], points.at(-1)[0]].map((x) => ((1000 * x) / last).toFixed(2));
    if (kind === "cost") curve.append(shape("path", { class: "area", d: `M${left} 100L${line}L${right} 100Z` }));
    curve.append(shape("path", { class: kind, d: `M${line}` }));
  }
}
