// Beside the graph: the values of a node, and the steps of the pass in view.

/** The values of a node at a moment; `leave` is called to follow the steps again, where it was chosen. */
function valuesOf(key, node, now, leave = null) {
  const heading = element("h2", {}, key, element("small", {}, node.type));
  if (leave) {
    const close = element("button", { "aria-label": `Follow the steps instead of ${key}` }, "×");
    close.addEventListener("click", leave);
    heading.append(close);
  }
  const parts = [heading, element("p", {}, node.formula)];
  const given = (address) => (key === now.node && now.replaced.has(address) ? now.replaced : now.values).get(address);
  const before = key === now.node && now.given ? now.given : given;
  for (const [name, source, fed] of node.reads) parts.push(...portRow(now, "input", name, `${fed ? "⤺" : "←"} ${source}`, before(source), `${key}.${name}`));
  for (const [address] of node.outputs) parts.push(...portRow(now, "output", address.slice(key.length + 1), "", now.values.get(address), address));
  if (key === now.node) for (const sentence of now.shares ?? []) parts.push(element("p", { class: "share" }, sentence));
  return parts;
}

function portRow(now, kind, name, from, value, address) {
  if (value === undefined) return [];
  const age = now.age(from ? nodeOf(from.slice(2)) : nodeOf(address));
  const head = element("div", { class: `port ${kind}${age && " old"}` }, element("b", {}, name), from, element("small", {}, sizeOf(value)), ...(age ? [element("small", {}, `(${age})`)] : []));
  return [head, element("pre", { [`data-${kind}`]: address, tabindex: "0", "aria-label": `${kind} ${name}` }, written(value))];
}

/** List steps in an element; `goto` is called with the one that is chosen. Returns what shows a moment. */
function listingSteps(log, source, hidden, goto) {
  let listed = null, wanted = null;

  /** The steps of the pass in view; of a long one those around the moment. */
  async function showLog(now) {
    wanted = now.number;
    const pass = await source.pass(now.number);
    if (now.number !== wanted || !log.isConnected) return;
    if (listed?.key !== pass.key) list(pass);
    for (const step of pass.steps) {
      const button = log.querySelector(`[data-log="${step.number}"]`);
      if (!button) continue; // it is hidden
      if (button.title !== step.formula) button.lastChild.textContent = button.title = step.formula;
    }
    mark(now.number);
  }

  function list(pass) {
    listed = pass;
    log.replaceChildren();
    let phase = null;
    for (const step of pass.steps) {
      if (hidden.has(step.node)) continue;
      if (step.phase !== phase) log.append(element("li", { class: `phase ${step.phase}` }, step.phase));
      ({ phase } = step);
      const button = element("button", { "data-log": step.number, tabindex: "-1" }, element("b", {}, step.node), " ", element("span"));
      log.append(element("li", {}, button));
    }
  }

  function mark(number) {
    log.querySelector("[aria-current]")?.removeAttribute("aria-current");
    for (const button of log.querySelectorAll("button[tabindex='0']")) button.tabIndex = -1;
    const current = log.querySelector(`[data-log="${number}"]`) ?? log.querySelector("button");
    if (!current) return;
    current.tabIndex = 0;
    if (Number(current.dataset.log) !== number) return;
    current.setAttribute("aria-current", "step");
    const row = current.parentElement;
    if (row.offsetTop < log.scrollTop + 30 || row.offsetTop > log.scrollTop + log.clientHeight - 60) {
      log.scrollTop = row.offsetTop - log.clientHeight / 3;
    }
  }

  log.addEventListener("click", (event) => {
    const button = event.target.closest("[data-log]");
    if (button) goto(Number(button.dataset.log));
  });
  log.addEventListener("keydown", (event) => {
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key], buttons = [...log.querySelectorAll("button")];
    const next = way && buttons[buttons.indexOf(event.target) + way];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  return showLog;
}
