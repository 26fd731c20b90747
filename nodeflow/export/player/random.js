// NumPy's random numbers: PCG64 and what its Generator makes of it.
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
