// What a person types into a run: weights, inputs, settings, starts.

/** How a parameter starts: as in the graph, or as a person chose. */
function howStarted(run, key) {
  const address = `${key}.init`;
  return run.written.has(address) ? run.data.choices[address][run.written.get(address)] : run.data.starts[key];
}

/** Let a parameter start in another way, and put that start in place now. */
function chooseStart(run, address, value) {
  const choices = run.data.choices[address], key = nodeOf(address);
  if (!Object.hasOwn(choices, value)) throw new Error(`'${address}' is one of ${Object.keys(choices).join(", ")}, not ${value}`);
  restartUpdate(run);
  run.written.set(address, value);
  run.machine.cells.set(started(key, howStarted(run, key), run.seed), run.data.slots[`${key}.value`][0]);
  run.own = true;
  branchOff(run, address, value);
}

function restartUpdate(run) {
  run.stop();
  if (run.within) returnTo(run, run.at.update);
}

function columnOf(run, address) { return run.data.columns.find((each) => each.address === address); }

/** Whether a person may put numbers in place of a value. */
function canSet(run, address) {
  const { data } = run, key = nodeOf(address), column = columnOf(run, address);
  if (!Object.hasOwn(data.slots, address)) return false;
  return Object.hasOwn(data.parameters, key) || (column ? !column.table : run.constant.has(key));
}

/** Put numbers into a parameter, or in place of what a source holds. */
function setNumbers(run, address, value) {
  const { data } = run, key = nodeOf(address), column = columnOf(run, address);
  if (column?.table) throw new Error(`'${address}' is data of ${data.rows} rows: change a constant, or the file`);
  if (!canSet(run, address)) {
    const known = [...data.own, ...run.constant].map((each) => `${each}.value`);
    throw new Error(`there is no parameter or constant '${address}'${nearest(address, [...new Set(known)])}`);
  }
  const [offset, rows, cols, , deep] = data.slots[address], parameter = Object.hasOwn(data.parameters, key);
  const numbers = [value].flat(Infinity), shape = shapeOf(value);
  if (!numbers.every(Number.isFinite)) throw new Error(`'${address}' takes numbers, neither NaN nor Infinity; not ${inWords(numbers.find((each) => !Number.isFinite(each)))}`);
  const wanted = column ? [data.rows, cols] : parameter ? data.parameters[key] : deep ? [rows, cols] : [cols];
  const product = (sizes) => sizes.reduce((all, each) => all * each, 1), size = product(wanted);
  if (numbers.length !== product(shape)) throw new Error(`'${address}' takes rows of one length`);
  const bare = (sizes) => (parameter ? sizes : sizes.slice(sizes.findIndex((each) => each !== 1))); // a constant's row may be bare
  const fits = String(bare(shape)) === String(bare(wanted));
  if (numbers.length !== size || !(fits || size === 1)) throw new Error(`'${address}' is ${wanted.join("×") || 1}; ${shape.join("×") || "a number"} cannot enter`);
  if (column) {
    run.given.set(address, numbers);
    run.written.set(address, value);
    return run.reset();
  }
  restartUpdate(run);
  if (parameter) {
    run.machine.cells.set(numbers, offset);
    run.own = true;
    run.typed.set(address, value);
  } else {
    if (Object.hasOwn(data.settings, address)) data.settings[address].value = numbers[0];
    changeConstants(run, address, value);
  }
  branchOff(run, address, value);
}

/** Where in the cells a setting or a constant stands, and what. */
function cellsOf(run, address, value) {
  const { settings, slots } = run.data;
  if (run.given.has(address) || Object.hasOwn(run.data.choices ?? {}, address)) return [];
  if (typeof value === "number" && Object.hasOwn(settings, address)) return settings[address].cells.map(([at, factor, offset]) => [at, [factor * value + offset]]);
  return [[slots[address][0], [value].flat(Infinity)]];
}

function putInto(constants, cells) {
  for (const [at, numbers] of cells) {
    const place = constants.findIndex(([each]) => each === at);
    constants.splice(place < 0 ? constants.length : place, place < 0 ? 0 : 1, [at, numbers]);
  }
}

/** Change constants from the present update on. */
function changeConstants(run, address, value) {
  const { update } = run.at, cells = cellsOf(run, address, value);
  run.written.set(address, value);
  if (update === 0) putInto(run.constants, cells);
  run.changes.push({ update, constants: cells });
  run.machine.putConstants(cells);
}

/** Change a number that was typed into a node, such as "train.rate"; the run goes on with it. */
function setSetting(run, address, value) {
  const known = run.data.settings;
  if (Object.hasOwn(run.data.choices ?? {}, address)) return chooseStart(run, address, value);
  if (!Object.hasOwn(known, address) && Object.hasOwn(known, `${address}.value`)) address = `${address}.value`;
  const found = Object.hasOwn(known, address) ? known[address] : null;
  if (!found) throw new Error(`'${address}' cannot be changed in a page${nearest(address, Object.keys(known))}; there is ${Object.keys(known).filter((each) => known[each].shown).join(", ") || "no setting"}`);
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`'${address}' is a number, not ${value}`);
  if (found.least !== null && value < found.least) throw new Error(`'${address}' is at least ${found.least}, not ${value}`);
  if (found.most !== null && value > found.most) throw new Error(`'${address}' is at most ${found.most}, not ${value}`);
  restartUpdate(run);
  for (const form of run.forms) if (Object.hasOwn(form.settings, address)) form.settings[address].value = value;
  changeConstants(run, address, value);
  branchOff(run, address, value);
}
