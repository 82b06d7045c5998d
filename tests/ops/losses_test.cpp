#include <gtest/gtest.h>

#include <algorithm>
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
template <class T>
void expect_relative(T found, Extended expected, Extended bound, const std::string& what, int terms = 1) {
  const Extended tiny = 4 * terms * std::numeric_limits<T>::min();
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

// Rows of `classes` logits: z for class `own`, and what is spread around 0 for the others.
template <class T> Numbers row_around(double z, int own, int classes) {
  Numbers row;
  for (int k = 0; k < classes; ++k) row.push_back(static_cast<T>(k == own ? z : 0.25 * (k % 5) - 0.5));
  return row;
}

std::vector<Extended> softmax_of(const Numbers& x) {
  const Extended most = *std::max_element(x.begin(), x.end());
  std::vector<Extended> shares;
  Extended sum = 0;
  for (const double v : x) sum += shares.emplace_back(std::exp(v - most));
  for (Extended& share : shares) share /= sum;
  return shares;
}

// Σ over all but one, so that nothing cancels.
template <class F> Extended sum_but(std::size_t n, std::size_t left_out, F term) {
  Extended sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += i == left_out ? 0 : term(i);
  return sum;
}

// What a difference of two logits is rounded by, the exponential magnifies.
template <class T> Extended share_bound(const Numbers& x) {
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  return Bounds<T>::gradient + (*most - *least) * std::numeric_limits<T>::epsilon();
}

// However confident the model, in the right class or in a wrong one.
TYPED_TEST(Losses, OfClassesKeepTheDigitsOfTheirGradient) {
  for (const int classes : {2, 3, 10, 300})
    for (const int own : {0, 1, classes - 1})
      for (int z = -100; z <= 100; z += classes > 10 ? 25 : 1)
        for (const bool confident : {true, false}) {
          const auto n = static_cast<std::size_t>(classes);
          const Numbers x = row_around<TypeParam>(z, confident ? own : (own + 1) % classes, classes);
          Numbers hot(n, 0);
          hot[static_cast<std::size_t>(own)] = 1;
          Graph g;
          const Expr logit = g.input("x", {1, classes}), label = g.input("label", {1}),
                     rows = g.input("hot", {1, classes});
          const auto found = evaluate<TypeParam>(
              {grad(cross_entropy(logit, label), logit), grad(cross_entropy(logit, rows), logit),
               grad(sum(logsumexp(logit)), logit)},
              {{logit, x}, {label, Numbers{double(own)}}, {rows, hot}});
          EXPECT_EQ(found[0], found[1]);
          const auto p = softmax_of(x);
          const std::string what = std::to_string(classes) + " classes, " + std::to_string(own) + " at " +
                                   std::to_string(z) + (confident ? "" : ", mistaken");
          Extended row = 0, size = 0;
          for (std::size_t i = 0; i < n; ++i) {
            const Extended others = sum_but(n, i, [&](std::size_t j) { return p[j]; });
            expect_relative(found[0][i], hot[i] == 1 ? -others : p[i], share_bound<TypeParam>(x), what,
                            classes);
            expect_relative(found[2][i], p[i], share_bound<TypeParam>(x), what);
            row += found[0][i];
            size += std::abs(found[0][i]);
          }
          EXPECT_LE(std::abs(row), 4 * std::numeric_limits<TypeParam>::epsilon() * size) << what;
        }
}

// Targets that leave little for the other classes: what counts is that little.
TYPED_TEST(Losses, OfSoftTargetsKeepTheDigitsOfTheirGradient) {
  for (const double little : {1e-3, 1e-9, 1e-20, 1e-30})
    for (const int z : {2, 12, 20, 40, 60}) {
      const Numbers x{double(z), 0, -1}, t{1, static_cast<TypeParam>(little), 0};
      Graph g;
      const Expr logit = g.input("x", {1, 3}), target = g.input("t", {1, 3});
      const auto found =
          evaluate<TypeParam>(grad(cross_entropy(logit, target), logit), {{logit, x}, {target, t}});
      const auto p = softmax_of(x);
      const Extended sum = 1 + t[1], exact[] = {t[1] * p[0] - (p[1] + p[2]), sum * p[1] - t[1], sum * p[2]};
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR((found[i] - exact[i]) / (p[1] + p[2] + t[1]), 0, share_bound<TypeParam>(x))
            << little << " at " << z << ", class " << i;
    }
}

// All slopes pᵢ(δᵢⱼ − pⱼ), and those of the logarithm's gradient, which has the second order of logsumexp.
TYPED_TEST(Losses, SoftmaxKeepsTheDigitsOfItsSlope) {
  for (const int classes : {2, 3, 10})
    for (int z = -80; z <= 80; z += 4)
      for (int of = 0; of < classes; of += std::max(1, classes / 3)) {
        const auto n = static_cast<std::size_t>(classes), i = static_cast<std::size_t>(of);
        const Numbers x = row_around<TypeParam>(z, classes / 2, classes);
        Graph g;
        const Expr logit = g.input("x", {classes});
        const auto at = [&](const Expr& y) { return sum(slice(y, 0, of, of + 1)); };
        const auto found = evaluate<TypeParam>(
            {grad(at(softmax(logit)), logit), grad(at(grad(logsumexp(logit), logit)), logit),
             grad(at(grad(-at(log_softmax(logit)), logit)), logit)},
            {{logit, x}});
        const auto p = softmax_of(x);
        for (std::size_t j = 0; j < n; ++j) {
          const Extended exact =
              i == j ? p[i] * sum_but(n, i, [&](std::size_t k) { return p[k]; }) : -p[i] * p[j];
          for (const auto& slope : found)
            expect_relative(slope[j], exact, 2 * share_bound<TypeParam>(x),
                            std::to_string(of) + " by " + std::to_string(j) + " at " + std::to_string(z));
        }
      }
}

// An infinite logit leaves nothing to the others; of several there is no limit.
TYPED_TEST(Losses, OfAnInfiniteLogit) {
  using Row = std::vector<TypeParam>;
  constexpr auto infinity = std::numeric_limits<TypeParam>::infinity();
  for (const double rest : {1.0, -1e30, 1e30, -double{infinity}})
    for (const std::size_t place : {0U, 1U, 2U}) {
      Numbers x{rest, 2, rest};
      x[place] = infinity;
      Row one(3, 0), logs(3, -infinity);
      one[place] = 1;
      logs[place] = 0;
      Graph g;
      const Expr logit = g.input("x", {1, 3}), label = g.input("label", {1}), c = g.input("c", {1, 3});
      const Expr loss = cross_entropy(logit, label), whole = sum(logsumexp(logit));
      const auto found =
          evaluate<TypeParam>({softmax(logit), log_softmax(logit), whole, grad(whole, logit), loss,
                               grad(loss, logit), grad(sum(softmax(logit) * c), logit)},
                              {{logit, x}, {label, Numbers{double(place)}}, {c, Numbers{1, -2, 3}}});
      const std::vector<Row> expected{one, logs, {infinity}, one, {0}, {0, 0, 0}, {0, 0, 0}};
      EXPECT_EQ(found, expected) << "place " << place << ", beside " << rest;
      const std::size_t wrong = (place + 1) % 3;
      const auto missed =
          evaluate<TypeParam>({loss, grad(loss, logit)}, {{logit, x}, {label, Numbers{double(wrong)}}});
      Row slope = one;
      slope[wrong] = -1;
      EXPECT_EQ(missed, (std::vector<Row>{{infinity}, slope}));
    }
  Graph g;
  const Expr x = g.input("x", {2});
  for (const double most : {double{infinity}, -double{infinity}}) {
    const auto found =
        evaluate<TypeParam>({logsumexp(x), softmax(x), log_softmax(x)}, {{x, Numbers{most, most}}});
    EXPECT_EQ(found[0], Row{static_cast<TypeParam>(most)});
    for (const std::size_t k : {0U, 1U}) EXPECT_TRUE(std::isnan(found[1][k]) && std::isnan(found[2][k]));
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
