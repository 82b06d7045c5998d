// A run allocates nothing.

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <thread>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::allocations_of;
using test::some_values;

#define SKIP_UNDER_SANITIZERS()            \
  if (!test::allocations_can_be_counted()) \
  GTEST_SKIP() << "the sanitizer needs malloc for itself: allocations are not counted"

// Keeps the compiler from leaving an allocation out whose memory nobody uses.
template <class P> P* used(P* pointer) {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

TEST(AllocationCounter, CountsEveryRoute) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(allocations_of([] { std::free(used(std::malloc(10))); }), 1U);
  EXPECT_EQ(allocations_of([] { std::free(used(std::calloc(10, 10))); }), 1U);
  EXPECT_EQ(allocations_of([] { std::free(used(std::realloc(used(std::malloc(10)), 1000))); }), 2U);
  EXPECT_EQ(allocations_of([] { std::free(used(std::aligned_alloc(64, 128))); }), 1U);
  EXPECT_EQ(allocations_of([] { std::free(used(memalign(64, 128))); }), 1U);
  EXPECT_EQ(allocations_of([] {
              void* memory = nullptr;
              if (posix_memalign(&memory, 64, 128) == 0) std::free(used(memory));
            }),
            1U);
  EXPECT_EQ(allocations_of([] {
              munmap(used(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), 4096);
            }),
            1U);
}

TEST(AllocationCounter, CountsEveryOperatorNew) {
  SKIP_UNDER_SANITIZERS();
  struct alignas(64) Line {
    char bytes[64];
  };
  EXPECT_EQ(allocations_of([] { delete used(new int(1)); }), 1U);
  EXPECT_EQ(allocations_of([] { delete[] used(new int[10]); }), 1U);
  EXPECT_EQ(allocations_of([] { delete used(new (std::nothrow) int(1)); }), 1U);
  EXPECT_EQ(allocations_of([] { delete used(new Line); }), 1U);
  EXPECT_EQ(allocations_of([] { delete[] used(new Line[3]); }), 1U);
  EXPECT_EQ(allocations_of([] { used(std::make_shared<int>(1).get()); }), 1U);
  EXPECT_EQ(allocations_of([] { used(std::vector<double>(10).data()); }), 1U);
}

TEST(AllocationCounter, CountsOnlyWhileItLives) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(allocations_of([] {}), 0U);
  delete used(new int(1));
  EXPECT_EQ(allocations_of([] {}), 0U);
}

TEST(AllocationCounter, CountsItsOwnThreadOnly) {
  SKIP_UNDER_SANITIZERS();
  std::atomic<int> stage = 0;
  std::thread other([&] {
    while (stage != 1) std::this_thread::yield();
    delete used(new int(1));
    stage = 2;
  });
  EXPECT_EQ(allocations_of([&] {
              stage = 1;
              while (stage != 2) std::this_thread::yield();
            }),
            0U);
  other.join();
}

// The graph, updates and feeds of one training program.
struct Model {
  Graph g;
  Expr loss;
  std::vector<Update> updates;
  std::vector<test::Feed> feeds;

  Expr weights(const std::string& name, const Shape& shape, int seed, double scale = 1) {
    return g.parameter(name, shape, values(some_values(shape.element_count().constant(), scale, seed)));
  }
  void sgd_step(double rate) {
    for (const Expr& w : g.parameters()) updates.push_back({w, w - rate * grad(loss, w)});
  }
};

template <class T> void expect_no_allocations(const Model& m, std::int64_t batch) {
  Store<T> store;
  auto executable = compile<T>({m.loss}, m.updates, batch, store);
  std::vector<std::vector<T>> numbers;
  for (const test::Feed& feed : m.feeds) numbers.emplace_back(feed.values.begin(), feed.values.end());
  const auto feed_and_run = [&] {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      executable.feed(m.feeds[i].leaf, std::span<const T>(numbers[i]));
      executable.feed(m.feeds[i].leaf.graph()[m.feeds[i].leaf.id()].label, std::span<const T>(numbers[i]));
    }
    executable.run();
  };
  // OpenBLAS allocates its buffers when it is first called.
  feed_and_run();
  const T first = executable.output().item();
  EXPECT_EQ(allocations_of([&] {
              for (int step = 0; step < 20; ++step) feed_and_run();
            }),
            0U);
  EXPECT_LT(executable.output().item(), first) << "the steps did not train";
}

TEST(Run, OfATwoTwoOneSigmoidStepAllocatesNothing) {
  SKIP_UNDER_SANITIZERS();
  Model m;
  const Expr x = m.g.input("x", {B, 2}), t = m.g.input("t", {B, 1});
  const Expr hidden = sigmoid(matmul(x, m.weights("w1", {2, 2}, 1)) + m.weights("b1", {2}, 2));
  const Expr y = sigmoid(matmul(hidden, m.weights("w2", {2, 1}, 3)) + m.weights("b2", {1}, 4));
  m.loss = half_squared_error(y, t);
  m.sgd_step(0.5);
  m.feeds = {{x, {0, 1}}, {t, {1}}};
  expect_no_allocations<float>(m, 1);
  expect_no_allocations<double>(m, 1);
}

TEST(Run, AllocatesNothingTheFirstTimeEither) {
  SKIP_UNDER_SANITIZERS();
  Graph g;
  const Expr x = g.input("x", {B, 2}), w = g.parameter("w", {2, 2});
  const Expr loss = sum(tanh(matmul(x, w) + 1));
  Store<double> store;
  auto executable = compile<double>({loss}, {{w, w - grad(loss, w)}}, 3, store);
  const auto numbers = some_values(6);
  EXPECT_EQ(allocations_of([&] {
              executable.feed(x, numbers);
              executable.run();
            }),
            0U);
}

TEST(Run, OfAOneTwentyFiveOneStepAllocatesNothing) {
  SKIP_UNDER_SANITIZERS();
  Model m;
  const Expr x = m.g.input("x", {B, 1}), t = m.g.input("t", {B, 1});
  const Expr hidden = tanh(matmul(x, m.weights("w1", {1, 25}, 1)) + m.weights("b1", {25}, 2));
  m.loss = mse(matmul(hidden, m.weights("w2", {25, 1}, 3, 0.2)) + m.weights("b2", {1}, 4), t);
  m.sgd_step(0.01);
  m.feeds = {{x, some_values(100)}, {t, some_values(100, 1, 5)}};
  expect_no_allocations<float>(m, 100);
  expect_no_allocations<double>(m, 100);
}

TEST(Run, OfAnMnistSizedAdamStepAllocatesNothing) {
  SKIP_UNDER_SANITIZERS();
  Model m;
  const Expr x = m.g.input("x", {B, 784}), labels = m.g.input("labels", {B});
  const Expr hidden = relu(matmul(x, m.weights("w1", {784, 128}, 1, 0.05)) + m.weights("b1", {128}, 2, 0.1));
  m.loss =
      cross_entropy(matmul(hidden, m.weights("w2", {128, 10}, 3, 0.1)) + m.weights("b2", {10}, 4), labels);
  const Expr step = m.g.state("step", {}), next_step = step + 1;
  m.updates.push_back({step, next_step});
  const auto parameters = m.g.parameters();
  const auto gradients = grad(m.loss, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Expr mean_slot = m.g.state("m" + std::to_string(i), parameters[i].shape());
    const Expr square_slot = m.g.state("v" + std::to_string(i), parameters[i].shape());
    const Expr mean = 0.9 * mean_slot + 0.1 * gradients[i];
    const Expr variance = 0.999 * square_slot + 0.001 * square(gradients[i]);
    const Expr rate = 0.001 * sqrt(1 - pow(0.999, next_step)) / (1 - pow(0.9, next_step));
    m.updates.push_back({mean_slot, mean});
    m.updates.push_back({square_slot, variance});
    m.updates.push_back({parameters[i], parameters[i] - rate * mean / (sqrt(variance) + 1e-7)});
  }
  std::vector<double> classes;
  for (int i = 0; i < 32; ++i) classes.push_back(i % 10);
  m.feeds = {{x, some_values(32 * 784)}, {labels, classes}};
  expect_no_allocations<float>(m, 32);
}

TEST(Run, OfAnAssortmentOfOpsAllocatesNothing) {
  SKIP_UNDER_SANITIZERS();
  Model m;
  const Expr x = m.g.input("x", {B, 6});
  const Expr w = m.weights("w", {6, 4}, 1);
  const Expr joined = concat({matmul(x, w), tanh(slice(matmul(x, w), 0, 0, 1))}, 0);
  const Expr turned = transpose(softmax(reshape(joined, {B + 1, 2, 2})), {2, 0, 1});
  const Expr column = max(x, {1}, true);
  m.loss = sum(square(turned)) + mean(logsumexp(x * column)) + sum(log_softmax(w) * -0.01);
  m.sgd_step(0.1);
  m.feeds = {{x, some_values(18)}};
  expect_no_allocations<double>(m, 3);
}

TEST(Run, ReadingOutputsAllocatesNothing) {
  SKIP_UNDER_SANITIZERS();
  Graph g;
  Store<double> store;
  auto executable = compile<double>({g.full({3, 4}, 1.0), g.full({}, 2.0)}, {}, 1, store);
  executable.run();
  double total = 0;
  EXPECT_EQ(allocations_of([&] {
              for (const double value : executable.output(0).values) total += value;
              total += executable.output(1);
            }),
            0U);
  EXPECT_EQ(total, 14);
}

}  // namespace
}  // namespace gradus
