// The graph as somebody has changed it: taken home as a file, and how it came to be.

/** The graph as it stands: with the weights, settings, seed and batch of now, or with its own starts. */
function graphOf(run, index, { trained = true } = {}) {
  const found = structuredClone(index.graph), { batch, rows } = run.schedule;
  const settingsOf = (key) => ((found.nodes[key].settings ??= {}), found.nodes[key].settings);
  if (trained) for (const key of run.data.own) settingsOf(key).value = run.machine.read(`${key}.value`, 1);
  else for (const [address, value] of run.typed) settingsOf(nodeOf(address)).value = value;
  for (const [address, value] of run.written) {
    const key = nodeOf(address);
    if (Object.hasOwn(found.nodes, key)) settingsOf(key)[address.slice(key.length + 1)] = value;
    else if (Object.hasOwn(found.nodes, address)) settingsOf(address).value = value; // "train.rate" of a wired backward pass
  }
  found.training = { ...found.training, seed: run.seed };
  if (batch !== run.forms[0].batch) found.training.batch = batch === rows ? "all" : batch;
  return found;
}

/** By address, the settings that are not those of the page's own graph. */
function changesOf(run, index) {
  const now = graphOf(run, index, { trained: false }), found = {};
  const compare = (address, own, other) => { if (!sameText(own, other)) found[address] = own; };
  for (const [key, node] of Object.entries(now.nodes)) {
    for (const [name, value] of Object.entries(node.settings ?? {})) compare(`${key}.${name}`, value, index.graph.nodes[key].settings?.[name]);
  }
  for (const name of ["seed", "batch"]) compare(`training.${name}`, now.training[name], index.graph.training?.[name] ?? now.training[name]);
  return found;
}

/** How those settings came to be: by update, from the start of the run on. */
function wayOf(run, index) {
  const now = new Map(), found = [], training = Object.entries(changesOf(run, index)).filter(([address]) => address.startsWith("training."));
  const put = (address, value) => {
    const own = Object.hasOwn(index.graph.nodes, nodeOf(address)) ? address : `${address}.value`;
    const key = nodeOf(own), first = index.graph.nodes[key]?.settings?.[own.slice(key.length + 1)];
    if (sameText(first, value)) now.delete(own);
    else now.set(own, value);
  };
  const note = (update) => found.push({ update, settings: Object.fromEntries([...now, ...training]) });
  for (const [address, value] of run.base) put(address, value);
  note(0);
  for (const [update, address, value] of run.events) {
    put(address, value);
    if (found.at(-1).update === update && update) found.pop();
    note(update);
  }
  return found;
}

/** Give a graph to whoever reads the page, as a file. */
function save(graph, name) {
  const text = new Blob([`${exactText(graph, 1)}\n`], { type: "application/json" });
  const link = element("a", { href: URL.createObjectURL(text), download: `${name.replace(/[^\p{L}\p{N}-]+/gu, "-") || "graph"}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
