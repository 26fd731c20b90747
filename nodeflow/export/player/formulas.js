// Formulas with their numbers, and what there is to say about a step.

/** What explains the steps of a graph. */
function explained(index) {
  return { formula: () => "", remark: () => "" };
}
