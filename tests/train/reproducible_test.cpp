// In reproducible mode, a training has the same bits with any number of threads, with AVX2 as with AVX-512,
// and whether or not ops are fused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "gradus/base/random.hpp"
#include "gradus/gradus.hpp"
#include "gradus/simd/isa.hpp"
#include "tests/support/folder.hpp"

namespace gradus {
namespace {

// A network, and the sizes that it is trained with.
struct Case {
  const char* name;
  std::int64_t inputs, outputs, batch;
  std::function<Expr(const Expr& x, const Expr& t)> loss;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"mnist", 784, 10, 32,
       [](const Expr& x, const Expr& t) {
         return cross_entropy(linear(relu(linear(x, 128, "hidden")), 10, "output"), softmax(t));
       }},
      {"large batch", 784, 10, 300,
       [](const Expr& x, const Expr& t) {
         return cross_entropy(linear(relu(linear(x, 128, "hidden")), 10, "output"), softmax(t));
       }},
      {"odd sizes", 37, 3, 11,
       [](const Expr& x, const Expr& t) {
         const Expr h = tanh(linear(sigmoid(linear(x, 13, "a")), 5, "b"));
         return mse(linear(h, 3, "c"), t);
       }},
      {"one output of long rows", 3000, 1, 7,
       [](const Expr& x, const Expr& t) { return mse(linear(gelu(linear(x, 2, "a")), 1, "b"), t); }},
      {"a single sample", 700, 40, 1,
       [](const Expr& x, const Expr& t) { return mse(linear(softplus(linear(x, 66, "a")), 40, "b"), t); }},
      {"a wide layer", 20, 600, 40,
       [](const Expr& x, const Expr& t) { return mse(linear(relu(linear(x, 530, "a")), 600, "b"), t); }},
      {"normalised", 64, 8, 50,
       [](const Expr& x, const Expr& t) {
         const Expr h = layer_norm(linear(x, 48, "a"), "norm");
         return mean(logsumexp(linear(h, 8, "b") * t)) + norm(h) / 100;
       }},
  };
  return all;
}

// All variables after some steps, as bytes.
template <class T> std::string trained(const Case& c, const CompileOptions& options) {
  Graph g;
  const Expr x = g.input("x", {B, c.inputs}), t = g.input("t", {B, c.outputs});
  Store<T> store;
  auto program = compile<T>({}, adam(c.loss(x, t), {.rate = 0.01}), c.batch, store, options);
  Random random(7);
  for (const Expr& input : {x, t})
    for (T& v : program.buffer(input)) v = static_cast<T>(random.uniform(-1, 1));
  for (int step = 0; step < 5; ++step) program.run();
  std::string bytes;
  for (const std::string& name : store.names()) {
    const auto values = std::as_bytes(store.values(name));
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size());
  }
  return bytes;
}

template <class T> std::string trained(const Case& c, int threads, bool optimize = true) {
  return trained<T>(c, {.optimize = optimize, .threads = threads, .reproducible = true});
}

template <class T> class Reproducible : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Reproducible, Types);

TYPED_TEST(Reproducible, WithAnyNumberOfThreads) {
  for (const Case& c : cases()) {
    const std::string one = trained<TypeParam>(c, 1);
    for (const int threads : {2, 3, 5}) EXPECT_TRUE(trained<TypeParam>(c, threads) == one) << c.name;
  }
}

// Without optimisation, constants are not folded either; here there are none whose rounding matters.
TYPED_TEST(Reproducible, WithoutFusion) {
  for (const Case& c : cases())
    EXPECT_TRUE(trained<TypeParam>(c, 1, false) == trained<TypeParam>(c, 1)) << c.name;
}

TYPED_TEST(Reproducible, ALargerBatchHasTheSameRows) {
  using T = TypeParam;
  Graph g;
  const Expr x = g.input("x", {B, 300});
  const Expr y = linear(tanh(linear(x, 70, "a")), 9, "b");
  Store<T> store;
  const CompileOptions options{.reproducible = true};
  auto many = compile<T>({y}, {}, 250, store, options);
  Random random(3);
  for (T& v : many.buffer(x)) v = static_cast<T>(random.uniform(-1, 1));
  many.run();
  for (const std::int64_t batch : {2, 25, 125}) {
    auto some = compile<T>({y}, {}, batch, store, options);
    some.feed(x, std::span<const T>(many.buffer(x)).first(some.buffer(x).size()));
    some.run();
    const auto rows = some.output().values;
    EXPECT_TRUE(std::ranges::equal(rows, many.output().values.first(rows.size()))) << batch;
  }
}

// A second fit of the same trainer, ragged last batches, and what is predicted then.
TYPED_TEST(Reproducible, ATrainerWithAnyNumberOfThreads) {
  using T = TypeParam;
  constexpr std::int64_t samples = 150;
  std::vector<double> x(samples * 300), t(samples * 2);
  Random random(11);
  for (double& v : x) v = random.uniform(-1, 1);
  for (double& v : t) v = random.uniform(-1, 1);
  const Dataset<T> data(samples, {x, t});
  const auto trained_by = [&](int threads) {
    Trainer<T> trainer({.inputs = {{"x", {B, 300}}},
                        .target = {"t", {B, 2}},
                        .network =
                            [](const std::vector<Expr>& in, Mode& mode) {
                              const Expr h = relu(batch_norm(linear(in[0], 200, "hidden"), "norm", mode));
                              return linear(dropout(h, 0.1, "drop", mode), 2, "output");
                            },
                        .loss = mse,
                        .optimizer = adam({.rate = 0.01}).clip_norm(1)});
    const FitOptions<T> options{
        .epochs = 2, .batch = 64, .verbose = false, .threads = threads, .reproducible = true};
    trainer.fit(data, options);
    trainer.fit(data, options);
    std::vector<T> values = trainer.predict(data);
    for (const std::string& name : trainer.store().names())
      for (const T v : trainer.store().values(name)) values.push_back(v);
    return values;
  };
  const std::vector<T> one = trained_by(1);
  for (const int threads : {2, 3}) EXPECT_EQ(trained_by(threads), one) << threads;
}

// It runs itself in other processes, which write what they have trained.
TEST(ReproducibleProcess, WithAvx2AsWithAvx512) {
  if (const char* const output = std::getenv("GRADUS_TEST_FILE"); output != nullptr) {
    std::ofstream file(output, std::ios::binary);
    for (const Case& c : cases()) file << trained<float>(c, 1) << trained<double>(c, 2);
    return;
  }
  if (current_isa() != Isa::avx512) GTEST_SKIP() << "this CPU has no AVX-512";
  const test::TemporaryFolder folder;
  std::vector<std::string> written;
  for (const std::string isa : {"avx2", "avx512"}) {
    const std::string file = folder.path() / isa;
    const std::string command = "GRADUS_ISA=" + isa + " GRADUS_TEST_FILE='" + file + "' '" +
                                std::filesystem::read_symlink("/proc/self/exe").string() +
                                "' --gtest_filter='ReproducibleProcess.*' > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    written.push_back(test::contents(file));
  }
  ASSERT_GT(written[0].size(), 1'000'000U);
  EXPECT_TRUE(written[0] == written[1]);
}

}  // namespace
}  // namespace gradus
