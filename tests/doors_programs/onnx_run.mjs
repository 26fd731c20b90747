// As onnx_run.py does, by onnxruntime-web or onnxruntime-node: `node onnx_run.mjs PROGRAM cases.json`.
import fs from "node:fs";

const [program, path] = process.argv.slice(2);
const loaded = await import(program);
const ort = loaded.default ?? loaded;
const options = program === "onnxruntime-web" ? { executionProviders: ["wasm"] } : {};

for (const { asked, file, dtype, given, right } of JSON.parse(fs.readFileSync(path))) {
  const Kind = dtype === "float64" ? Float64Array : Float32Array;
  let apart = 0;
  try {
    const session = await ort.InferenceSession.create(fs.readFileSync(file), options);
    const feeds = {};
    for (const [name, [shape, values]] of Object.entries(given))
      feeds[name] = new ort.Tensor(dtype, Kind.from(values), shape);
    const found = await session.run(feeds);
    for (const [name, values] of Object.entries(right)) {
      const size = Math.max(1, ...values.map(Math.abs));
      values.forEach((value, at) => {
        const far = Math.abs(found[name].data[at] - value) / size;
        apart = far <= apart ? apart : far;
      });
    }
  } catch (error) {
    apart = String(error).slice(-300);
  }
  console.log("=" + JSON.stringify([asked, apart]));
}
