// What fits by accident: rows of another shape with as many numbers, gradients of other parameters, variables
// of another shape, starting values of another number. The store's drop under a trainer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "gradus/data/array.hpp"
#include "gradus/gradus.hpp"
#include "gradus/optim/optimizers.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::all_values;
using test::error_of;
using test::some_values;
using testing::AllOf;
using testing::HasSubstr;

Array array_of(const Extents& extents) {
  const auto numbers =
      std::make_shared<std::vector<double>>(static_cast<std::size_t>(element_count(extents)), 0.5);
  return {{"", ElementType::f64, extents, std::as_bytes(std::span(*numbers))}, numbers};
}

ModelDefinition takes(const Shape& input, const Shape& target) {
  return {.inputs = {{"x", input}},
          .target = {"t", target},
          .network =
              [](Expr x) {
                return sum(flatten(concat({reshape(x, {B, -1}), reshape(x, {B, -1})}, 1)), {1});
              },
          .loss = [](Expr y, Expr t) { return mean(y * y.graph().parameter("w", {}) + sum(t)); },
          .optimizer = sgd({.rate = 0})};
}

template <class T> class Rows : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(Rows, Precisions);

TYPED_TEST(Rows, HaveTheAxesOfASample) {
  using T = TypeParam;
  struct Case {
    Shape input;
    Extents data;
    bool fits;
  };
  const Case cases[] = {{{B, 2, 3}, {4, 2, 3}, true},
                        {{B, 2, 3}, {4, 3, 2}, false},
                        {{B, 2, 3}, {4, 6}, true},
                        {{B, 6}, {4, 3, 2}, true},
                        {{B, 2, 3}, {4, 1, 2, 3}, true},
                        {{B, 2, 3}, {4, 2, 3, 1}, true},
                        {{B, 2, 3, 4}, {4, 6, 4}, false},
                        {{B, 2, 3, 4}, {4, 4, 3, 2}, false},
                        {{B, 1, 6}, {4, 6, 1}, true},
                        {{B, 4, 9}, {4, 6, 6}, false},
                        {{B, 1}, {4}, true},
                        {{B, 6}, {4, 7}, false}};
  for (const auto& [input, extents, fits] : cases)
    for (const bool as_target : {false, true}) {
      const Shape other{B, 2};
      Trainer<T> trainer(as_target ? takes(other, input) : takes(input, other), 1);
      std::vector<Array> arrays{array_of(extents), array_of({4, 2})};
      if (as_target) std::swap(arrays[0], arrays[1]);
      const Dataset<T> data(arrays);
      const auto expected =
          fits ? testing::Matcher<std::string>("no error")
               : AllOf(HasSubstr(as_target ? "the rows of tensor 1" : "the rows of tensor 0"),
                       HasSubstr(std::string(as_target ? "t " : "x ") + to_string(input)));
      EXPECT_THAT(error_of([&] { trainer.fit(data, {.verbose = false}); }), expected);
      EXPECT_THAT(error_of([&] { trainer.evaluate(data.select({0, 2})); }), expected);
      if (!as_target) {
        EXPECT_THAT(error_of([&] { trainer.predict(data); }), expected);
      }
    }
}

TEST(Gradients, HaveTheShapesOfTheirParameters) {
  for (const Optimizer& optimizer : {sgd(), sgd({.momentum = 0.5}), adam(), nadam(), rmsprop(), adagrad(),
                                     rprop(), adamw(), sgd().clip_norm(1), groups({{"*", adam()}})}) {
    Graph g;
    const Expr w = g.parameter("w", {3, 2}), x = g.input("x", {2, 3});
    EXPECT_THAT(error_of([&] { optimizer({w}, {x}); }),
                AllOf(HasSubstr(optimizer.name() + " at HERE"), HasSubstr("the shape of its parameter"),
                      HasSubstr("w [3, 2], x [2, 3]")));
    EXPECT_THAT(error_of([&] { optimizer({w}, {Expr()}); }), HasSubstr(optimizer.name() + " at HERE"));
  }
}

// What an initializer says is said of a variable on a line.
TEST(Initializers, AreThoseOfANamedVariable) {
  const Initializer own = [](const Extents&, std::uint64_t, std::span<double>) { throw Error("no luck"); };
  for (const bool is_state : {false, true})
    for (const auto& [initializer, says] :
         {std::pair(values({1}), "1 values are given"), std::pair(own, "no luck")}) {
      Graph g;
      const Expr x = is_state ? g.state("x", {2}, initializer) : g.parameter("x", {2}, initializer);
      Store<float> store;
      const auto named = AllOf(testing::StartsWith(is_state ? "state 'x' at " : "parameter 'x' at "),
                               HasSubstr("fit_by_accident_test.cpp:"), HasSubstr(says));
      EXPECT_THAT(error_of([&] { store.create(g); }), named);
      EXPECT_THAT(error_of([&] { compile<float>({x}, {}, 1, store); }), named);
    }
}

TEST(Settings, AreNumbers) {
  Graph g;
  EXPECT_THAT(error_of([&] { g.setting("p", NAN); }),
              AllOf(HasSubstr("setting 'p' at HERE"), HasSubstr("the value is nan")));
  EXPECT_FALSE(g.contains("p"));
}

ModelDefinition regression(const Optimizer& optimizer = adam()) {
  return {.inputs = {{"x", {B, 2}}},
          .target = {"t", {B, 1}},
          .network =
              [](Expr x, Mode& mode) {
                return linear(dropout(batch_norm(linear(x, 3, "h"), "norm", mode), 0.2, "drop", mode), 1,
                              "y");
              },
          .loss = mse,
          .optimizer = optimizer};
}

// What is dropped is made anew by the next fit, which is then that of a trainer with the rest of the values.
TYPED_TEST(Rows, MayBeTrainedOnAfterADrop) {
  using T = TypeParam;
  const Dataset<T> data(20, {some_values(40), some_values(20, 1, 2)});
  const FitOptions<T> options{.epochs = 2, .batch = 7, .verbose = false};
  for (const std::string dropped : {"adam/", "h/W", "norm/", "random/", ""})
    for (const bool creates : {false, true}) {
      Trainer<T> trainer(regression(), 1), expected(regression(), 1);
      for (Trainer<T>* each : {&trainer, &expected}) {
        each->fit(data, options);
        each->evaluate(data);
        each->predict(data);
      }
      trainer.store().drop(dropped);
      if (creates) trainer.store().create(trainer.graph(Mode::training).graph);
      expected.store().reset(dropped);
      EXPECT_EQ(trainer.predict(data), expected.predict(data)) << dropped;
      EXPECT_EQ(trainer.evaluate(data).values, expected.evaluate(data).values) << dropped;
      EXPECT_EQ(trainer.fit(data, options).epochs, expected.fit(data, options).epochs) << dropped;
      EXPECT_EQ(all_values(trainer.store()), all_values(expected.store())) << dropped;
    }
}

// A program says whether the store still has its variables.
TEST(Programs, KnowWhetherTheyAreCurrent) {
  Graph g;
  const Expr w = g.parameter("w", {2});
  g.parameter("v", {2});
  Store<double> store;
  const auto program = compile<double>({w * 2}, {}, 1, store);
  store.create(g);
  EXPECT_TRUE(program.is_current());
  store.drop("v");
  store.reset("w");
  EXPECT_TRUE(program.is_current());
  store.drop("w");
  EXPECT_FALSE(program.is_current());
  store.create(g);
  EXPECT_FALSE(program.is_current());
  EXPECT_TRUE(compile<double>({w * 2}, {}, 1, store).is_current());
}

}  // namespace
}  // namespace gradus
