// Questions of a lesson: what the answer is, and whether it was typed.

/** Whether what was typed is the value of a question: yes or no in one of its `words`, or a number near enough. */
function rightly(task, typed, value, words) {
  if (typeof value === "boolean") return words[value ? "yes" : "no"].includes(typed.trim().toLowerCase());
  const found = answered(typed);
  if (!found) return false;
  if (task.tolerance !== null) return Math.abs(found.value - value) <= task.tolerance * (1 + 1e-9) + 1e-15;
  return meets(found, value);
}

/** What to say to an answer that is none; "" where it could have been right. */
function mistyped(typed, value, words) {
  if (typeof value === "number") return answered(typed) ? "" : `'${typed}' is no number: type one such as 0.25, −3 or 2/3`;
  return [...words.yes, ...words.no].includes(typed.trim().toLowerCase()) ? "" : "Type yes or no.";
}

/** As `seenAt`, but within a pass nothing is known of what it has not evaluated yet. */
function standingAt(run) {
  const seen = seenAt(run), { places } = run.schedule, here = run.at.place;
  const ahead = (address) => here > 0 && places.get(nodeOf(address)) >= here;
  return {
    ...seen,
    port: (address) => (ahead(address) ? null : seen.port(address)),
    word: (name) => (name === "cost" && run.data.cost && ahead(run.data.cost) ? null : seen.word(name)),
  };
}

/** What a question asks for at the moment `asked`, or as soon after as it is known; the run stays where it is. */
function expectedAt(run, asked, read) {
  const here = run.number, { schedule } = run;
  try {
    run.seek(schedule.position(asked));
    let found = judged(run, read, standingAt(run));
    if (found === null) {
      const end = read.epochal ? schedule.after("epoch", run.number) : run.number - run.at.place + read.place + 1;
      run.seek(schedule.position(end));
      found = judged(run, read, standingAt(run));
    }
    if (found === null) throw new Error("it has no value in this run");
    if (found.flat.length !== 1) throw new Error(`it is ${found.flat.length} numbers where an answer is one: pick one, as in x[0, 0]`);
    return found.flat[0];
  } finally {
    run.seek(schedule.position(here));
  }
}
