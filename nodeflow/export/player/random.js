// NumPy's random numbers, for starts and splits: PCG64 and what its Generator makes of it.
//
// M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
// Random Number Generation", 2014; seeds by NumPy's SeedSequence, after O'Neill's randutils. Normal
// numbers by G. Marsaglia and W. Tsang, "The Ziggurat Method for Generating Random Variables", 2000.

const MASK64 = (1n << 64n) - 1n, MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** The four words of 64 bits that NumPy makes of whole numbers. */
function seedWords(numbers) {
  const entropy = numbers.flatMap((number) => {
    const words = [];
    for (let rest = BigInt(number); rest > 0n || !words.length; rest >>= 32n) words.push(Number(rest & 0xffffffffn));
    return words;
  });
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const found = (Math.imul(0xca01f9dd, x) - Math.imul(0x4973f715, y)) >>> 0;
    return (found ^ (found >>> 16)) >>> 0;
  };
  const pool = [0, 1, 2, 3].map((at) => hash(at < entropy.length ? entropy[at] : 0));
  for (let from = 0; from < 4; from++) for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  for (let from = 4; from < entropy.length; from++) for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(entropy[from]));
  constant = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, at) => {
    let value = (pool[at % 4] ^ constant) >>> 0;
    constant = Math.imul(constant, 0x58f38ded) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  });
  return [0, 2, 4, 6].map((at) => BigInt(words[at]) | (BigInt(words[at + 1]) << 32n));
}

/** The tables of the ziggurat, which come with a page that draws normal numbers. */
const ZIGGURAT = { far: 3.6541528853610088 };

function readZiggurat(bytes) {
  const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, 768);
  Object.assign(ZIGGURAT, { widths: numbers.slice(0, 256), bounds: Array.from(numbers.slice(256, 512), BigInt), heights: numbers.slice(512) });
}

/** What `numpy.random.default_rng([seed, …])` draws. */
class Random {
  constructor(numbers) {
    const [high, low, high2, low2] = seedWords(numbers);
    this.increment = ((((high2 << 64n) | low2) << 1n) | 1n) & MASK128;
    this.state = 0n;
    this.turn();
    this.state = (this.state + ((high << 64n) | low)) & MASK128;
    this.turn();
    this.half = null;
  }

  turn() { this.state = (this.state * MULTIPLIER + this.increment) & MASK128; }

  next64() {
    this.turn();
    const both = (this.state >> 64n) ^ (this.state & MASK64), by = this.state >> 122n;
    return ((both >> by) | (both << (64n - by))) & MASK64;
  }

  next32() {
    if (this.half !== null) {
      const found = this.half;
      this.half = null;
      return found;
    }
    const whole = this.next64();
    this.half = Number(whole >> 32n);
    return Number(whole & 0xffffffffn);
  }

  /** A number from 0 to below 1. */
  double() { return Number(this.next64() >> 11n) / 9007199254740992; }

  uniform(low, high) { return low + (high - low) * this.double(); }

  normal() {
    const { widths, bounds, heights } = ZIGGURAT;
    for (;;) {
      const drawn = this.next64(), layer = Number(drawn & 0xffn), rest = (drawn >> 9n) & 0xfffffffffffffn;
      const size = Number(rest) * widths[layer], x = (drawn >> 8n) & 1n ? -size : size;
      if (rest < bounds[layer]) return x;
      if (layer === 0) {
        for (;;) {
          const along = -(1 / ZIGGURAT.far) * Math.log1p(-this.double()), down = -Math.log1p(-this.double());
          if (down + down > along * along) return (rest >> 8n) & 1n ? -(ZIGGURAT.far + along) : ZIGGURAT.far + along;
        }
      }
      if ((heights[layer - 1] - heights[layer]) * this.double() + heights[layer] < Math.exp(-0.5 * x * x)) return x;
    }
  }

  /** 0 … count − 1 in another order. */
  permutation(count) {
    const found = Array.from({ length: count }, (_, at) => at);
    for (let at = count - 1; at > 0; at--) {
      const other = this.upTo(at);
      [found[at], found[other]] = [found[other], found[at]];
    }
    return found;
  }

  upTo(most) {
    const mask = 2 ** Math.ceil(Math.log2(most + 1)) - 1;
    for (;;) {
      const found = (this.next32() & mask) >>> 0;
      if (found <= most) return found;
    }
  }
}

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
