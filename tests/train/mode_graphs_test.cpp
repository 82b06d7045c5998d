// A mode serves one graph: another one is refused on the user's line, whether or not the first is still
// there. What several layers may update in one graph.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "gradus/gradus.hpp"
#include "gradus/train/training.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

// All ways in which a layer registers something with a mode, on one line each.
using Register = void (*)(const Expr& x, Mode& mode);
const Register ways[] = {
    [](const Expr& x, Mode& mode) { dropout(x, 0.5, "d" + std::to_string(x.graph().size()), mode); },
    [](const Expr& x, Mode& mode) { batch_norm(x, "norm", mode); },
    [](const Expr& x, Mode& mode) { mode.generator(x.graph()); },
    [](const Expr& x, Mode& mode) { mode.update(x.graph().state("count", {}), 1); },
    [](const Expr& x, Mode& mode) {
      mode.update(x.graph().state("latest", {}), [](const Expr& latest) { return latest + 1; });
    },
};
constexpr const char* refused =
    "mode at mode_graphs_test.cpp:[0-9]+: it has served a layer of another graph, at "
    "mode_graphs_test.cpp:[0-9]+; make a Mode for each graph that is built";

TEST(Mode, ServesOneGraphThatIsStillThere) {
  for (const Register first : ways)
    for (const Register second : ways) {
      Mode mode(Mode::training);
      Graph a, b;
      first(a.input("x", {B, 3}), mode);
      EXPECT_THAT(error_of([&] { second(b.input("x", {B, 3}), mode); }), MatchesRegex(refused));
      EXPECT_THAT(mode.updates(), testing::SizeIs(1 + (first == ways[1] ? 1U : 0U)));
    }
}

// The next graph lies where the first one lay, or elsewhere; it may be smaller, as large or larger.
TEST(Mode, ServesOneGraphThatIsGone) {
  for (const Register first : ways)
    for (const Register second : ways)
      for (const int more : {0, 1, 40})
        for (const bool same_place : {false, true}) {
          Mode mode(Mode::training);
          std::optional<Graph> place;
          auto elsewhere = std::make_unique<Graph>();
          first((same_place ? place.emplace() : *elsewhere).input("x", {B, 3}), mode);
          elsewhere.reset();
          Graph& next = place.emplace();
          const Expr x = next.input("x", {B, 3});
          for (int i = 0; i < more; ++i) next.state("s" + std::to_string(i), {2});
          EXPECT_THAT(error_of([&] { second(x, mode); }), MatchesRegex(refused));
        }
}

// Inference registers nothing, so one mode may do for several graphs.
TEST(Mode, OfInferenceServesAny) {
  Mode mode(Mode::inference);
  for (int i = 0; i < 2; ++i) {
    Graph g;
    const Expr x = g.input("x", {B, 3});
    dropout(x, 0.5, "d", mode);
    batch_norm(x, "norm", mode);
    mode.update(g.state("count", {}), 1);
  }
  EXPECT_THAT(mode.updates(), testing::IsEmpty());
}

TEST(Mode, TakesOneValueForAState) {
  Graph g;
  Mode mode(Mode::training);
  const Expr count = g.state("count", {});
  mode.update(count, count + 1);
  EXPECT_THAT(error_of([&] { mode.update(count, 0); }),
              AllOf(HasSubstr("mode at HERE"), HasSubstr("an update already, made at mode_graphs_test.cpp:"),
                    HasSubstr("count []")));
  const Expr x = g.input("x", {});
  EXPECT_THAT(error_of([&] { mode.update(x, count); }),
              AllOf(HasSubstr("mode at HERE"), HasSubstr("only a state or a parameter"), HasSubstr("x []")));
}

// Applied twice, the running values move twice, as Keras's do.
template <class T> class SharedNorm : public testing::Test {};
using Precisions = testing::Types<float, double>;
TYPED_TEST_SUITE(SharedNorm, Precisions);

TYPED_TEST(SharedNorm, MovesItsRunningValuesOnceForEachUse) {
  using T = TypeParam;
  Graph g;
  Mode mode(Mode::training);
  auto tower = shared([&](Expr x) { return batch_norm(x, "norm", mode, {.momentum = 0.5}); });
  const Expr a = g.input("a", {B, 1}), b = g.input("b", {B, 1}), c = g.input("c", {B, 1});
  const Expr of_a = tower(a), of_b = tower(b), of_c = tower(c);
  const Expr loss = mean(square(of_a - of_b) + of_c);
  Store<T> store;
  auto step = compile<T>({loss}, mode.updates(), 2, store);
  step.feed(a, {1, 3});
  step.feed(b, {-4, 4});
  step.feed(c, {10, 10});
  step.run();
  // 0, 1, 0.5, 5.25; and 1, 1, 8.5, 4.25.
  EXPECT_EQ(store.values("norm/mean")[0], T{5.25});
  EXPECT_EQ(store.values("norm/variance")[0], T{4.25});
}

TEST(SharedNorm, TrainsASiameseNet) {
  ModelDefinition model{.inputs = {{"left", {B, 2}}, {"right", {B, 2}}},
                        .target = {"t", {B}},
                        .network =
                            [](Expr left, Expr right, Mode& mode) {
                              auto tower = shared([&](Expr x) {
                                return linear(tanh(batch_norm(linear(x, 3, "h"), "norm", mode)), 2, "out");
                              });
                              return norm(tower(left) - tower(right), {1}, false);
                            },
                        .loss = mse,
                        .optimizer = sgd({.rate = 0.1})};
  Trainer<float> trainer(model, 1);
  const auto left = test::some_values(40, 1, 1), right = test::some_values(40, 1, 2);
  const History history =
      trainer.fit({20, {left, right, test::some_values(20, 0.5, 3)}}, {.epochs = 20, .verbose = false});
  EXPECT_LT(history.of("loss").back(), history.of("loss").front());
  EXPECT_NE(trainer.store().values("norm/variance")[0], 1);
}

}  // namespace
}  // namespace gradus
