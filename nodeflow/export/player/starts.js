// Where a run begins: the starts of its parameters, and its data, as the seed says.

/** The start of a parameter, flat. */
function started(key, how, seed) {
  if (how.value) return how.value.map(Number);
  if (how.seeds) {
    if (!Object.hasOwn(how.seeds, seed)) throw new Error(`'${key}' starts from the data, and this page knows its start for the seeds ${Object.keys(how.seeds).join(", ")}`);
    return how.seeds[seed].map(Number);
  }
  if (how.rows) return how.rows.flatMap((row) => started(key, row, seed));
  const { shape, init, row, column, range } = how;
  const random = new Random([seed, how.name]);
  const size = shape.reduce((all, each) => all * each, 1);
  const limit = init === "glorot" && shape.length === 2 ? Math.sqrt(6 / (shape[0] + shape[1])) : 0;
  const draw = { uniform: () => random.uniform(...(range ?? [-0.5, 0.5])), normal: () => random.normal(), glorot: () => (limit ? random.uniform(-limit, limit) : 0) }[init];
  const whole = Array.from({ length: size }, draw);
  if (row === undefined || row === null) return whole;
  const width = shape.length > 1 ? shape[1] : 1;
  return column === undefined || column === null ? whole.slice(row * width, (row + 1) * width) : [whole[row * width + column]];
}

/** The rows of all data, side by side: split and scaled by the seed, as Python does it. */
function feedOf(data, parts, given, seed) {
  const { rows, apart, width } = data, total = rows + apart, feed = new Float64Array(total * width);
  let order = null;
  for (const part of data.columns) {
    const { address, column, count } = part, bytes = parts[`table ${address}`];
    const own = given.get(address), read = part.single ? Float32Array : Float64Array;
    const table = own ?? new read(bytes.buffer, bytes.byteOffset, bytes.byteLength / read.BYTES_PER_ELEMENT);
    if (part.permuted) order ??= new Random([seed, 1]).permutation(total);
    const scale = part.table ? scaleOf(part, table, order, rows, seed) : null;
    for (let at = 0; at < total; at++) {
      const from = part.permuted ? order[at] : at;
      for (let each = 0; each < count; each++) {
        const x = table[from * count + each];
        feed[at * width + column + each] = scale ? scale(x, each) : x;
      }
    }
  }
  return feed;
}

function scaleOf(part, table, order, rows, seed) {
  const { count, minmax, standard, single } = part, round = single ? Math.fround : (x) => x;
  if (!minmax && !standard) return null;
  const low = new Array(count).fill(Infinity), high = new Array(count).fill(-Infinity);
  for (let at = 0; at < rows; at++) {
    const from = part.permuted ? order[at] : at;
    for (let each = 0; each < count; each++) {
      const x = table[from * count + each];
      low[each] = Math.min(low[each], x);
      high[each] = Math.max(high[each], x);
    }
  }
  let offset = low, size = high.map((top, each) => round(top - low[each]));
  if (standard) {
    const known = standard.same ? Object.values(standard.seeds)[0] : Object.hasOwn(standard.seeds, seed) ? standard.seeds[seed] : null;
    if (!known) throw new Error(`this page can scale its data for the seeds ${Object.keys(standard.seeds).join(", ")}`);
    [offset, size] = known;
  }
  return (x, each) => (low[each] === high[each] ? 0 : round(round(x - offset[each]) / size[each]));
}
