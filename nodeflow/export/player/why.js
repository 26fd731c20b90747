// Why a weight changed: which samples moved it, traced through their δ and inputs. Python's `why`.

const SAMPLES_TOLD = 3; // samples that a sentence names

/** Where in a parameter a number stands, in words. */
function placeOf(places, index) {
  if (typeof places === "string") return `${places} ${index.map((each) => each + 1).join(", ")}`;
  return index.length === 2 ? `${places[0][index[1]]} meets ${places[1][index[0]]}` : places[0][index[0]];
}

/** What each sample did to a weight between the starts of two epochs; the run stays where it is. */
async function whyOf(run, { traces, sentences }, address, index, [first, last], progress = () => {}) {
  const { data, schedule, machine } = run, trace = traces[address];
  if (!trace) throw new Error(`there is no parameter '${address}'${nearest(address, Object.keys(traces))}`);
  if (trace.refused) throw new Error(trace.refused);
  const shape = data.parameters[nodeOf(address)];
  if (index.length !== shape.length || !index.every((each, axis) => Number.isSafeInteger(each) && each >= 0 && each < shape[axis])) {
    throw new Error(`[${index.join(", ")}] is outside '${address}', which is ${shape.join("×")} from 0`);
  }
  const end = Math.max(run.epoch, run.log.length);
  if (first > last) throw new Error(`a change goes from an epoch to a later one, not from ${first} to ${last}`);
  if (![first, last].every(Number.isSafeInteger) || first < 0 || last > end) {
    throw new Error(`epochs ${first} to ${last} are not in the run: it goes from epoch 0 to epoch ${end}`);
  }
  const cellOf = (name, column) => { const [offset, rows, , stride] = data.slots[name]; return { offset: offset + column, rows, stride }; };
  const inputOf = (wires, column) => {
    const wire = wires.find(([, width], at) => column < width || at === wires.length - 1 || ((column -= width), false));
    return cellOf(wire[0], column);
  };
  const columns = trace.pairs.map(([delta, wires]) => [cellOf(delta, index[0]), wires && inputOf(wires, index[1])]);
  const read = ({ offset, rows, stride }, row) => machine.cells[offset + (rows === 1 ? 0 : row) * stride];
  const weight = cellOf(address, 0), place = weight.offset + (shape.length === 2 ? index[0] * weight.stride + index[1] : index[0]);
  const back = schedule.position(run.number), steps = [], mine = (run.training = {});
  const begin = schedule.startOfEpoch(first), until = schedule.startOfEpoch(last);
  let before, after;
  try {
    run.seek(until);
    after = machine.cells[place];
    run.seek(begin);
    before = machine.cells[place];
    let rested = performance.now();
    for (let update = begin.update; update < until.update; update++) {
      if (run.training !== mine) throw new Error("the question was left");
      if (performance.now() - rested > 30) {
        progress((update - begin.update) / (until.update - begin.update));
        await new Promise(soon);
        rested = performance.now();
      }
      run.at.update = update;
      putOwn(run);
      const epoch = schedule.epoch(update), rate = machine.cells[data.slots[trace.rate][0]], [row, count] = schedule.bounds(update);
      if (trace.penalty) steps.push({ epoch, row: -1, delta: 0, input: machine.cells[place], change: -rate * trace.penalty * machine.cells[place] });
      machine.update(schedule, update);
      for (const [delta, input] of columns) {
        for (let sample = 0; sample < count; sample++) {
          const d = read(delta, sample), x = input ? read(input, sample) : 1;
          steps.push({ epoch, row: machine.order[2 * (row + sample)], delta: d, input: x, change: (-rate * d * x) / (trace.averaged ? count : 1) });
        }
      }
    }
  } finally {
    if (run.training === mine) run.training = null;
    returnTo(run, begin.update);
    run.seek(back);
  }
  const total = pairwise(steps.map(({ change }) => change), 0, steps.length, (x) => x);
  const rounding = 64 * (machine.single ? 2 ** -23 : 2 ** -52) * (steps.length + 16);
  if (Math.abs(total - (after - before)) > rounding * Math.max(1, Math.abs(before), Math.abs(after))) {
    throw new Error(`'${address}' was given other values between epochs ${first} and ${last}: ask about epochs before or after that`);
  }
  const sums = new Map();
  for (const { row, change } of steps) sums.set(row, (sums.get(row) ?? 0) + change);
  const samples = [...sums].map(([row, change]) => ({ row, change })).sort((one, other) => Math.abs(other.change) - Math.abs(one.change));
  const found = { weight: address, index, place: placeOf(trace.places, index), from: first, to: last, before, after, change: after - before, samples, steps };
  return { ...found, text: whyTold(found, sayer(sentences)) };
}

function whyTold({ weight, place, from, to, before, after, change, samples, steps }, say) {
  const told = [say("why", { name: nodeOf(weight), place, first: from, last: to, before: show(before), after: show(after), change: show(change) })];
  for (const each of samples.slice(0, SAMPLES_TOLD)) told.push(say(each.row >= 0 ? "why sample" : "why penalty", { number: each.row + 1, change: show(each.change) }));
  let top = null;
  for (const step of steps) if (step.row >= 0 && (top === null || Math.abs(step.change) > Math.abs(top.change))) top = step;
  if (top) told.push(say("why step", { change: show(top.change), number: top.row + 1, epoch: top.epoch + 1, delta: show(top.delta), input: show(top.input) }));
  return told.join(" ");
}
