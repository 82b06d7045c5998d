// One store serves one run at a time; what shares nothing runs side by side.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <functional>
#include <thread>

#include "framework/runtime/workers.hpp"
#include "gradus/autodiff/gradient.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::some_values;

// Calls back while it is run, and passes its operand on.
class Callback final : public OpOf<Callback> {
 public:
  static constexpr std::string_view name = "callback";
  explicit Callback(std::function<void()>& f) : function_(f) {}
  Traits traits() const override { return {.impure = true}; }
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    return [&f = function_, n = element_count(shapes.output())](const KernelArgs<T>& args) {
      f();
      std::copy_n(args.input(), n, args.output());
    };
  }

 private:
  std::function<void()>& function_;
};

// An outer program that runs an inner one in the middle of its own run.
class NestedRuns : public testing::Test {
 protected:
  std::function<void()> callback = [] {};
  Graph g;
  Expr w = g.parameter("w", {2}, values({1, 2}));
  Expr called = test::apply(Callback(callback), {w});
  Store<double> store;
  Executable<double> outer = compile<double>({called + 1}, {{w, w * 2}}, 1, store);
};

TEST_F(NestedRuns, OverOneStoreAreAnErrorInDevelopmentBuilds) {
#ifdef NDEBUG
  GTEST_SKIP() << "the check is left out of builds with NDEBUG";
#endif
  auto inner = compile<double>({w}, {}, 1, store);
  callback = [&] { inner.run(); };
  EXPECT_EQ(
      error_of([&] { outer.run(); }),
      "callback at " + to_string(g[called.id()].where) +
          ": run: another executable is running on the same store; give each thread a store of its own");
  callback = [&] { outer.run(); };
  EXPECT_NE(error_of([&] { outer.run(); }), "no error") << "nor may one run within itself";
}

TEST_F(NestedRuns, OverACopyOfTheStoreAreAnErrorToo) {
#ifdef NDEBUG
  GTEST_SKIP() << "the check is left out of builds with NDEBUG";
#endif
  Store<double> copy = store;
  auto inner = compile<double>({w}, {}, 1, copy);
  callback = [&] { inner.run(); };
  EXPECT_NE(error_of([&] { outer.run(); }), "no error");
}

TEST_F(NestedRuns, LeaveBothExecutablesUsable) {
  auto inner = compile<double>({w * 10}, {}, 1, store);
  callback = [&] {
    inner.run();
    throw Error("enough");
  };
  EXPECT_NE(error_of([&] { outer.run(); }), "no error");
  callback = [] {};
  inner.run();
  outer.run();
  EXPECT_EQ(outer.output().values[0] - 1, inner.output().values[0] / 10);
}

TEST_F(NestedRuns, OverTwoStoresAreFine) {
  Store<double> another;
  auto inner = compile<double>({w * 10}, {{w, w + 1}}, 1, another);
  callback = [&] { inner.run(); };
  outer.run();
  outer.run();
  EXPECT_EQ(test::values_of(outer), (std::vector<double>{3, 5}));
  EXPECT_EQ(test::values_of(another, "w"), (std::vector<double>{3, 4}));
  EXPECT_EQ(test::values_of(store, "w"), (std::vector<double>{4, 8}));
}

// Large enough for OpenBLAS and for several tiles.
struct Training {
  Graph g;
  Expr x = g.input("x", {B, 64});
  Expr labels = g.input("labels", {B});
  Expr w1 = g.parameter("w1", {64, 96}, values(some_values(64 * 96, 0.1, 1)));
  Expr b1 = g.parameter("b1", {96});
  Expr w2 = g.parameter("w2", {96, 10}, values(some_values(960, 0.1, 2)));
  Expr loss = cross_entropy(matmul(tanh(matmul(x, w1) + b1), w2), labels);
  std::vector<Update> updates;
  Training() {
    for (const Expr& w : g.parameters()) updates.push_back({w, w - 0.1 * grad(loss, w)});
  }
};

std::vector<float> train(const Training& t, Executable<float>& executable, int seed) {
  const auto batch = static_cast<int>(executable.batch());
  std::vector<double> classes;
  for (int i = 0; i < batch; ++i) classes.push_back((i + seed) % 10);
  std::vector<float> losses;
  for (int step = 0; step < 20; ++step) {
    test::feed(executable, {{t.x, some_values(static_cast<std::size_t>(batch) * 64, 1, seed + step)},
                            {t.labels, classes}});
    executable.run();
    losses.push_back(executable.output().item());
  }
  return losses;
}

std::vector<float> train_alone(int seed) {
  const Training t;
  Store<float> store;
  auto executable = compile<float>({t.loss}, t.updates, 32, store);
  return train(t, executable, seed);
}

TEST(Threads, WithStoresOfTheirOwnComputeWhatEachComputesAlone) {
  const Training t;
  Store<float> first_store, second_store;
  auto first = compile<float>({t.loss}, t.updates, 32, first_store);
  auto second = compile<float>({t.loss}, t.updates, 32, second_store);
  std::vector<float> first_losses, second_losses;
  std::thread one([&] { first_losses = train(t, first, 1); });
  std::thread two([&] { second_losses = train(t, second, 2); });
  one.join();
  two.join();
  EXPECT_EQ(first_losses, train_alone(1));
  EXPECT_EQ(second_losses, train_alone(2));
  EXPECT_LT(first_losses.back(), first_losses.front());
}

TEST(Threads, MayBuildAndCompileGraphsOfTheirOwn) {
  std::vector<float> first_losses, second_losses;
  std::thread one([&] { first_losses = train_alone(1); });
  std::thread two([&] { second_losses = train_alone(2); });
  one.join();
  two.join();
  EXPECT_EQ(first_losses, train_alone(1));
  EXPECT_EQ(second_losses, train_alone(2));
}

// A batch for which steps are shared out.
std::vector<float> train_with(int threads) {
  const Training t;
  Store<float> store;
  auto executable = compile<float>({t.loss}, t.updates, 512, store, {.threads = threads});
  std::vector<float> losses = train(t, executable, 1);
  const auto values = test::values_of(store, "w1");
  losses.insert(losses.end(), values.begin(), values.end());
  return losses;
}

TEST(ThreadsOfARun, ComputeTheSameAsOne) {
  const auto alone = train_with(1);
  for (const int threads : {2, 3}) {
    const auto shared = train_with(threads);
    ASSERT_EQ(shared.size(), alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_NEAR(shared[i], alone[i], 1e-4) << threads;
    EXPECT_EQ(train_with(threads), shared) << "the same bits in every run";
  }
}

TEST(ThreadsOfARun, AreStartedOnlyWhereTheyPay) {
  const auto threads_now = [] {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
  };
  const Training t;
  Store<float> store;
  // The thread sanitizer starts a thread of its own together with the first threads of all.
  const auto first = compile<float>({t.loss}, t.updates, 512, store, {.threads = 3});
  const std::size_t before = threads_now();
  auto tiny = compile<float>({t.loss}, t.updates, 1, store, {.threads = 3});
  EXPECT_EQ(threads_now(), before);
  auto large = compile<float>({t.loss}, t.updates, 512, store, {.threads = 3});
  EXPECT_EQ(threads_now(), before + 2);
}

TEST(ThreadsOfARun, MustBeOneToSome) {
  const Training t;
  Store<float> store;
  for (const int threads : {0, -1, 257})
    EXPECT_EQ(error_of([&] { compile<float>({t.loss}, {}, 1, store, {.threads = threads}); }),
              fmt::format("compile: {} threads; there must be 1 to 256", threads));
}

TEST(ThreadsOfARun, PassOnWhatAPartThrows) {
  for (const std::size_t failing : {0U, 1U, 2U}) {
    Workers workers(2);
    std::array<int, 3> done{};
    const auto part = [&done, failing](std::size_t i) {
      if (i == failing) throw Error("enough");
      ++done[i];
    };
    for (int round = 1; round <= 50; ++round) {
      EXPECT_EQ(error_of([&] { workers.run(part); }), "enough");
      for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(done[i], i == failing ? 0 : round);
    }
  }
}

}  // namespace
}  // namespace gradus
