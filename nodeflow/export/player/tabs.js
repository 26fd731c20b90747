// Beside the graph: the steps, or what there is to change.

/** Connect the tabs; `shown` is called when one was chosen. */
function choosing(root, view, shown) {
  const find = (selector) => root.querySelector(selector);
  const tabs = [["#tab-steps", "#steps"], ["#tab-change", "#change"]];

  function choose(wanted) {
    for (const [tab, panel] of tabs) {
      find(tab).setAttribute("aria-selected", String(tab === wanted));
      find(tab).tabIndex = tab === wanted ? 0 : -1;
      find(panel).hidden = tab !== wanted;
    }
    shown();
  }

  for (const [tab] of tabs) find(tab).addEventListener("click", () => choose(tab));
  find("#tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    event.stopPropagation();
    const other = tabs.find(([tab]) => find(tab).getAttribute("aria-selected") !== "true")[0];
    choose(other);
    find(other).focus();
  });
  view.keys.c = () => choose("#tab-change");
  choose("#tab-steps");
}
