/** By `make page-model`: what the page loads when the reader asks for it, in bytes, and its origin. */
const DigitsFiles = {
  "checkpoint": "ddpm-mnist-conditional",
  "weights": "43faeee24bc2adcaa7606cabea1a60dc1098c4a6d829c2e56b3e5fce2b4a36bc",
  "command": "make page-model",
  "torch": "2.13.0",
  "onnx": "1.23.2",
  "sha256": "98405594328fd4cd7d010f16769c954126dc68ce54c330e429d1949aeb7022a2",
  "files": {
    "engine": {
      "path": "../vendor/onnxruntime-web/ort.wasm.bundle.min.mjs",
      "bytes": 73054
    },
    "wasm": {
      "path": "../vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz",
      "bytes": 3659927
    },
    "network": {
      "path": "ddpm-mnist-conditional.onnx",
      "bytes": 3215452
    }
  }
};
