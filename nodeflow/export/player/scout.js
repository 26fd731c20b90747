// What a network answers to other rows than those of its run, which notices nothing of it.

/** Machines beside a run's: functions that ask them. */
function scouting(run) {
  const scouts = new Map(); // by form of the tape

  /** A machine with the numbers of now. */
  async function scoutOf(form) {
    const data = run.forms[form];
    if (!scouts.has(form)) {
      const made = await Machine.made(data, { ...run.parts, straight: null });
      for (let at = 0; at < data.rows + data.apart; at++) made.order[2 * at] = at;
      scouts.set(form, made);
    }
    const scout = scouts.get(form);
    scout.feed.set(run.machine.feed);
    if (form === run.form) scout.cells.set(run.machine.cells);
    else {
      scout.clear(run.constants);
      for (const change of run.changes) if (change.update <= run.at.update) scout.putConstants(change.constants);
      scout.state.set(run.machine.state);
    }
    return scout;
  }

  /** An output of the network for rows that take the place of one of its values. */
  async function answers(start, goal, asked) {
    const { data, schedule } = run, column = columnOf(run, start), before = schedule.places.get(nodeOf(start));
    if (!schedule.places.has(nodeOf(goal))) throw new Error(`'${goal}' is not evaluated`);
    const scout = await scoutOf(run.form), end = data.spans[schedule.places.get(nodeOf(goal))][1], found = [];
    if (column) {
      for (let done = 0; done < asked.length; done += data.rows) {
        const part = asked.slice(done, done + data.rows);
        part.forEach((numbers, row) => scout.feed.set(numbers, row * data.width + column.column));
        for (let first = 0; first < part.length; first += schedule.passSize) {
          const samples = Math.min(schedule.passSize, part.length - first);
          scout.execute("ops", 0, end, { first, samples, number: 0, count: samples });
          for (const row of rowsOf(scout.read(goal, samples))) found.push(row);
        }
      }
      return found;
    }
    // A value on the way: what comes before it is as it is, what comes behind it follows from each row.
    const [offset, fixed, , stride] = data.slots[start], [begin, behind] = data.spans[before], most = fixed ? 1 : schedule.passSize;
    for (let first = 0; first < asked.length; first += most) {
      const part = asked.slice(first, first + most), where = { first: 0, samples: fixed ? Math.min(schedule.passSize, data.rows) : part.length, number: 0, count: part.length };
      scout.execute("ops", 0, begin, where);
      part.forEach((numbers, row) => scout.cells.set(numbers, offset + row * stride));
      scout.execute("ops", behind, end, where);
      for (const row of rowsOf(scout.read(goal, part.length)).slice(0, part.length)) found.push(row);
    }
    return found;
  }

  /** Mean cost over all rows as a function of some numbers of the parameters, asked many times. */
  async function costs(places) {
    const form = run.forms.length > 1 ? 1 : run.form, scout = await scoutOf(form), data = run.forms[form], most = data.loop ? 1 : data.batch;
    const end = data.spans[run.schedule.places.get(nodeOf(data.cost))][1], cells = places.map(([start, at]) => {
      const [offset, , cols, stride] = data.slots[start];
      return offset + Math.floor(at / cols) * stride + (at % cols);
    });
    return (numbers) => {
      let sum = 0, count = 0;
      numbers.forEach((number, at) => { scout.cells[cells[at]] = number; });
      for (let first = 0; first < data.rows; first += most) {
        const samples = Math.min(most, data.rows - first);
        scout.execute("ops", 0, end, { first, samples, number: 0, count: samples });
        const numbers = flat(scout.read(data.cost, samples)), each = data.slots[data.cost][1] ? samples : 1; // one that all share counts for each
        for (const cost of numbers) sum += cost * each;
        count += numbers.length * each;
      }
      return sum / count;
    };
  }

  return { answers, costs };
}
