#include <gtest/gtest.h>

#include <limits>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"

// Losses and what they are made of over logits from -100 to 100, against long double.
namespace gradus::test {
namespace {

using Extended = long double;

template <class T> struct Bounds;
template <> struct Bounds<float> { static constexpr Extended value = 3 * 1.2e-7L, gradient = 1e-6L; };
template <> struct Bounds<double> { static constexpr Extended value = 3 * 2.3e-16L, gradient = 1e-14L; };

// Relative, and absolute for what is made of numbers below the normal ones, which may be 0.
template <class T> void expect_relative(T found, Extended expected, Extended bound, const std::string& what) {
  const Extended tiny = 4 * std::numeric_limits<T>::min();
  EXPECT_LE(std::abs(found - expected), std::max(bound * std::abs(expected), tiny))
      << what << ": " << found << " instead of " << static_cast<double>(expected);
}

std::vector<Extended> logits() {
  std::vector<Extended> all;
  for (int i = -400; i <= 400; ++i) all.push_back(i / 4.0L);
  return all;
}

Extended softplus_of(Extended x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))); }
Extended sigmoid_of(Extended x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

template <class T> class Losses : public testing::Test {
 protected:
  // The values of y and of the gradient of its sum at each of the logits.
  static std::array<std::vector<T>, 2> at_logits(const std::function<Expr(const Expr&)>& f) {
    Graph g;
    const auto all = logits();
    const Expr x = g.input("x", {static_cast<std::int64_t>(all.size())});
    const Expr y = f(x);
    const auto found = evaluate<T>({y, grad(sum(y), x)}, {{x, Numbers(all.begin(), all.end())}});
    return {found[0], found[1]};
  }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Losses, Types);

TYPED_TEST(Losses, OfBinaryTargets) {
  using B = Bounds<TypeParam>;
  const auto all = logits();
  for (const Extended t : {0.0L, 1.0L}) {
    const auto [y, slope] =
        this->at_logits([&](const Expr& x) { return logistic_loss(x, static_cast<double>(t)); });
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Extended x = t == 1 ? -all[i] : all[i];
      const std::string what = std::to_string(static_cast<double>(all[i]));
      expect_relative(y[i], softplus_of(x), B::value, what);
      expect_relative(slope[i], t == 1 ? -sigmoid_of(x) : sigmoid_of(x), B::gradient, what);
    }
  }
}

TYPED_TEST(Losses, OfSoftTargets) {
  const auto all = logits();
  for (const double t : {0.25, 0.5, 0.75}) {
    const auto [y, slope] = this->at_logits([&](const Expr& x) { return logistic_loss(x, t); });
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Extended x = all[i], exact = t * softplus_of(-x) + (1 - t) * softplus_of(x);
      expect_relative(y[i], exact, 2 * Bounds<TypeParam>::value, std::to_string(i));
      // It crosses 0, so that only its size can be kept.
      EXPECT_NEAR(slope[i], static_cast<double>(sigmoid_of(x) - t),
                  std::numeric_limits<TypeParam>::epsilon());
    }
  }
}

TYPED_TEST(Losses, OfInfiniteLogits) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  Graph g;
  const Expr x = g.input("x", {4}), t = g.input("t", {4});
  const std::vector<Feed> at = {{x, Numbers{infinity, -infinity, infinity, -infinity}},
                                {t, Numbers{1, 0, 0, 1}}};
  const auto most = static_cast<TypeParam>(infinity);
  EXPECT_EQ(evaluate<TypeParam>(logistic_loss(x, t), at), (std::vector<TypeParam>{0, 0, most, most}));
  EXPECT_EQ(evaluate<TypeParam>(grad(sum(logistic_loss(x, t)), x), at),
            (std::vector<TypeParam>{0, 0, 1, -1}));
  const std::vector<Feed> right = {{x, Numbers{infinity, -infinity, infinity, -infinity}},
                                   {t, Numbers{1, 0, 1, 0}}};
  EXPECT_EQ(evaluate<TypeParam>(binary_cross_entropy(x, t), right), std::vector<TypeParam>{0});
}

TYPED_TEST(Losses, SoftplusHasItsDigitsAndItsSlope) {
  const auto all = logits();
  const auto [y, slope] = this->at_logits([](const Expr& x) { return softplus(x); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    expect_relative(y[i], softplus_of(all[i]), Bounds<TypeParam>::value, std::to_string(i));
    expect_relative(slope[i], sigmoid_of(all[i]), Bounds<TypeParam>::gradient, std::to_string(i));
  }
}

TYPED_TEST(Losses, Expm1HasASlopeWithAllDigits) {
  const auto all = logits();
  const auto [y, slope] = this->at_logits([](const Expr& x) { return where(x < 80, expm1(x), 0); });
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] < 80)
      expect_relative(slope[i], std::exp(all[i]), Bounds<TypeParam>::gradient, std::to_string(i));
}

// Indices and one-hot rows are two spellings of one target.
TYPED_TEST(Losses, OfClassesAreTheSameInBothForms) {
  const auto all = logits();
  const auto rows = static_cast<std::int64_t>(all.size());
  for (const int own : {0, 1, 2}) {
    Numbers x, hot, label;
    for (const Extended z : all) {
      for (const double other : {static_cast<double>(z), 0.0, -0.5}) x.push_back(other);
      for (int k = 0; k < 3; ++k) hot.push_back(k == own ? 1 : 0);
      label.push_back(own);
    }
    Graph g;
    const Expr logit = g.input("x", {rows, 3}), indices = g.input("label", {rows}),
               rows_of = g.input("hot", {rows, 3});
    const std::vector<Feed> at = {{logit, x}, {indices, label}, {rows_of, hot}};
    const auto found =
        evaluate<TypeParam>({log_softmax(logit), grad(cross_entropy(logit, indices), logit),
                             grad(cross_entropy(logit, rows_of), logit), cross_entropy(logit, indices),
                             cross_entropy(logit, rows_of), logsumexp(logit)},
                            at);
    EXPECT_EQ(found[1], found[2]);
    EXPECT_EQ(found[3], found[4]);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Extended z[] = {all[i], 0, -0.5L};
      Extended others = 0;
      for (int k = 0; k < 3; ++k)
        if (k != own) others += std::exp(z[k] - z[own]);
      const std::string what = std::to_string(static_cast<double>(all[i]));
      expect_relative(found[0][3 * i + static_cast<std::size_t>(own)], -std::log1p(others),
                      2 * Bounds<TypeParam>::value, what);
    }
  }
}

TYPED_TEST(Losses, OfClassesThatAreRuledOut) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Graph g;
  const Expr x = g.input("x", {2, 3}), label = g.input("label", {2}), hot = g.input("hot", {2, 3});
  const std::vector<Feed> at = {{x, Numbers{-infinity, 1, 2, 0, -infinity, 3}},
                                {label, Numbers{1, 2}},
                                {hot, Numbers{0, 1, 0, 0, 0, 1}}};
  const auto found = evaluate<TypeParam>({cross_entropy(x, label), cross_entropy(x, hot),
                                          grad(cross_entropy(x, label), x), grad(cross_entropy(x, hot), x)},
                                         at);
  EXPECT_NEAR(found[0][0], 0.68092452, 1e-7);
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(found[2], found[3]);
}

TEST(LogSoftmax, KeepsTheDigitsNearZero) {
  Graph g;
  const Expr x = g.input("x", {2});
  EXPECT_FLOAT_EQ(evaluate<float>(log_softmax(x), {{x, Numbers{20, 0}}})[0], -2.0611537e-9F);
  EXPECT_FLOAT_EQ(evaluate<float>(log_softmax(x), {{x, Numbers{0, 20}}})[1], -2.0611537e-9F);
  EXPECT_FLOAT_EQ(evaluate<float>(logsumexp(x), {{x, Numbers{0, -20}}})[0], 2.0611537e-9F);
}

}  // namespace
}  // namespace gradus::test
