// What a page that computes offers to scripts.

function apiOf(index, run, source, view, { train, set, setting, reset, batch, refresh, lead, graph, link, takeUp }) {
  /** Do something and show it. */
  const refreshing = (act) => (...given) => {
    view.pause();
    const made = act(...given);
    if (!(made instanceof Promise)) lead?.look(); // a script may go on before the next picture is drawn
    refresh();
    return made;
  };

  return {
    moment: () => run.moment(),
    step: refreshing((count = 1) => { run.step(count); return run.moment(); }),
    back: refreshing((count = 1) => { run.back(count); return run.moment(); }),
    goto: refreshing((epoch, sample, node) => { run.goto(epoch ?? undefined, sample ?? undefined, node ?? null); return run.moment(); }),
    train: (epochs = index.epochs) => train(epochs).then(() => run.moment()),
    value: (address) => run.value(requireAddress(address)),
    gradient: (address) => run.gradient(requireAddress(address)),
    /** Of when a node's value is, in words: "" if it is of the pass in view. */
    age: (key) => {
      if (!Object.hasOwn(index.nodes, requireAddress(key))) throw new Error(`there is no node '${key}'${nearest(key, Object.keys(index.nodes))}`);
      return run.age(key);
    },
    weights: () => run.weights(),
    set: refreshing((address, value) => { set(requireAddress(address), value); return run.moment(); }),
    setting: refreshing((address, value) => { setting(requireAddress(address), value); return run.moment(); }),
    reset: refreshing((seed) => { reset(seed); return run.moment(); }),
    batch: refreshing((size) => { batch(size); return run.moment(); }),
    cost: () => run.cost(),
    history: () => run.history(),
    until: async (words, epochs = index.epochs) => {
      view.pause();
      return goOnUntil(run, new Watch(run, readFrom(index, run, requireAddress(words))), epochs, refresh).finally(refresh);
    },
    /** Which samples, through which δ, changed a weight: `why("theta1.value", [0, 2], [0, 10])`. */
    why: async (address, place, epochs) => {
      if (!Array.isArray(epochs) || epochs.length !== 2) throw new Error(`a change lies between two epochs, as in [0, 10], not ${inWords(epochs)}`);
      view.pause();
      return whyOf(run, index, requireAddress(address), [place].flat(), epochs);
    },
    Random, answered, meets,
    /** Call a function with every moment that is shown. */
    watch: (act) => {
      if (typeof act !== "function") throw new Error(`watch takes a function, not ${inWords(act)}`);
      view.watching.push(act);
    },
    addresses: () => Object.keys(run.data.slots),
    graph: () => graph(), link, state: () => stateOf(run), takeUp: refreshing(takeUp), play: () => { view.present(source.now()); view.play(); }, pause: view.pause, show,
    ...(lead && { lesson: lessonApi(lead, refresh) }),
    formula: () => { const { formula, remark, shares } = source.now(); return { formula, remark, shares }; },
    get playing() { return view.playing; },
  };
}
