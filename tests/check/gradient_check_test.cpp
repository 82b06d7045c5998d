// Planted faults: each must be found.
#include "tests/support/planted.hpp"

namespace gradus::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Claims that f(a, 1) = a, which the optimiser believes.
struct Folded final : Binary<Folded> {
  static constexpr std::string_view name = "folded";
  static constexpr Traits extra_traits{.right_identity = 1.0};
  template <class T> static T f(T a, T b) { return a * b + T(1e-8) * a; }
  template <class T> static T da(T, T b, T) { return b + 1e-8; }
  template <class T> static T db(T a, T, T) { return a; }
};

Expr softmax_with(Arg x, Rule rule) {
  const Value rows_of_four = [](auto x, auto y) {
    for (std::size_t i = 0; i < x.size(); i += 4) {
      double sum = 0;
      for (std::size_t k = i; k < i + 4; ++k) sum += y[k] = std::exp(x[k]);
      for (std::size_t k = i; k < i + 4; ++k) y[k] /= sum;
    }
  };
  return planted(x, rows_of_four, std::move(rule));
}

// In an op of x [B, 4] and w [4].
struct Fault {
  std::string name;
  std::function<Expr(const Expr& x, const Expr& w)> op;
  std::string breaks = {};  // which property
  bool differences = true;  // do differences find it, too?
};
std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

const Fault faults[] = {
    {"Sign", [](auto x, auto) { return cube(x, [](auto x, auto, auto) { return -3 * square(x); }); }},
    {"Factor", [](auto x, auto) { return cube(x, [](auto x, auto, auto) { return 6 * square(x); }); }},
    {"SwappedOperands",
     [](auto x, auto w) {
       return product(x, w, [](const Vjp& v) -> std::vector<Expr> {
         const Expr &a = v.inputs[0], &b = v.inputs[1];
         return {v.cotangent * 2 * a * b, v.cotangent * square(b)};
       });
     }},
    {"ZeroOperand",
     [](auto x, auto w) {
       return product(x, w, [](const Vjp& v) -> std::vector<Expr> {
         return {v.cotangent * square(v.inputs[1]), v.cotangent * 0};
       });
     }},
    {"ForgottenOperand",
     [](auto x, auto w) {
       return product(x, w, [](const Vjp& v) -> std::vector<Expr> {
         return {v.cotangent * square(v.inputs[1]), Expr()};
       });
     },
     "gradient path", false},
    {"Column",
     [](auto x, auto) {
       return cube(x, [](auto x, auto, auto c) { return 3 * square(x) + at_index(c, 4, 2, 1e-5); });
     }},
    // The derivative's rows sum to 0 with or without it: a cotangent of ones, the sum's, does not see it.
    {"SoftmaxOffByAConstant",
     [](auto x, auto) {
       return softmax_with(x, [](auto, auto y, auto c) {
         return y * (c - sum(c * y, {1}, true)) + 0.01 * (sum(c * y, {1}, true) - mean(c, {1}, true));
       });
     }},
    {"FactorOfTheBatch",
     [](auto x, auto) {
       return cube(x, [](auto x, auto, auto c) { return 3 * square(x) * c.graph().full(x.shape(), B); });
     }},
    {"MeanOverTheBatch",
     [](auto x, auto) {
       return planted(x, each([](double v) { return 2 * v; }),
                      [](auto x, auto, auto c) { return 2 * broadcast_to(mean(c, {0}), x.shape()); });
     }},
    // Its rule asks which element it was: no noise may stand between the two.
    {"SignOfTheLargest",
     [](auto x, auto) {
       const Value largest_of_four = [](auto x, auto y) {
         for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::ranges::max(x.subspan(i / 4 * 4, 4));
       };
       return planted(x, largest_of_four,
                      [](auto x, auto y, auto c) { return -equal(x, y) * sum(c, {1}, true); });
     }},
    {"GradientOfNothing",
     [](auto x, auto) {
       return planted(x, each([](double v) { return 2 * v; }),
                      [](auto, auto, auto c) { return c * 2 + 1e-3; });
     },
     "zero cotangent"},
    {"NanGradient",
     [](auto x, auto) {
       return cube(x, [](auto x, auto, auto) { return where(x > 0.1, log(-square(x)), 3 * square(x)); });
     },
     "finite"},
    {"InfiniteGradient",
     [](auto x, auto) {
       return cube(x, [](auto x, auto, auto) { return 3 * square(x) + where(x > 0.1, INFINITY, 0); });
     },
     "finite"},
    // The last column of what is computed does not depend on x at all.
    {"NearlyNothingForAConstant",
     [](auto x, auto) {
       const Value three_columns = [](auto x, auto y) {
         for (std::size_t i = 0; i < x.size(); ++i) y[i] = i % 4 == 3 ? 0.5 : x[i];
       };
       return planted(x, three_columns, [](auto, auto, auto c) {
         return c * c.graph().constant({4}, {1, 1, 1, 1e-12});
       });
     }},
};

class GradientCheck : public ::testing::Test {
 protected:
  Graph g;
  Expr x = g.input("x", {B, 4});
  Expr w = g.parameter("w", {4});
};

class GradientCheckFinds : public GradientCheck, public ::testing::WithParamInterface<Fault> {
 protected:
  void finds(const Expr& expr, const GradientCheckOptions& options) {
    const GradientReport report = check(expr, options);
    const std::string text = report.text();
    EXPECT_FALSE(report.ok()) << text;
    EXPECT_EQ(agrees_with_differences(report), !GetParam().differences) << text;
    if (!GetParam().breaks.empty()) {
      EXPECT_THAT(broken(report), HasSubstr(GetParam().breaks)) << text;
    }
    // And no other op.
    ASSERT_EQ(report.suspects.size(), 1U) << text;
    EXPECT_THAT(report.suspects[0], AllOf(StartsWith("planted#"), HasSubstr(" at gradient_check_test.cpp:")));
  }
};
INSTANTIATE_TEST_SUITE_P(Planted, GradientCheckFinds, ::testing::ValuesIn(faults),
                         [](const auto& test) { return test.param.name; });

TEST_P(GradientCheckFinds, ItByItself) { finds(GetParam().op(x, w), {}); }
TEST_P(GradientCheckFinds, ItByDirections) { finds(GetParam().op(x, w), fast); }
TEST_P(GradientCheckFinds, ItAmongOtherOps) {
  const Expr bad = GetParam().op(2 * sigmoid(x) - 1, exp(w));
  finds(mean(square(tanh(bad) + relu(x))), {});
}

// In ten thousand entries, by this much.
class GradientCheckOfMany : public ::testing::TestWithParam<std::tuple<double, GradientCheckOptions>> {};
INSTANTIATE_TEST_SUITE_P(InFull, GradientCheckOfMany,
                         ::testing::Values(std::tuple(1e-3, GradientCheckOptions{})));
INSTANTIATE_TEST_SUITE_P(ByDirections, GradientCheckOfMany,
                         ::testing::Values(std::tuple(1.0, fast), std::tuple(1e-3, fast),
                                           std::tuple(1e-4, fast)));

TEST_P(GradientCheckOfMany, FindsTheOneThatIsWrong) {
  const auto& [error, options] = GetParam();
  Graph g;
  const Expr x = g.input("x", {10000});
  const Expr y = mean(
      cube(x, [by = error](auto x, auto, auto c) { return 3 * square(x) + at_index(c, 10000, 7777, by); }));
  const GradientReport report = check(10000 * y, options);
  ASSERT_EQ(report.tensors.size(), 1U);
  const CheckedTensor& tensor = report.tensors[0];
  ASSERT_FALSE(tensor.ok) << report.text();
  // Directions lead to it.
  EXPECT_EQ(tensor.worst.what, "[7777]");
  EXPECT_NEAR(tensor.worst.analytic - tensor.worst.numeric, error, 1e-2 * error);
  EXPECT_TRUE(options.mode == GradientCheckOptions::Mode::fast || tensor.failures == 1);
  ASSERT_EQ(report.suspects.size(), 1U);
  EXPECT_THAT(report.suspects[0], HasSubstr("[7777]"));
}

// A term that is left out, relative to the norm of the whole gradient; also within a deeper function.
class GradientCheckOfSmallTerms : public GradientCheck, public ::testing::WithParamInterface<double> {};
INSTANTIATE_TEST_SUITE_P(Sizes, GradientCheckOfSmallTerms, ::testing::Values(1e-5, 1e-6, 1e-7, 1e-8, 1e-9));

TEST_P(GradientCheckOfSmallTerms, FindsWhatIsMissing) {
  const Point point = random_point(x, 3, 1);
  double squares = 0;
  for (const double v : point.find("x")->second) squares += 9 * v * v * v * v;
  const Expr y =
      cube(x, [term = GetParam() * std::sqrt(squares)](auto x, auto, auto) { return 3 * square(x) - term; });
  for (const Expr& expr : {y, sum(y), mean(square(tanh(y) + 1))})
    for (const auto& options : {GradientCheckOptions{}, fast}) {
      const GradientReport report = check(expr, options, point);
      EXPECT_FALSE(agrees_with_differences(report)) << report.text();
      EXPECT_EQ(report.suspects.size(), 1U) << report.text();
    }
}

// Right in value, wrong when it is differentiated again.
TEST_F(GradientCheck, FindsWhatIsWrongAtTheSecondOrderOnly) {
  const Expr y = cube(x, [](auto x, auto, auto) { return stop_gradient(3 * square(x)); });
  for (const Expr& expr : {y, sum(y), mean(tanh(y * 2) * sigmoid(x))}) {
    EXPECT_TRUE(check(expr).ok());
    for (const auto& options : {second, GradientCheckOptions{.mode = fast.mode, .order = 2}}) {
      const GradientReport report = check(expr, options);
      ASSERT_EQ(report.tensors.size(), 2U);
      EXPECT_TRUE(report.tensors[0].ok && report.tensors[0].order == 1) << report.text();
      EXPECT_FALSE(report.tensors[1].ok || report.tensors[1].order == 1) << report.text();
      ASSERT_EQ(report.suspects.size(), 1U) << report.text();
      EXPECT_THAT(report.suspects[0], AllOf(StartsWith("planted#"), HasSubstr("its own second gradient")));
    }
  }
}

// For a batch of 1 a factor of B is no fault: hence the matcher's default of 3. And a third of it is none
// for 3.
TEST_F(GradientCheck, NeedsTwoBatchesToFindWhatIsWrongForOthers) {
  const Rule factor = [](auto x, auto, auto c) { return square(x) * c.graph().full(x.shape(), B); };
  const Expr y = cube(x, [=](auto x, auto y, auto c) { return 3 * factor(x, y, c); });
  EXPECT_TRUE(check(y, {}, {}, 1).ok());
  EXPECT_FALSE(check(y, {}, {}, 2).ok());
  for (const Expr& third : {cube(x, factor), sum(cube(x, factor)), mean(cube(x, factor))}) {
    EXPECT_TRUE(agrees_with_differences(check(third, {}, {}, 3)));
    EXPECT_EQ(broken(check(third, {}, {}, 3)), "batch");
  }
}

TEST_F(GradientCheck, FindsValuesThatAreNotFinite) {
  for (const double bad : {NAN, INFINITY, -INFINITY}) {
    const Value one_bad = [bad](auto x, auto y) {
      std::ranges::copy(x, y.begin());
      y[3] = bad;
    };
    const Expr y = planted(x, one_bad, [](auto, auto, auto c) { return c; });
    for (const auto& options : {GradientCheckOptions{}, fast, second}) {
      const GradientReport report = check(mean(tanh(y)), options);
      EXPECT_EQ(broken(report), "finite");
      EXPECT_THAT(report.text(), AllOf(HasSubstr("planted#"), HasSubstr("entry 3 is")));
    }
  }
}

// In the last bit of a value only, too.
TEST_F(GradientCheck, FindsWhatIsNotDeterministic) {
  for (const double step : {1e-3, 1e-15}) {
    auto runs = std::make_shared<int>(0);
    const Value drifting = [=](auto x, auto y) {
      ++*runs;
      std::ranges::transform(x, y.begin(), [&](double v) { return v + 0.1 + step * (*runs % 7); });
    };
    const Expr y = planted(x, drifting, [](auto, auto, auto c) { return c; }, {.impure = true});
    for (const auto& options : {GradientCheckOptions{}, fast})
      EXPECT_EQ(broken(check(mean(tanh(y)), options)), "deterministic") << step;
  }
}

TEST_F(GradientCheck, FindsAGradientOfAZeroCotangentHoweverSmall) {
  const Expr y =
      planted(x, each([](double v) { return 2 * v; }), [](auto, auto, auto c) { return c * 2 + 1e-300; });
  const GradientReport report = check(y);
  EXPECT_TRUE(agrees_with_differences(report));
  EXPECT_EQ(broken(report), "zero cotangent");
}

TEST_F(GradientCheck, FindsWhatIsOptimisedIntoSomethingElse) {
  EXPECT_EQ(broken(check(tanh(build<Folded>({x, 2})))), "");
  EXPECT_THAT(broken(check(tanh(build<Folded>({x, 1})))), HasSubstr("optimised = as written"));
}

TEST_F(GradientCheck, FindsWhatMixesTheBatchOrDoesNot) {
  constexpr GradientCheckOptions mixing{.mixes_batch = true};
  const Value center = [](auto x, auto y) {
    double mean = 0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    std::ranges::transform(x, y.begin(), [=](double v) { return v - mean; });
  };
  const Expr mixed = tanh(planted(x, center, [](auto, auto, auto c) { return c - mean(c); }));
  for (const Expr& expr : {mixed, sum(mixed), mean(mixed), tanh(x - mean(x, {0})), square(mean(x * w))}) {
    EXPECT_EQ(broken(check(expr)), "batch");
    EXPECT_EQ(broken(check(expr, mixing)), "");
    EXPECT_TRUE(agrees_with_differences(check(expr)));
  }
  // A penalty on the weights belongs to no sample.
  for (const Expr& expr :
       {tanh(x * w), sum(tanh(x * w)), mean(tanh(x * w)), sum(tanh(x * w)) + sum(square(w))}) {
    EXPECT_EQ(broken(check(expr)), "");
    EXPECT_EQ(broken(check(expr, mixing)), "batch");
  }
  EXPECT_EQ(broken(check(mixed, mixing, {}, 1)), "batch");  // not to be seen in one sample
}

// Two of them: one line for each, in the order of the graph.
TEST_F(GradientCheck, NamesEveryWrongOpOnce) {
  const Rule wrong = [](auto x, auto, auto) { return square(x); };
  const Expr first = cube(sigmoid(x), wrong);
  const Expr second = cube(tanh(first) + w, wrong);
  const GradientReport report = check(mean(second));
  ASSERT_EQ(report.suspects.size(), 2U);
  EXPECT_LT(report.suspects[0], report.suspects[1]);
}

// Nothing has been shown where nothing can be compared.
TEST_F(GradientCheck, IsNotSatisfiedWithNothing) {
  const Expr y = planted(x, each([](double v) { return v * v; }), [](auto, auto, auto) { return Expr(); });
  EXPECT_EQ(broken(check(y)), "gradient path");
  EXPECT_FALSE(check_gradient(y, std::span<const Expr>(), random_point(y, 3, 1), 3).ok());
  EXPECT_FALSE(check(x > 0).ok());
}

}  // namespace
}  // namespace gradus::test
