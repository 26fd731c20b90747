// What a person does to an engine's run: train, change, compare, take home, share.

const EVERY = 100; // milliseconds between two pictures of a training

/** Connect the controls of a page that computes; returns what it offers to scripts. */
function changing(root, index, run, source, view) {
  const find = (selector) => root.querySelector(selector);
  let asked = 0;

  /** Show what the run holds now; of many changes in a frame only the last is drawn. */
  function refresh() {
    if (asked) return;
    asked = requestAnimationFrame(() => {
      asked = 0;
      if (view.ended) return;
      view.present(source.now());
      view.drawCurve();
      showChange();
    });
  }

  /** Do what a person asked for; say what keeps it from being done. */
  function attempt(act) {
    complain(root, "");
    const failed = (error) => {
      complain(root, error.message);
      refresh();
    };
    try {
      const made = act();
      refresh();
      if (made instanceof Promise) made.then(refresh, failed);
    } catch (error) {
      failed(error);
    }
  }

  // -- training

  function showTraining(training) {
    const button = find("#train");
    button.textContent = training ? "Stop" : "Train";
    button.classList.toggle("playing", training);
  }

  let lead = null; // of a lesson, where there is one

  async function train(epochs) {
    view.pause();
    showTraining(true);
    let drawn = performance.now();
    const nowAndThen = () => {
      if (performance.now() - drawn < EVERY) return;
      drawn = performance.now();
      refresh();
    };
    try {
      if (!(lead && (await lead.train(epochs, nowAndThen)))) await run.train(epochs, nowAndThen);
    } finally {
      showTraining(false);
      refresh();
    }
  }

  find("#train").addEventListener("click", () => {
    if (run.training) return run.stop();
    attempt(() => train(numberIn("#epochs")));
  });

  const numberIn = (selector) => numberOf(find(selector));

  // -- changing

  function changed(why, act) {
    view.pause();
    const kept = source.futures.length;
    source.leave(why);
    try {
      return act();
    } catch (error) {
      source.futures.length = Math.min(kept, source.futures.length);
      throw error;
    }
  }

  /** The node to which an address belongs: "train.rate" may be a setting, or a node of its own. */
  const ownerOf = (address) => (Object.hasOwn(index.graph.nodes, address) ? address : nodeOf(address));

  function inLesson(key, act) {
    lead?.requireFree(key);
    const beginning = () => JSON.stringify([run.seed, run.schedule.batch, ...run.given]), { own } = run, before = beginning();
    act();
    if (before !== beginning() || (own && !run.own)) lead?.restarted();
    else lead?.begin();
  }

  const set = (address, value) => inLesson(nodeOf(address), () => changed(`before ${address} was changed`, () => run.set(address, value)));
  const setting = (address, value) => inLesson(ownerOf(address), () => changed(`before ${address} = ${value}`, () => run.setting(address, value)));
  const reset = (seed) => inLesson(seed === undefined || seed === run.seed ? null : "training", () => changed(`seed ${run.seed}`, () => run.reset(seed)));
  const batch = (size) => inLesson("training", () => changed(`batch ${run.schedule.batch}`, () => run.setBatch(size)));

  find("#again").addEventListener("click", () => attempt(() => reset(numberIn("#seed"))));
  find("#batch").addEventListener("change", () => attempt(() => batch(numberIn("#batch"))));
  find("#seed").addEventListener("change", () => attempt(() => reset(numberIn("#seed"))));

  const showChange = showingChange(root, index, run, source, view, {
    attempt, set, setting, ownerOf, lock: () => lead, swap: (place) => inLesson(null, () => source.swap(place)),
  });

  view.watching.push(showChange);

  stopping(root, index, run, source, view, { attempt, refresh, showTraining });
  choosing(root, view, showChange);
  const shared = sharing(root, index, run, view, { attempt, lead: () => lead });

  if (index.other) {
    find("#explode").hidden = false;
    find("#explode").textContent = index.other.label;
    find("#explode").addEventListener("click", () => attempt(() => index.other.open(index.other.form)));
  }

  predicting(root, index, run, view, attempt);
  if (index.lesson) lead = leading(root, index, run, source, view, { attempt, train });
  for (const each of root.querySelectorAll("[data-live]")) each.hidden = false;
  find("#epochs").value = Math.max(1, Math.min(100, index.epochs));
  find("#batch").max = run.schedule.rows;

  return { api: apiOf(index, run, source, view, { train, set, setting, reset, batch, refresh, lead, ...shared }), follow: shared.follow, refresh, lesson: lead?.state };
}
