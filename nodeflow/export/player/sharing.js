// A graph as it stands, taken home as a file or told by an address.

/** Connect the buttons; `lead()` is the lesson, if there is one. Returns what scripts and addresses ask for. */
function sharing(root, index, run, view, { attempt, lead }) {
  const find = (selector) => root.querySelector(selector);
  const graph = (options) => graphOf(run, index, options);
  let stranger = null; // the graph of an address that is not this page's

  find("#take").addEventListener("click", () => attempt(() => (stranger ? save(stranger, stranger.name || "nodeflow") : save(graph(), index.name))));

  const link = () => linkOf({ of: index.digest, ...stateOf(run) }, graph());

  let sharedAt = null; // the moment whose address was told; further on it is another one

  find("#share").addEventListener("click", () => attempt(async () => {
    history.replaceState(null, "", await link());
    const copying = async () => navigator.clipboard.writeText(location.href); // pages of plain http have no clipboard
    const copied = await copying().then(() => true, () => false);
    complain(root, copied ? "The address of this page, as it stands, is in the clipboard." : "The address of this page now has all that was changed.", true);
    sharedAt = run.number;
  }));

  view.watching.push(() => {
    if (sharedAt === null || sharedAt === run.number) return;
    sharedAt = null;
    complain(root, "");
  });

  /** Be in a state that was told before; of a lesson, what was asked was of the run that was left. */
  function takeUp(state) {
    const past = stateOf(run);
    takeUpState(run, state);
    if (beganAgain(past, state)) lead()?.restarted();
    else lead()?.begin();
  }

  /** Take up what an address says; a broken one is told, and the page is as it was made. */
  async function follow(fragment) {
    if (fragment.length < 2) return;
    const state = await toldByLink(fragment);
    const [form] = index.apart?.find(([, digest]) => digest === state.of) ?? [];
    if (state.of !== index.digest && form !== undefined) return index.other.open(form, fragment);
    if (state.of !== index.digest) {
      stranger = state.graph ?? null;
      throw new Error(`the part of the address after # belongs to another graph${stranger ? `, "${stranger.name ?? ""}"` : ""}, so the page shows its own${stranger ? "; Save takes the other one home, and nodeflow opens it" : ""}`);
    }
    stranger = null;
    try {
      takeUp(state);
    } catch (error) {
      throw new Error(`the part of the address after # cannot be used, so the page shows its own graph: ${error.message}`);
    }
  }

  return { graph, link, takeUp, follow };
}
