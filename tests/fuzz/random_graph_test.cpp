#include "random_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "checks.hpp"
#include "gradus/custom_op.hpp"
#include "shrink.hpp"
#include "tests/support/op_table.hpp"

namespace gradus::fuzz {

// Ops with a fault each, for the checks to find. The derivative:
class SlackSquare final : public Unary<SlackSquare> {
 public:
  static constexpr std::string_view name = "slack_square";
  template <class T> static T f(T x) { return x * x; }
  template <class T> static T d(T x, T) { return 2.001 * x; }
};

// An op that floats compute wrongly:
class CoarseHalf final : public Unary<CoarseHalf> {
 public:
  static constexpr std::string_view name = "coarse_half";
  template <class T> static T f(T x) { return x * (sizeof(T) == sizeof(float) ? T(0.501) : T(0.5)); }
  template <class T> static T d(T, T) { return 0.5; }
};

// A kernel that leaves elements to chance:
class Forgetful final : public OpOf<Forgetful> {
 public:
  static constexpr std::string_view name = "forgetful";
  Shape infer(InputShapes inputs) const { return inputs[0]; }
  std::vector<Expr> vjp(const Vjp& v) const override { return {v.cotangent}; }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const std::int64_t count = element_count(shapes.output());
    return [count](const KernelArgs<T>& args) {
      for (std::int64_t i = 0; i + 1 < count; ++i) args.output()[i] = args.input()[i];
    };
  }
};

// A trait that lies, so that the optimiser simplifies f(f(x)) to x:
class NoInvolution final : public Unary<NoInvolution> {
 public:
  static constexpr std::string_view name = "no_involution";
  static constexpr Traits extra_traits{.involution = true};
  template <class T> static T f(T x) { return 1 - x * T(0.5); }
  template <class T> static T d(T, T) { return -0.5; }
};

namespace {

constexpr std::uint64_t graphs = GRADUS_GRAPHS;

// The form of an op that makes numbers up to `largest` of numbers up to 3.
template <class ConcreteOp> Form planted(double largest = 10) {
  const std::string name(ConcreteOp::name);
  return {.op = name,
          .text = name + "($0)",
          .build = [](Graph&, const Step&, const std::string&,
                      const std::vector<Expr>& in) { return build<ConcreteOp>({in[0]}); },
          .facts =
              [largest](const Form&, const Site& site) {
                return Facts{-largest, largest, site.in[0].samples};
              },
          .draw =
              [](Maker& maker) {
                return Step{.in = {maker.value({-3, 3})}};
              }};
}

// The first graph with the planted op that fails, cut down.
struct Found {
  Failure failure;
  Recipe smallest;
};

Found find_planted(const Form& form) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    // As likely as a fifth of all others together, so that it meets itself.
    const Recipe recipe = random_recipe(seed, {.most_ops = 30, .more = std::vector(12, &form)});
    const auto failure = check(recipe, tally);
    if (!failure) continue;
    return {*failure, shrunk(recipe, [&](const Recipe& candidate) {
              const auto again = check(candidate, tally);
              return again && same_kind(*again, *failure);
            })};
  }
  return {{"none", ""}, {}};
}

void expect_found(const Form& form, const testing::Matcher<std::string>& check) {
  const Found found = find_planted(form);
  EXPECT_THAT(found.failure.check, check) << found.failure.detail;
  EXPECT_LE(found.smallest.steps.size(), 5U);
  EXPECT_THAT(cpp_text(found.smallest), testing::HasSubstr(" = " + form.op + "("));
}

TEST(RandomGraph, IsCorrectInEveryWay) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= graphs; ++seed) {
    const Recipe recipe = random_recipe(seed);
    if (const auto failure = check(recipe, tally))
      ADD_FAILURE() << failure->check << ": " << failure->detail << "\nfuzz_graphs --count 1 --seed " << seed
                    << " shows the smallest graph that fails so; this is the whole one:\n"
                    << cpp_text(recipe);
  }
  // Little may be left unchecked.
  EXPECT_LT(tally.unstable, tally.tensors / 8) << tally.text();
  EXPECT_LT(tally.float_skipped, tally.tensors / 5) << tally.text();
  EXPECT_LT(tally.moved, graphs / 50) << tally.text();
  EXPECT_LT(tally.apart, tally.mixing / 2) << tally.text();
  EXPECT_GT(tally.gradient_checks, graphs) << tally.text();
  EXPECT_GT(tally.second_order, graphs / 10) << tally.text();
  EXPECT_GT(tally.programs, graphs / 10) << tally.text();
}

// A new row of the op table without a form to draw it fails here.
TEST(RandomGraph, HasEveryOpOfTheOpTable) {
  std::set<std::string, std::less<>> drawn;
  std::set<std::string, std::less<>> batches;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Recipe recipe = random_recipe(seed);
    const Built built(recipe);
    for (const Step& step : recipe.steps) drawn.insert(step.form->op);
    for (NodeId id = 0; id < built.graph.size(); ++id) drawn.insert(std::string(built.graph[id].name()));
    batches.insert(std::to_string(recipe.batch));
  }
  for (const test::OpRow& row : test::op_table()) EXPECT_TRUE(drawn.contains(row.op)) << row.op;
  for (const char* leaf : {"input", "parameter", "state", "constant", "full", "number"})
    EXPECT_TRUE(drawn.contains(leaf)) << leaf;
  EXPECT_EQ(batches.size(), 5U);
}

TEST(RandomGraph, IsTheSameForTheSameSeed) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_EQ(cpp_text(random_recipe(seed)), cpp_text(random_recipe(seed)));
  EXPECT_NE(cpp_text(random_recipe(1)), cpp_text(random_recipe(2)));
}

TEST(Checks, FindAWrongDerivative) { expect_found(planted<SlackSquare>(), "gradient"); }
TEST(Checks, FindAWrongFloat) { expect_found(planted<CoarseHalf>(), "float"); }
TEST(Checks, FindAReadOfStaleMemory) {
  expect_found(planted<Forgetful>(), testing::AnyOf("plans", "raw", "updates"));
}

TEST(Checks, FindAWrongSimplification) {
  expect_found(planted<NoInvolution>(3), testing::AnyOf("optimised", "updates"));
}

TEST(Shrink, LeavesTheCulpritAlone) {
  const auto has = [](const Recipe& recipe, std::string_view op) {
    return std::ranges::any_of(recipe.steps, [&](const Step& s) { return s.form->op == op; });
  };
  for (std::uint64_t seed = 1, shown = 0; shown < 5; ++seed) {
    const Recipe recipe = random_recipe(seed);
    if (!has(recipe, "softmax")) continue;
    ++shown;
    const Recipe smallest = shrunk(recipe, [&](const Recipe& candidate) {
      const Built built(candidate);
      try {
        interpret(built.graph, built.point, candidate.batch);
      } catch (const Error&) {
        return false;  // a label is out of range
      }
      return has(candidate, "softmax");
    });
    ASSERT_EQ(smallest.steps.size(), 2U) << cpp_text(smallest);
    EXPECT_EQ(smallest.steps[1].form->op, "softmax");
    EXPECT_EQ(smallest.batch, 1);
  }
}

TEST(CppText, NamesLeavesAndHoldsTheirValues) {
  Built built(3, 42);
  const auto add = [&](const char* op, Step step) {
    step.form = &form_of(op);
    return built.append(std::move(step));
  };
  const auto x = add("input", {.numbers = {0.5, -1.25, 2}, .shape = {B, 1}});
  const auto w = add("parameter", {.numbers = {1, 2}, .shape = {1, 2}});
  const auto product = add("matmul", {.in = {x, w}, .flags = {false, false}});
  const auto half = add("number", {.numbers = {0.5}});
  const auto scaled = add("mul", {.in = {product, half}});
  const auto total = add("sum", {.in = {scaled}, .axes = {0, -1}, .flags = {false}});
  Recipe recipe = built.recipe;
  recipe.outputs = {total};
  recipe.updates = {{w, w}};
  const std::string text = cpp_text(recipe);
  for (const char* line : {
           "// Random graph of seed 42.",
           "const Expr x0 = g.input(\"x0\", {B, 1});",
           "const Expr w1 = g.parameter(\"w1\", {1, 2});",
           "const Expr y2 = matmul(x0, w1, {.a = false, .b = false});",
           "const Expr y4 = y2 * 0.5;",
           "const Expr y5 = sum(y4, {0, -1}, false);",
           "{\"w1\", {1, 2}},",
           "{\"x0\", {0.5, -1.25, 2}}};",
           "const std::int64_t batch = 3;",
           "const std::vector<Expr> outputs{y5};",
           "const std::vector<Update> updates{{w1, w1}};",
       })
    EXPECT_THAT(text, testing::HasSubstr(line));
}

}  // namespace
}  // namespace gradus::fuzz
