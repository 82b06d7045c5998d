// Many steps in one call do, bit for bit, what the same steps do one by one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "gradus/gradus.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::error_of;
using test::some_values;
using testing::ElementsAre;
using testing::HasSubstr;

using Order = std::vector<std::uint32_t>;

// A network of one input and one target, by the way in which it reads them.
struct Network {
  const char* name;
  Shape input;
  Shape target;
  std::function<Expr(const Expr& x, const Expr& t, Graph& g)> loss;
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all{
      {"product",
       {B, 5},
       {B, 2},
       [](const Expr& x, const Expr& t, Graph&) {
         return mse(linear(tanh(linear(x, 4, "hidden")), 2, "output"), t);
       }},
      {"a column beside a matrix",
       {B, 1},
       {B, 300},
       [](const Expr& x, const Expr& t, Graph& g) {
         return mean(square(x * g.parameter("w", {300}, glorot_uniform()) - t));
       }},
      {"a batch of numbers",
       {B},
       {B},
       [](const Expr& x, const Expr& t, Graph& g) {
         return mean(square(x * g.parameter("w", {}, constant(0.5)) - t));
       }},
      {"a view",
       {B, 2, 3},
       {B, 6},
       [](const Expr& x, const Expr& t, Graph&) {
         return mse(linear(reshape(x, {B, 6}), 6, "l"), t);
       }},
      {"rows of twice the batch",
       {2 * B, 3},
       {2 * B, 1},
       [](const Expr& x, const Expr& t, Graph&) { return mse(linear(x, 1, "l"), t); }},
      {"the data transposed, sliced and put together",
       {B, 4},
       {B, 4},
       [](const Expr& x, const Expr& t, Graph& g) {
         const Expr w = g.parameter("w", {4, 3}, glorot_uniform());
         return mean(square(matmul(x, w))) + sum(square(slice(x, 1, 0, 2) - slice(t, 1, 1, 3))) * sum(w) +
                sum(matmul(transpose(x), t)) * sum(square(w));
       }},
      {"a number that is fed",
       {B, 5},
       {B, 2},
       [](const Expr& x, const Expr& t, Graph& g) {
         return mse(linear(x, 2, "l"), t) * g.input("scale", {});
       }},
  };
  return all;
}

std::int64_t row_size(const Shape& shape) { return element_count(shape.resolve(DimBindings(1))); }

template <class T> std::vector<T> values_of(std::int64_t count, int seed) {
  const auto values = some_values(count, 0.7, seed);
  return {values.begin(), values.end()};
}

constexpr std::int64_t rows = 23;

// A program of a network, with its data.
template <class T> struct Training {
  Training(const Network& network, std::int64_t batch, int threads)
      : x(g.input("x", network.input)), t(g.input("t", network.target)) {
    const Expr loss = network.loss(x, t, g);
    program = std::make_unique<Executable<T>>(
        compile<T>({loss}, adam(loss, {.rate = 0.01}), batch, store, {.threads = threads}));
    if (program->has_input("scale")) program->feed("scale", {T(1.5)});
    xs = values_of<T>(rows * row_size(network.input), 1);
    ts = values_of<T>(rows * row_size(network.target), 2);
  }

  std::vector<T> one_by_one(std::int64_t count, const Order& order) {
    const std::int64_t batch = program->batch();
    const std::int64_t batches = static_cast<std::int64_t>(order.size()) / batch;
    std::vector<T> losses;
    for (std::int64_t step = 0; step < count; ++step) {
      const auto taken = std::span(order).subspan(static_cast<std::size_t>(step % batches * batch),
                                                  static_cast<std::size_t>(batch));
      program->feed(x, rows_of(xs, taken));
      program->feed(t, rows_of(ts, taken));
      program->run();
      losses.push_back(program->output().item());
    }
    return losses;
  }

  static std::vector<T> rows_of(const std::vector<T>& values, std::span<const std::uint32_t> taken) {
    const std::size_t row = values.size() / rows;
    std::vector<T> some;
    for (const std::uint32_t r : taken)
      some.insert(some.end(), values.begin() + static_cast<std::ptrdiff_t>(r * row),
                  values.begin() + static_cast<std::ptrdiff_t>((r + 1) * row));
    return some;
  }

  std::vector<T> parameters() const {
    std::vector<T> all;
    for (const std::string& name : store.names()) {
      const auto values = store.values(name);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

  Graph g;
  Expr x, t;
  Store<T> store;
  std::unique_ptr<Executable<T>> program;
  std::vector<T> xs, ts;
};

// The order as it is given to the run, and what it stands for.
std::vector<std::pair<Order, Order>> orders() {
  Order in_order(rows), reversed(rows), mixed(rows);
  std::iota(in_order.begin(), in_order.end(), 0U);
  std::ranges::reverse_copy(in_order, reversed.begin());
  for (std::uint32_t i = 0; i < rows; ++i) mixed[i] = i < 8 ? i + 4 : (i * 7 + 3) % rows;
  return {{{}, in_order},
          {in_order, in_order},
          {reversed, reversed},
          {mixed, mixed},
          {{5, 5, 5, 5}, {5, 5, 5, 5}}};
}

template <class T> class ManySteps : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(ManySteps, Types);

TYPED_TEST(ManySteps, AreTheSameAsOneByOne) {
  using T = TypeParam;
  constexpr std::int64_t count = 11;  // more than once through the data
  for (const Network& network : networks())
    for (const std::int64_t batch : {1, 4})
      for (const int threads : {1, 2})
        for (const auto& [given, meant] : orders()) {
          SCOPED_TRACE(std::string(network.name) + ", batch " + std::to_string(batch));
          Training<T> apart(network, batch, threads), together(network, batch, threads);
          const std::vector<T> expected = apart.one_by_one(count, meant);
          std::vector<T> losses(count);
          together.program->run({.inputs = {{together.x, together.xs}, {together.t, together.ts}},
                                 .count = count,
                                 .order = given,
                                 .losses = losses});
          EXPECT_EQ(losses, expected);
          EXPECT_EQ(together.parameters(), apart.parameters());
          // What is fed afterwards is read again.
          EXPECT_EQ(together.one_by_one(2, meant), apart.one_by_one(2, meant));
          EXPECT_EQ(together.parameters(), apart.parameters());
        }
}

// Steps of a network that are large enough to be shared out among threads, with and without a producer.
TYPED_TEST(ManySteps, AreTheSameWhereThreadsShareThem) {
  using T = TypeParam;
  const Network large{"large", {B, 300}, {B, 200}, [](const Expr& x, const Expr& t, Graph&) {
                        const Expr h = relu(linear(x, 400, "hidden"));
                        return mse(linear(h, 200, "output"), t) + mean(square(exp(x) - 1)) / 1000;
                      }};
  for (const auto& [given, meant] : orders()) {
    const std::int64_t batch = std::min<std::int64_t>(8, static_cast<std::int64_t>(meant.size()));
    Training<T> apart(large, batch, 3), together(large, batch, 3);
    std::vector<T> losses(4);
    together.program->run({.inputs = {{together.x, together.xs}, {together.t, together.ts}},
                           .count = 4,
                           .order = given,
                           .losses = losses});
    EXPECT_EQ(losses, apart.one_by_one(4, meant));
    EXPECT_EQ(together.parameters(), apart.parameters());
  }
}

TYPED_TEST(ManySteps, AreTheSameInPlacesOfTheArenaAndUnoptimised) {
  using T = TypeParam;
  for (const Reuse reuse : {Reuse::full, Reuse::none, Reuse::poisoned})
    for (const bool optimize : {true, false}) {
      Graph g;
      const Expr x = g.input("x", {B, 3}), y = sum(exp(x) * x, {1});
      Store<T> store;
      auto program = compile<T>({sum(y), x}, {}, 2, store, {.optimize = optimize, .reuse = reuse});
      const std::vector<T> data = values_of<T>(12, 3);
      std::vector<T> losses(2);
      program.run({.inputs = {{x, data}}, .count = 2, .losses = losses});
      for (std::size_t step = 0; step < 2; ++step) {
        program.feed(x, std::span(data).subspan(step * 6, 6));
        program.run();
        EXPECT_EQ(program.output().item(), losses[step]);
      }
    }
}

class ManyStepsErrors : public testing::Test {
 protected:
  Graph g;
  const Expr x = g.input("x", {B, 2});
  const Expr scale = g.input("scale", {2});
  Store<double> store;
  Executable<double> program = compile<double>({sum(x * scale), x}, {}, 2, store);
  const std::vector<double> data{1, 2, 3, 4, 5, 6, 7};
  const std::span<const double> three_rows = std::span(data).first(6);
};

TEST_F(ManyStepsErrors, AnOutputMayBeAnInput) {
  program.feed(scale, {1, 1});
  program.run({.inputs = {{x, three_rows}}});
  EXPECT_EQ(program.output().item(), 10);
  EXPECT_THAT(error_of([&] { program.run(); }), HasSubstr("'x' [2, 2] was never fed"));
  program.feed(x, {1, 1, 1, 1});
  program.run();
  EXPECT_EQ(program.output().item(), 4);
  EXPECT_THAT(program.output(1).values, ElementsAre(1, 1, 1, 1));
}

TEST_F(ManyStepsErrors, NameTheInput) {
  const auto error = [&](const Steps<double>& steps) { return error_of([&] { program.run(steps); }); };
  EXPECT_EQ(error({.inputs = {{x, three_rows}}}), "run: input 'scale' [2] was never fed");
  program.feed(scale, {1, 1});
  EXPECT_EQ(error({.inputs = {{scale, three_rows}}}),
            "run: 'scale' has shape [2], without a row for each sample; feed it before");
  EXPECT_EQ(error({.inputs = {{x, data}}}), "run: 'x' has 7 values, which are not rows of 2");
  EXPECT_EQ(error({.inputs = {{x, three_rows.first(2)}}}), "run: 1 rows do not fill a batch of 2");
  EXPECT_EQ(error({.inputs = {{x, {}}}}), "run: 0 rows do not fill a batch of 2");
  EXPECT_EQ(error_of([&] { program.run(); }), "run: input 'x' [2, 2] was never fed");
  const Order beyond{0, 3};
  EXPECT_EQ(error({.inputs = {{x, three_rows}}, .order = beyond}),
            "run: the order has row 3, but there are 3 rows");
  std::vector<double> losses(3);
  EXPECT_EQ(error({.inputs = {{x, three_rows}}, .count = 2, .losses = losses}),
            "run: there is room for 3 losses of 2 steps");
  EXPECT_EQ(error({.inputs = {{x, three_rows}}, .count = -1}), "run: -1 steps are asked for");
  Store<double> other;
  auto no_losses = compile<double>({x}, {}, 2, other);
  EXPECT_EQ(error_of([&] {
              no_losses.run({.inputs = {{x, three_rows}}, .count = 3, .losses = losses});
            }),
            "run: losses are those of the first output, which is not a single number");
  // After all that, the program is as it was.
  program.feed(x, {1, 2, 3, 4});
  program.run();
  EXPECT_EQ(program.output().item(), 10);
}

TEST(ManyStepsKernelErrors, LeaveTheInputsAsTheyWere) {
  Graph g;
  const Expr x = g.input("x", {B, 3}), t = g.input("t", {B});
  Store<double> store;
  auto program = compile<double>({cross_entropy(x, t)}, {}, 1, store);
  const std::vector<double> logits(9, 0.0), classes{0, 7, 1};
  const std::string error = error_of([&] {
    program.run({.inputs = {{x, logits}, {t, classes}}, .count = 3});
  });
  EXPECT_THAT(error, HasSubstr("7"));
  program.feed(x, {0, 0, 0});
  program.feed(t, {1});
  program.run();
  EXPECT_NEAR(program.output().item(), std::log(3), 1e-15);
}

TEST(ManyStepsAllocations, AreNone) {
  if (!test::allocations_can_be_counted()) GTEST_SKIP() << "the sanitizer needs malloc for itself";
  for (const Network& network : networks())
    for (const auto& [given, meant] : orders()) {
      Training<float> training(network, 4, 1);
      std::vector<float> losses(6);
      const Steps<float> steps{.inputs = {{training.x, training.xs}, {training.t, training.ts}},
                               .count = 6,
                               .order = given,
                               .losses = losses};
      EXPECT_EQ(test::allocations_of([&] { training.program->run(steps); }), 0U) << network.name;
    }
}

}  // namespace
}  // namespace gradus
