// Reads and writes files for the scripts beside it, which hold them against Python's own readers and writers.
//
//   interop_files copy FROM TO          reads all tensors or arrays, and writes them again by TO's extension
//   interop_files deflate FROM TO       the same to NPZ, deflated
//   interop_files logits WEIGHTS X OUT  a 784-128-10 network with PyTorch's weights, on the rows of X, in the
//                                       precision of X
#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/gradus.hpp"
#include "gradus/train/weights.hpp"

namespace {

using namespace gradus;

void copy_file(const std::filesystem::path& from, const std::filesystem::path& to, bool deflate) {
  if (from.extension() == ".npy") return write_npy(to, NpyFile(from).tensor());
  const TensorFile file(from);
  if (deflate)
    write_npz(to, file.tensors(), {.deflate = true});
  else
    write_tensors(to, file.tensors(), file.metadata());
}

// docs/files.md shows this mapping.
template <class T> void logits(const std::string& weights, const NpyFile& x, const std::string& out) {
  Graph g;
  const Expr input = g.input("x", {B, 784});
  const Expr y = linear(relu(linear(input, 128, "hidden")), 10, "output");
  Store<T> store;
  auto predict = compile<T>({y}, {}, x.tensor().extents.at(0), store);
  load_weights(store, weights, torch_linear("hidden", "fc1") + torch_linear("output", "fc2"));
  predict.feed(input, x.values<T>());
  predict.run();
  write_npy(out, tensor_bytes("logits", {x.tensor().extents[0], 10}, predict.output().values));
  // And back, as PyTorch wants them.
  save_weights(store, out + ".safetensors", torch_linear("hidden", "fc1") + torch_linear("output", "fc2"));
}

void logits(const std::string& weights, const std::string& samples, const std::string& out) {
  const NpyFile x(samples);
  if (x.tensor().type == ElementType::f64)
    logits<double>(weights, x, out);
  else
    logits<float>(weights, x, out);
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && (words[0] == "copy" || words[0] == "deflate"))
    copy_file(words[1], words[2], words[0] == "deflate");
  else if (words.size() == 4 && words[0] == "logits")
    logits(words[1], words[2], words[3]);
  else
    throw Error("expected copy FROM TO, deflate FROM TO or logits WEIGHTS X OUT");
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "interop_files: {}\n", error.what());
  return 1;
}
