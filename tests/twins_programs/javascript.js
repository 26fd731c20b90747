// Trains the 2-2-2 network of graphs/twins/ in brain.js, synaptic, neataptic, convnetjs and
// TensorFlow.js; prints {name: {version, weights}} as JSON: node javascript.js NAME…
const { createRequire } = require("module");
const own = createRequire(process.cwd() + "/");
const X = [[0.05, 0.1], [1, 0], [0.3, -0.8]], T = [[0.01, 0.99], [0.99, 0.01], [0.2, 0.7]];
const W1 = [[0.15, 0.2], [0.25, 0.3]], B1 = [0.35, 0.35];
const W2 = [[0.4, 0.45], [0.5, 0.55]], B2 = [0.6, 0.6];
const LAST = 60, KEPT = [1, 2, 3, 20, LAST];
const state = (w1, b1, w2, b2) => ({
  "theta1.value": w1, "bias1.value": b1, "theta2.value": w2, "bias2.value": b2 });
const rows = (a) => a.map((r) => Array.from(r));

function each(step, now) {
  const found = {};
  for (let n = 1; n <= LAST; n++) {
    step(X[(n - 1) % 3], T[(n - 1) % 3]);
    if (KEPT.includes(n)) found[n] = now();
  }
  return found;
}

function brain() {
  const { NeuralNetwork } = own("brain.js");
  const net = new NeuralNetwork({ hiddenLayers: [2], activation: "sigmoid", learningRate: 0.5,
    momentum: 0.1 });
  net.sizes = [2, 2, 2];
  net.initialize();
  [null, W1, W2].forEach((w, l) => w && w.forEach((r, i) => net.weights[l][i].set(r)));
  [null, B1, B2].forEach((b, l) => b && net.biases[l].set(b));
  return each((x, t) => {
    net.runInput(Float32Array.from(x));
    net.calculateDeltas(Float32Array.from(t));
    net.adjustWeights(0.5);
  }, () => state(rows(net.weights[1]), Array.from(net.biases[1]), rows(net.weights[2]),
    Array.from(net.biases[2])));
}

function brainAdam() {
  const { NeuralNetwork } = own("brain.js");
  const net = new NeuralNetwork({ hiddenLayers: [2], activation: "sigmoid" });
  net.sizes = [2, 2, 2];
  net.initialize();
  Object.assign(net.trainOpts, { learningRate: 0.01, praxis: "adam", beta1: 0.9, beta2: 0.999,
    epsilon: 1e-8 });
  net._setupAdam();
  [null, W1, W2].forEach((w, l) => w && w.forEach((r, i) => net.weights[l][i].set(r)));
  [null, B1, B2].forEach((b, l) => b && net.biases[l].set(b));
  return each((x, t) => {
    net.runInput(Float32Array.from(x));
    net.calculateDeltas(Float32Array.from(t));
    net.adjustWeights();
  }, () => state(rows(net.weights[1]), Array.from(net.biases[1]), rows(net.weights[2]),
    Array.from(net.biases[2])));
}

function synaptic() {
  const { Layer, Network } = own("synaptic");
  const layers = [new Layer(2), new Layer(2), new Layer(2)];
  layers[0].project(layers[1]);
  layers[1].project(layers[2]);
  const net = new Network({ input: layers[0], hidden: [layers[1]], output: layers[2] });
  const into = (to, from, j, i) => Object.values(layers[to].list[j].connections.inputs)
    .find((c) => c.from === layers[from].list[i]);
  [[1, W1, B1], [2, W2, B2]].forEach(([l, w, b]) => w.forEach((r, j) => {
    layers[l].list[j].bias = b[j];
    r.forEach((v, i) => { into(l, l - 1, j, i).weight = v; });
  }));
  net.setOptimize(false);
  const read = (l) => [0, 1].map((j) => [0, 1].map((i) => into(l, l - 1, j, i).weight));
  const bias = (l) => layers[l].list.map((n) => n.bias);
  return each((x, t) => { net.activate(x); net.propagate(0.5, t); },
    () => state(read(1), bias(1), read(2), bias(2)));
}

function neataptic() {
  const { architect } = own("neataptic");
  const net = new architect.Perceptron(2, 2, 2);
  const at = (j) => net.nodes[j];
  const into = (j, i) => at(j).connections.in.find((c) => c.from === at(i));
  [[2, W1, B1], [4, W2, B2]].forEach(([l, w, b]) => w.forEach((r, j) => {
    at(l + j).bias = b[j];
    r.forEach((v, i) => { into(l + j, l - 2 + i).weight = v; });
  }));
  const read = (l) => [0, 1].map((j) => [0, 1].map((i) => into(l + j, l - 2 + i).weight));
  const bias = (l) => [at(l).bias, at(l + 1).bias];
  return each((x, t) => { net.activate(x, true); net.propagate(0.5, 0, true, t); },
    () => state(read(2), bias(2), read(4), bias(4)));
}

function convnet() {
  const js = own("convnetjs");
  const net = new js.Net();
  net.makeLayers([{ type: "input", out_sx: 1, out_sy: 1, out_depth: 2 },
    { type: "fc", num_neurons: 2, activation: "sigmoid" }, { type: "regression", num_neurons: 2 }]);
  const full = net.layers.filter((l) => l.layer_type === "fc");
  [[W1, B1], [W2, B2]].forEach(([w, b], k) => {
    w.forEach((r, j) => r.forEach((v, i) => { full[k].filters[j].w[i] = v; }));
    b.forEach((v, j) => { full[k].biases.w[j] = v; });
  });
  const trainer = new js.SGDTrainer(net, { learning_rate: 0.5, momentum: 0.9, batch_size: 1,
    l2_decay: 0 });
  const read = (k) => full[k].filters.map((f) => Array.from(f.w));
  const bias = (k) => Array.from(full[k].biases.w);
  return each((x, t) => trainer.train(new js.Vol(x), t),
    () => state(read(0), bias(0), read(1), bias(1)));
}

function tensorflow(way) {
  const tf = own("@tensorflow/tfjs");
  const [w1, b1, w2, b2] = [W1, B1, W2, B2].map((v) => tf.variable(tf.tensor(v)));
  const optimizer = { sgd: () => tf.train.sgd(0.5), momentum: () => tf.train.momentum(0.5, 0.9),
    adam: () => tf.train.adam(0.01) }[way]();
  return each((x, t) => optimizer.minimize(() => {
    const h = tf.tensor2d([x]).matMul(w1, false, true).add(b1).sigmoid();
    const a = h.matMul(w2, false, true).add(b2).sigmoid();
    return tf.losses.meanSquaredError(tf.tensor2d([t]), a);
  }), () => state(w1.arraySync(), b1.arraySync(), w2.arraySync(), b2.arraySync()));
}

const WAYS = { "brain-js": [brain, "brain.js"],
  "brain-js-adam": [brainAdam, "brain.js"], synaptic: [synaptic, "synaptic"],
  neataptic: [neataptic, "neataptic"], convnetjs: [convnet, "convnetjs"],
  "tensorflow-js-sgd": [() => tensorflow("sgd"), "@tensorflow/tfjs"],
  "tensorflow-js-momentum": [() => tensorflow("momentum"), "@tensorflow/tfjs"],
  "tensorflow-js-adam": [() => tensorflow("adam"), "@tensorflow/tfjs"] };
const document = {};
for (const name of process.argv.slice(2)) {
  const [train, pack] = WAYS[name];
  const file = `${process.cwd()}/node_modules/${pack}/package.json`;
  const version = JSON.parse(require("fs").readFileSync(file)).version;
  document[name] = { version, weights: train() };
}
process.stdout.write(JSON.stringify(document));
