// brain.js: `node brain.js made FILE KIND` trains a moment, saves, and prints what it gives for
// (0.3, -0.7, 0.2); `node brain.js run FILE` prints what a saved network gives.
const { createRequire } = require("module");
const { NeuralNetwork } = createRequire(process.cwd() + "/")("brain.js");
const fs = require("fs");
const [what, file, kind] = process.argv.slice(2);
let net = new NeuralNetwork();
if (what === "made") {
  net = new NeuralNetwork({ hiddenLayers: [4], activation: kind });
  net.train([{ input: [0, 1, 0.5], output: [1, 0] }, { input: [1, 0, -0.2], output: [0, 1] }],
    { iterations: 9, activation: kind });
  fs.writeFileSync(file, JSON.stringify(net.toJSON()));
} else {
  net = new NeuralNetwork().fromJSON(JSON.parse(fs.readFileSync(file)));
}
console.log(Array.from(net.run([0.3, -0.7, 0.2])).join(" "));
