// Sums in NumPy's order.

/** NumPy's mean of a row of costs: its order of addition follows from how many there are. */
function meanOf(numbers, single) {
  const round = single ? Math.fround : (x) => x;
  return round((0 + pairwise(numbers, 0, numbers.length, round)) / numbers.length); // its sums begin at 0: −0 is none
}

function pairwise(numbers, begin, count, round) {
  if (count < 8) {
    let sum = count ? numbers[begin] : 0;
    for (let at = 1; at < count; at++) sum = round(sum + numbers[begin + at]);
    return sum;
  }
  if (count <= 128) {
    const r = numbers.slice(begin, begin + 8);
    let at = 8;
    for (; at < count - (count % 8); at += 8) for (let lane = 0; lane < 8; lane++) r[lane] = round(r[lane] + numbers[begin + at + lane]);
    let sum = round(round(round(r[0] + r[1]) + round(r[2] + r[3])) + round(round(r[4] + r[5]) + round(r[6] + r[7])));
    for (; at < count; at++) sum = round(sum + numbers[begin + at]);
    return sum;
  }
  let half = Math.floor(count / 2);
  half -= half % 8;
  return round(pairwise(numbers, begin, half, round) + pairwise(numbers, begin + half, count - half, round));
}
