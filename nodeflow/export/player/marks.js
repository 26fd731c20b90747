// The marks that views are drawn with, as those of `nodeflow.views`: rectangles, lines, dots, words and pixels.

const LETTERS = [ // widths of the characters from the blank on, in thousandths of the size: DejaVu Sans, as in pictures
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
  1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
  500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
const WIDER = { "−": 838, "…": 1000, "←": 838, "→": 838, "↑": 838, "×": 838, "·": 318, ...Object.fromEntries([..."₀₁₂₃₄₅₆₇₈₉"].map((digit) => [digit, 401])) };

const wideness = (words, size = 11) => (size * [...words].reduce((sum, each) => sum + (LETTERS[each.charCodeAt(0) - 32] ?? WIDER[each] ?? 612), 0)) / 1000;

/** As much of a text as there is room for. */
function shortened(words, room, size = 11) {
  if (wideness(words, size) <= room) return words;
  let count = words.length - 1;
  while (count > 0 && wideness(`${words.slice(0, count).trimEnd()}…`, size) > room) count--;
  return `${words.slice(0, count).trimEnd()}…`;
}

function styled(made, styles) {
  Object.assign(made.style, styles);
  return made;
}

const rectangle = (x, y, width, height, fill) => styled(shape("rect", { x, y, width: Math.max(width, 0), height: Math.max(height, 0) }), { fill });
const lettering = (x, y, said, { fill = "var(--text)", size = 11, anchor = "start" } = {}) => styled(shape("text", { x, y }, said), { fill, fontSize: `${size}px`, textAnchor: anchor });
const polyline = (points, colour, thick = 1, dashes = "none") => styled(shape("polyline", { points: points.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" ") }), { fill: "none", stroke: colour, strokeWidth: thick, strokeLinejoin: "round", strokeDasharray: dashes });
const spot = ([x, y], r, fill) => styled(shape("circle", { cx: x, cy: y, r }), { fill, stroke: "var(--body)", strokeWidth: 0.8 });
const between = (one, other, share) => `color-mix(in srgb, ${one}, ${other} ${(100 * share).toFixed(1)}%)`;

const CLASS_COLOURS = ["negative", "positive", "backward", "feedback", "forward", "problem", "selected", "faint", "border", "text"].map((name) => `--${name}`);
const LINE_COLOURS = ["selected", "positive", "backward", "feedback"].map((name) => `var(--${name})`);

/** The mark of a class: circle, square or triangle in its colour. */
function classMark([x, y], number, r = 2.6) {
  const kind = number % 3, made = kind === 0 ? shape("circle", { cx: x, cy: y, r })
    : kind === 1 ? shape("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r })
    : shape("path", { d: `M${x} ${y - r}L${x + r} ${y + r}L${x - r} ${y + r}Z` });
  return styled(made, { fill: `var(${CLASS_COLOURS[number % CLASS_COLOURS.length]})`, stroke: "var(--canvas)", strokeWidth: 0.8 });
}

/** A picture of pixels, a colour each, in an area; `colourOf` gives red, green, blue from 0 to 255. */
function pixels(rows, columns, colourOf, [x, y, width, height]) {
  const sheet = document.createElement("canvas");
  sheet.width = columns;
  sheet.height = rows;
  const context = sheet.getContext("2d"), data = context.createImageData(columns, rows);
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) data.data.set([...colourOf(row, column), 255], 4 * (row * columns + column));
  context.putImageData(data, 0, 0);
  return styled(shape("image", { x, y, width, height, preserveAspectRatio: "none", href: sheet.toDataURL() }), { imageRendering: "pixelated" });
}

const mix = (one, other, share) => one.map((each, at) => Math.round(each + (other[at] - each) * share));

/** A sentence in as many lines as there is room for. */
function sentenceIn(said, [left, top, width, height]) {
  const lines = [""];
  for (const word of said.split(" ")) {
    if (lines.at(-1) && wideness(`${lines.at(-1)} ${word}`) > width - 8) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trim());
  }
  return lines.slice(0, Math.floor(height / 17)).map((line, at) => lettering(left + 4, top + 14 + 17 * at, line, { fill: "var(--faint)" }));
}
