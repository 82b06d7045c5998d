// Updates read old values: whatever their order, whatever the planner makes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::dyadic;
using test::expect_equal;
using test::Numbers;
using State = std::map<std::string, Numbers>;

template <class F> Numbers each(const Numbers& a, F f) {
  Numbers values;
  for (const double x : a) values.push_back(f(x));
  return values;
}
template <class F> Numbers each(const Numbers& a, const Numbers& b, F f) {
  Numbers values;
  for (std::size_t i = 0; i < a.size(); ++i) values.push_back(f(a[i], b[i]));
  return values;
}

// A program over variables of n elements. Three tiles' worth, so that a tile written early shows.
constexpr std::int64_t n = 2500;

class Updates : public testing::Test {
 protected:
  Expr variable(const std::string& name, const Shape& shape = {n}) {
    const Numbers start = dyadic(element_count(shape.resolve(1)), static_cast<int>(++seeds_));
    start_[name] = start;
    return g.state(name, shape, values(start));
  }

  // Runs three times under every option; `next` says what the variables become, `outputs` what is seen.
  void expect(
      const std::vector<Update>& updates, const std::function<State(const State&)>& next,
      const std::vector<Expr>& outputs = {},
      const std::function<std::vector<Numbers>(const State&)>& seen = [](const State&) {
        return std::vector<Numbers>();
      }) {
    // The order in which updates are given must not matter.
    for (const bool backwards : {false, true})
      for (const Reuse reuse : {Reuse::none, Reuse::full, Reuse::poisoned})
        for (const bool optimize : {true, false}) {
          SCOPED_TRACE("backwards " + std::to_string(backwards) + ", reuse " +
                       std::to_string(static_cast<int>(reuse)) + ", optimize " + std::to_string(optimize));
          auto ordered = updates;
          if (backwards) std::ranges::reverse(ordered);
          run<double>(ordered, next, outputs, seen, {optimize, reuse});
          run<float>(ordered, next, outputs, seen, {optimize, reuse});
        }
  }

  Graph g;
  std::vector<test::Feed> feeds;

 private:
  template <class T>
  void run(const std::vector<Update>& updates, const std::function<State(const State&)>& next,
           const std::vector<Expr>& outputs, const std::function<std::vector<Numbers>(const State&)>& seen,
           const CompileOptions& options) {
    Store<T> store;
    auto executable = compile<T>(std::span(outputs), updates, 2, store, options);
    test::feed(executable, feeds);
    State expected = start_;
    for (int step = 0; step < 3; ++step) {
      SCOPED_TRACE("run " + std::to_string(step));
      const std::vector<Numbers> values = seen(expected);
      State changed = next(expected);
      for (auto& [name, numbers] : changed) expected[name] = std::move(numbers);
      executable.run();
      ASSERT_EQ(values.size(), outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        SCOPED_TRACE("output " + std::to_string(i));
        expect_equal(test::values_of(executable, i), values[i]);
      }
      for (const std::string& name : store.names()) {
        SCOPED_TRACE("variable " + name);
        expect_equal(test::values_of(store, name), expected.at(name));
      }
    }
  }

  State start_;
  int seeds_ = 0;
};

TEST_F(Updates, SwapTwoVariables) {
  const Expr a = variable("a"), b = variable("b");
  expect({{a, b}, {b, a}}, [](const State& s) { return State{{"a", s.at("b")}, {"b", s.at("a")}}; });
}

TEST_F(Updates, OneFromAnotherThatChangesAtTheSameTime) {
  const Expr a = variable("a"), b = variable("b");
  expect({{a, b}, {b, 0.5 * b + 1}}, [](const State& s) {
    return State{{"a", s.at("b")}, {"b", each(s.at("b"), [](double y) { return 0.5 * y + 1; })}};
  });
}

// A product comes in panels: rows that are written early are read again for the last.
TEST_F(Updates, AVariableFromAProductWithItself) {
  constexpr std::int64_t m = 80;
  const Expr a = variable("a", {m, m});
  expect({{a, where(matmul(a, a) > 0, 1, -1)}}, [](const State& s) {
    const Numbers& old = s.at("a");
    Numbers values;
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < m; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k < m; ++k) sum += old[i * m + k] * old[k * m + j];
        values.push_back(sum > 0 ? 1 : -1);
      }
    return State{{"a", values}};
  });
}

TEST_F(Updates, RotateThreeVariables) {
  const Expr a = variable("a"), b = variable("b"), c = variable("c");
  expect({{a, b}, {b, c}, {c, a}}, [](const State& s) {
    return State{{"a", s.at("b")}, {"b", s.at("c")}, {"c", s.at("a")}};
  });
}

TEST_F(Updates, RotateThreeVariablesWithArithmetic) {
  // Each of the three would be written before another has read it: one must go through a copy.
  const Expr a = variable("a"), b = variable("b"), c = variable("c");
  const auto step = [](double y) { return y * 0.5 + 1; };
  expect({{a, b * 0.5 + 1}, {b, c * 0.5 + 1}, {c, a * 0.5 + 1}}, [&](const State& s) {
    return State{{"a", each(s.at("b"), step)}, {"b", each(s.at("c"), step)}, {"c", each(s.at("a"), step)}};
  });
}

TEST_F(Updates, MomentumUsesTheNewVelocity) {
  const Expr w = variable("w"), velocity = variable("velocity"), x = g.input("x", {n});
  const Numbers xs = dyadic(n, 9);
  feeds = {{x, xs}};
  const Expr faster = 0.5 * velocity + x;
  expect({{velocity, faster}, {w, w - 0.25 * faster}}, [&](const State& s) {
    const Numbers v = each(s.at("velocity"), xs, [](double y, double z) { return 0.5 * y + z; });
    return State{{"velocity", v}, {"w", each(s.at("w"), v, [](double y, double z) { return y - 0.25 * z; })}};
  });
}

TEST_F(Updates, MomentumUsesTheOldVelocity) {
  const Expr w = variable("w"), velocity = variable("velocity");
  expect({{velocity, 0.5 * velocity + w}, {w, w - 0.25 * velocity}}, [](const State& s) {
    return State{
        {"velocity", each(s.at("velocity"), s.at("w"), [](double v, double y) { return 0.5 * v + y; })},
        {"w", each(s.at("w"), s.at("velocity"), [](double y, double v) { return y - 0.25 * v; })}};
  });
}

TEST_F(Updates, WithinOneGroupOneOverwritesWhatTheOtherStillReads) {
  // The new b is computed first, but the old b is read after it.
  const Expr a = variable("a"), b = variable("b");
  const Expr next_b = a + 1;
  expect({{a, 0.5 * next_b - 0.25 * b}, {b, next_b}}, [](const State& s) {
    return State{
        {"a", each(s.at("a"), s.at("b"), [](double x, double y) { return 0.5 * (x + 1) - 0.25 * y; })},
        {"b", each(s.at("a"), [](double x) { return x + 1; })}};
  });
}

TEST_F(Updates, WithinOneGroupThreeVariablesReadEachOther) {
  const Expr a = variable("a"), b = variable("b"), c = variable("c");
  const Expr next_a = c - 1, next_b = next_a - 0.5 * a, next_c = 0.5 * next_b + 0.25 * b + 0.25 * a;
  expect({{a, next_a}, {b, next_b}, {c, next_c}}, [](const State& s) {
    State next;
    next["a"] = each(s.at("c"), [](double z) { return z - 1; });
    next["b"] = each(next["a"], s.at("a"), [](double x, double y) { return x - 0.5 * y; });
    const Numbers old = each(s.at("b"), s.at("a"), [](double x, double y) { return 0.25 * x + 0.25 * y; });
    next["c"] = each(next["b"], old, [](double x, double y) { return 0.5 * x + y; });
    return next;
  });
}

TEST_F(Updates, OneValueForTwoVariables) {
  const Expr a = variable("a"), b = variable("b"), c = variable("c");
  const Expr value = 0.5 * a + c;
  expect({{a, value}, {b, value}}, [](const State& s) {
    const Numbers v = each(s.at("a"), s.at("c"), [](double x, double z) { return 0.5 * x + z; });
    return State{{"a", v}, {"b", v}};
  });
}

TEST_F(Updates, OneValueForTwoVariablesOnceThroughAView) {
  const Expr a = variable("a", {6}), b = variable("b", {2, 3});
  const Expr value = 0.5 * a + 1;
  expect({{b, reshape(value, {2, 3})}, {a, value}}, [](const State& s) {
    const Numbers v = each(s.at("a"), [](double x) { return 0.5 * x + 1; });
    return State{{"a", v}, {"b", v}};
  });
}

TEST_F(Updates, ByAConstantByANumberAndByAnInput) {
  const Expr a = variable("a"), b = variable("b"), c = variable("c"), d = variable("d");
  const Numbers fixed = dyadic(n, 20), fed = dyadic(n, 21);
  const Expr x = g.input("x", {n});
  feeds = {{x, fed}};
  expect({{a, 3}, {b, g.constant({n}, fixed)}, {c, x}, {d, a + c}}, [&](const State& s) {
    return State{{"a", Numbers(n, 3)},
                 {"b", fixed},
                 {"c", fed},
                 {"d", each(s.at("a"), s.at("c"), [](double x, double z) { return x + z; })}};
  });
}

TEST_F(Updates, ByAVariableThatStays) {
  const Expr a = variable("a", {6}), b = variable("b", {6}), c = variable("c", {2, 3});
  expect({{a, b}, {c, reshape(b, {2, 3})}}, [](const State& s) {
    return State{{"a", s.at("b")}, {"c", s.at("b")}};
  });
}

TEST_F(Updates, ByAScalarStateThatChangesToo) {
  const Expr w = variable("w"), rate = variable("rate", {}), count = variable("count", {});
  expect({{w, w - rate * w * 0.5}, {rate, rate * 0.5}, {count, count + rate}}, [](const State& s) {
    const double r = s.at("rate")[0];
    return State{{"w", each(s.at("w"), [&](double x) { return x - r * x * 0.5; })},
                 {"rate", {r * 0.5}},
                 {"count", {s.at("count")[0] + r}}};
  });
}

TEST_F(Updates, ByARowAndAColumnThatChangeToo) {
  const Expr m = variable("m", {50, 50}), row = variable("row", {50}), column = variable("column", {50, 1});
  expect({{m, m + row - column}, {row, 0.5 * row}, {column, 1 - column}}, [](const State& s) {
    State next = s;
    for (std::size_t i = 0; i < 50; ++i)
      for (std::size_t j = 0; j < 50; ++j)
        next["m"][50 * i + j] = s.at("m")[50 * i + j] + s.at("row")[j] - s.at("column")[i];
    next["row"] = each(s.at("row"), [](double x) { return 0.5 * x; });
    next["column"] = each(s.at("column"), [](double x) { return 1 - x; });
    return next;
  });
}

TEST_F(Updates, ByOpsThatReadOtherElementsThanTheyWrite) {
  const Expr m = variable("m", {3, 3}), k = variable("k", {3, 3}), v = variable("v", {9});
  const auto transposed = [](const Numbers& a) {
    return Numbers{a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]};
  };
  expect({{m, transpose(m)}, {k, transpose(m + k)}, {v, concat({slice(v, 0, 4, 9), slice(v, 0, 0, 4)}, 0)}},
         [&](const State& s) {
           const Numbers& o = s.at("v");
           return State{
               {"m", transposed(s.at("m"))},
               {"k", transposed(each(s.at("m"), s.at("k"), [](double x, double y) { return x + y; }))},
               {"v", {o[4], o[5], o[6], o[7], o[8], o[0], o[1], o[2], o[3]}}};
         });
}

TEST_F(Updates, ThroughAViewOfItself) {
  const Expr v = variable("v", {6}), row = variable("row", {3});
  expect({{v, reshape(reshape(v, {2, 3}) * 0.5 - row, {6})}, {row, slice(v, 0, 3, 6)}}, [](const State& s) {
    State next = s;
    for (std::size_t i = 0; i < 6; ++i) next["v"][i] = 0.5 * s.at("v")[i] - s.at("row")[i % 3];
    next["row"] = {s.at("v")[3], s.at("v")[4], s.at("v")[5]};
    return next;
  });
}

TEST_F(Updates, OutputsOfTheVariableAndItsViewsAreOldValues) {
  const Expr a = variable("a", {6}), b = variable("b", {6});
  const Expr value = 0.5 * a + b;
  expect(
      {{a, value}, {b, a}},
      [](const State& s) {
        return State{{"a", each(s.at("a"), s.at("b"), [](double x, double y) { return 0.5 * x + y; })},
                     {"b", s.at("a")}};
      },
      {a, reshape(a, {2, 3}), 2 * a, value, b, stop_gradient(b)},
      [](const State& s) {
        const Numbers &x = s.at("a"), &y = s.at("b");
        return std::vector<Numbers>{x,
                                    x,
                                    each(x, [](double u) { return 2 * u; }),
                                    each(x, y, [](double u, double w) { return 0.5 * u + w; }),
                                    y,
                                    y};
      });
}

TEST_F(Updates, ANewValueThatIsReadLaterIsStillThere) {
  const Expr a = variable("a", {4, 4}), b = variable("b", {4});
  const Expr value = 0.5 * a + 1;
  expect(
      {{a, value}, {b, sum(value, {0}) * 0.25}},
      [](const State& s) {
        State next = s;
        next["a"] = each(s.at("a"), [](double x) { return 0.5 * x + 1; });
        for (std::size_t j = 0; j < 4; ++j)
          next["b"][j] = (next["a"][j] + next["a"][4 + j] + next["a"][8 + j] + next["a"][12 + j]) * 0.25;
        return next;
      },
      {sum(value), sum(a)},
      [](const State& s) {
        double old = 0, changed = 0;
        for (const double x : s.at("a")) old += x, changed += 0.5 * x + 1;
        return std::vector<Numbers>{{changed}, {old}};
      });
}

TEST_F(Updates, OfManyVariablesInALongChain) {
  std::vector<Expr> chain;
  for (int i = 0; i < 40; ++i) chain.push_back(variable("v" + std::to_string(i), {5}));
  std::vector<Update> updates;
  for (std::size_t i = 0; i < 40; ++i) updates.push_back({chain[i], 0.5 * chain[(i + 1) % 40] + 1});
  expect(updates, [](const State& s) {
    State next;
    for (int i = 0; i < 40; ++i)
      next["v" + std::to_string(i)] =
          each(s.at("v" + std::to_string((i + 1) % 40)), [](double x) { return 0.5 * x + 1; });
    return next;
  });
}

TEST(UpdateErrors, NameTheVariable) {
  Graph g, other;
  Store<double> store;
  const Expr a = g.state("a", {2}), x = g.input("x", {2}), stranger = other.state("stranger", {2});
  const auto error = [&](const std::vector<Update>& updates) {
    return test::error_of([&] { compile<double>({}, updates, 1, store); });
  };
  // Each with the line that made it.
  const auto message = [](const std::string& text) { return testing::MatchesRegex("compile: " + text); };
  const std::string at = " at update_test.cpp:[0-9]+";
  EXPECT_THAT(error({{x, a}}), message("x .2." + at + " is updated, but is neither parameter nor state"));
  EXPECT_THAT(error({{a, sum(a)}}),
              message("a .2." + at + " is updated with sum#2 .." + at + ", which differs in shape"));
  EXPECT_THAT(error({{a, x}, {a, a + 1}}),
              testing::AllOf(testing::StartsWith("compile: a [2] is updated twice, with the values made at "
                                                 "update_test.cpp:"),
                             testing::HasSubstr(" and at update_test.cpp:")));
  const auto of_another = message("stranger .2." + at + " is of another graph than a .2." + at);
  EXPECT_THAT(error({{a, x}, {stranger, stranger}}), of_another);
  EXPECT_THAT(test::error_of([&] { compile<double>({a}, {{a, stranger}}, 1, store); }), of_another);
  EXPECT_EQ(error({}), "compile: there are no outputs and no updates");
}

}  // namespace
}  // namespace gradus
