// What a user's program does with the library, for the sweep of faults: `library compile | fit | resume |
// fetch`. An exception is printed, and the status is 1.

#include <unistd.h>

#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <string_view>

#include "gradus/data/mapped_file.hpp"
#include "gradus/gradus.hpp"
#include "models/data/file_writing.hpp"
#ifdef GRADUS_FAULTS_FETCH
#include "models/app/fetch/fetch_file.hpp"
#endif

namespace {

using namespace gradus;

void print(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text))
    throw Error(std::string("the standard output cannot be written: ") + std::strerror(error));
}

// A product that is worth sharing out to threads.
void compile_with_threads() {
  constexpr std::int64_t n = 256;
  Graph g;
  const Expr x = g.input("x", {n, n});
  const Expr y = sum(tanh(matmul(x, x)));
  Store<float> store(1);
  auto program = gradus::compile<float>({y, grad(y, x)}, {}, 1, store, {.threads = 3});
  const std::vector<float> values(n * n, 0.001F);
  program.feed(x, values);
  program.run();
  print(std::to_string(program.output().item()) + "\n");
}

Trainer<float> new_trainer() {
  return Trainer<float>({.inputs = {{"x", {B, 2}}},
                         .target = {"t", {B, 1}},
                         .network =
                             [](const std::vector<Expr>& in, Mode& mode) {
                               const Expr h = batch_norm(tanh(linear(in[0], 4, "hidden")), "norm", mode);
                               return linear(dropout(h, 0.1, "drop", mode), 1, "output");
                             },
                         .loss = mse,
                         .metrics = {mean_absolute_error()},
                         .optimizer = adam({.rate = 0.05}).clip_norm(1)},
                        1);
}

Dataset<float> four_rows() {
  return {4, std::vector<std::vector<double>>{{0, 0, 0, 1, 1, 0, 1, 1}, {0, 1, 1, 0}}};
}

void fit() {
  Trainer<float> trainer = new_trainer();
  trainer.fit(four_rows(), {.epochs = 2,
                            .batch = 2,
                            .callbacks = {early_stopping({.monitor = "loss", .patience = 4})},
                            .verbose = false});
  trainer.save_checkpoint("checkpoint.safetensors");
  trainer.save_weights("weights.safetensors");
  trainer.load_weights("weights.safetensors");
  for (const float y : trainer.predict(four_rows())) print(std::to_string(y) + "\n");
}

void resume() {
  Trainer<float> trainer = new_trainer();
  trainer.resume("checkpoint.safetensors");
  const History history =
      trainer.fit(four_rows(), {.epochs = 3,
                                .batch = 2,
                                .callbacks = {early_stopping({.monitor = "loss", .patience = 4})},
                                .verbose = false});
  print(history.csv());
}

#ifdef GRADUS_FAULTS_FETCH
std::string sum_of(std::string_view bytes) { return std::to_string(std::hash<std::string_view>()(bytes)); }

void fetch() {
  const std::string mirror = "file://" + std::filesystem::current_path().string() + "/mirror";
  fetch_file(
      {.name = "data.bin",
       .sha256 = sum_of(std::string(1000, 'x')),
       .most_bytes = 4000,
       .sum = [](const std::filesystem::path& path) { return sum_of(MappedFile(path, "file").bytes()); }},
      {.mirrors = {mirror}, .folder = "cache", .print = [](std::string_view text) { print(text); }});
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  try {
    if (what == "compile") compile_with_threads();
    if (what == "fit") fit();
    if (what == "resume") resume();
#ifdef GRADUS_FAULTS_FETCH
    if (what == "fetch") fetch();
#endif
    return 0;
  } catch (const std::bad_alloc&) {
    write_all(STDERR_FILENO, "memory ran out");
    return 1;
  } catch (const std::exception& error) {
    write_all(STDERR_FILENO, error.what());
    return 1;
  }
}
