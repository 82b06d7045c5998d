#include <gtest/gtest.h>

#include <limits>

#include "tests/support/errors.hpp"
#include "tests/support/op_table.hpp"

// Whether rows of the op table treat samples apart; and what no row says: values and derivatives at kinks and
// at the ends of the number range, by fixed figures.
namespace gradus::test {
namespace {

// Samples lie along the axis that holds the batch, a·B: a indices each.
std::ptrdiff_t batch_axis(const Shape& shape) {
  const auto found = std::ranges::find_if(shape, [](Dim d) { return !d.is_constant(); });
  return found == shape.end() ? -1 : found - shape.begin();
}

bool has_samples(const Shape& shape) {
  std::size_t axes = 0;
  for (const Dim d : shape) {
    if (d.is_constant()) continue;
    if (d.constant() != 0 || ++axes > 1) return false;
  }
  return true;
}

// Calls f(offset in the batch, offset in the sample) for each element of a sample; all of them if there is no
// batch.
template <class F> void walk_sample(const Shape& shape, std::int64_t batch, std::int64_t sample, F f) {
  const Tensor whole{shape.resolve(batch), {}};
  std::size_t own = 0;
  generate(shape.resolve(1), [&](Extents index) {
    if (const auto axis = batch_axis(shape); axis >= 0) {
      const auto a = static_cast<std::size_t>(axis);
      index[a] += sample * shape[a].per_batch();
    }
    f(whole.offset(index), own++);
    return 0;
  });
}

Tensor sample_of(const Tensor& x, const Shape& shape, std::int64_t batch, std::int64_t sample) {
  Tensor one{shape.resolve(1), Numbers(static_cast<std::size_t>(element_count(shape.resolve(1))))};
  walk_sample(shape, batch, sample,
              [&](std::size_t from, std::size_t to) { one.values[to] = x.values[from]; });
  return one;
}

bool has_samples(const Case& c) {
  return has_samples(c.output.shape()) &&
         std::ranges::all_of(c.x, [](const Expr& x) { return has_samples(x.shape()); });
}

// Does each sample have the value and the gradient that it has alone, what they share the sum of theirs?
testing::AssertionResult is_the_sum_of_its_samples(const Case& c, double tolerance) {
  const Exprs exprs = c.value_and_pulled();
  const auto together = c.compile(exprs).run();
  std::vector<Numbers> alone;
  for (const Numbers& values : together) alone.emplace_back(values.size(), 0.0);
  Evaluator<double> single(exprs, 1);
  for (std::int64_t s = 0; s < c.batch; ++s) {
    for (std::size_t i = 0; i < c.leaves.size(); ++i)
      single.set(c.leaves[i], sample_of(c.values[i], c.leaves[i].shape(), c.batch, s));
    const auto values = single.run();
    for (std::size_t i = 0; i < exprs.size(); ++i)
      walk_sample(exprs[i].shape(), c.batch, s,
                  [&](std::size_t to, std::size_t from) { alone[i][to] += values[i][from]; });
  }
  // A value that all samples share is the loss itself: only its gradient is compared.
  for (std::size_t i = c.output.shape().is_constant() ? 1 : 0; i < exprs.size(); ++i)
    if (auto same = close(together[i], alone[i], tolerance); !same) return same << " in result " << i;
  return testing::AssertionSuccess();
}

class SamplewiseOp : public testing::TestWithParam<OpRow> {};
INSTANTIATE_TEST_SUITE_P(Table, SamplewiseOp, testing::ValuesIn(rows_where([](const OpRow& r) {
                           return r.batched() && !r.mixes_batch;
                         })),
                         row_name);

TEST_P(SamplewiseOp, HasBatchGradientsThatAreSumsOverSamples) {
  const Case c(GetParam(), 17);
  ASSERT_TRUE(has_samples(c));
  EXPECT_TRUE(is_the_sum_of_its_samples(c, 1e-13));
}

class MixingOp : public testing::TestWithParam<OpRow> {};
INSTANTIATE_TEST_SUITE_P(Table, MixingOp,
                         testing::ValuesIn(rows_where([](const OpRow& r) { return r.mixes_batch; })),
                         row_name);

TEST_P(MixingOp, Mixes) {
  const Case c(GetParam(), 17);
  EXPECT_FALSE(has_samples(c) && is_the_sum_of_its_samples(c, 1e-3));
}

// Fixed figures for what rows leave out.

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

// One vector in; f(x) and the gradient of its sum.
struct Fixture {
  explicit Fixture(const Numbers& numbers) : value(Tensor::vector(numbers)) {
    x = graph.input("x", Shape(value.extents));
  }
  Numbers values(const Expr& y) { return evaluate(y, {{x, value}}); }
  Numbers slopes(const Expr& y) { return evaluate(grad(sum(y), x), {{x, value}}); }

  Graph graph;
  Tensor value;
  Expr x;
};

// Equal, where NaN equals NaN.
void expect_numbers(const Numbers& actual, const Numbers& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_TRUE(std::isnan(expected[i]) ? std::isnan(actual[i]) : actual[i] == expected[i])
        << "at " << i << ": " << actual[i] << ", expected " << expected[i];
}

TEST(Close, MeasuresAgainstTheLargestEntry) {
  EXPECT_TRUE(close(Numbers{100, 1.5}, Numbers{100, 1}, 0.005));
  EXPECT_FALSE(close(Numbers{100, 1.51}, Numbers{100, 1}, 0.005));
  EXPECT_FALSE(close(Numbers{-100}, Numbers{100}, 0.005));
}

TEST(Close, NeverPassesWhatIsNotFinite) {
  EXPECT_FALSE(close(Numbers{nan}, Numbers{1}, 1e300));
  EXPECT_FALSE(close(Numbers{1}, Numbers{nan}, 1e300));
  EXPECT_FALSE(close(Numbers{nan}, Numbers{nan}, 1e300));
  EXPECT_FALSE(close(Numbers{nan, 1}, Numbers{1, 1}, infinity));
  EXPECT_FALSE(close(Numbers{1, nan}, Numbers{1, infinity}, 1));
  EXPECT_FALSE(close(Numbers{infinity}, Numbers{infinity}, 1));
  EXPECT_FALSE(close(Numbers{1}, Numbers{1}, nan));
}

TEST(Close, DemandsEqualityOfZerosAndOfCounts) {
  EXPECT_TRUE(close(Numbers{0, 0}, Numbers{0, 0}, 1e-9));
  EXPECT_FALSE(close(Numbers{0, 1e-300}, Numbers{0, 0}, 1e-9));
  EXPECT_FALSE(close(Numbers{0}, Numbers{0, 0}, 1));
  EXPECT_TRUE(close(Numbers{}, Numbers{}, 0));
}

TEST(Conventions, KinksHaveTheDocumentedSlopes) {
  Fixture f({-2, 0, 2});
  EXPECT_EQ(f.slopes(relu(f.x)), Numbers({0, 0, 1}));
  EXPECT_EQ(f.slopes(abs(f.x)), Numbers({-1, 0, 1}));
  EXPECT_EQ(f.slopes(leaky_relu(f.x, 0.25)), Numbers({0.25, 0.25, 1}));
}

TEST(Conventions, ClipHasSlopeOneOnItsBounds) {
  Fixture f({-3, -2, 0, 1, 1.5});
  EXPECT_EQ(f.values(clip(f.x, -2, 1)), Numbers({-2, -2, 0, 1, 1}));
  EXPECT_EQ(f.slopes(clip(f.x, -2, 1)), Numbers({0, 1, 1, 1, 0}));
  EXPECT_THAT(error_of([&] { clip(f.x, 1, -2); }), testing::HasSubstr("clip at HERE"));
}

TEST(Conventions, TiesOfMaximumAndMinimumShareHalfAndHalf) {
  for (const auto choose :
       {+[](Expr a, Expr b) { return maximum(a, b); }, +[](Expr a, Expr b) { return minimum(a, b); }}) {
    Graph g;
    const Expr a = g.input("a", {3});
    const Expr b = g.input("b", {3});
    const std::vector<Feed> at = {{a, Tensor::vector({1, 5, 2})}, {b, Tensor::vector({1, 2, 5})}};
    const auto slopes = evaluate(grad(sum(choose(a, b)), Exprs{a, b}), at);
    EXPECT_EQ(slopes[0][0], 0.5);
    EXPECT_EQ(slopes[1][0], 0.5);
    EXPECT_EQ(slopes[0][1] + slopes[0][2], 1);
    EXPECT_EQ(slopes[1][1] + slopes[1][2], 1);
    // x with itself: both halves.
    EXPECT_EQ(evaluate(grad(sum(choose(a, a)), a), at), Numbers({1, 1, 1}));
  }
}

TEST(Conventions, TiesOfMaxShareTheGradient) {
  Graph g;
  const Expr x = g.input("x", {2, 3});
  const Tensor at{{2, 3}, {4, 1, 4, 4, 0, 2}};
  EXPECT_EQ(evaluate(grad(sum(max(x, {1})), x), {{x, at}}), Numbers({0.5, 0, 0.5, 1, 0, 0}));
  EXPECT_EQ(evaluate(grad(sum(max(x, {0})), x), {{x, at}}), Numbers({0.5, 1, 1, 0.5, 0, 0}));
  const Numbers third = evaluate(grad(max(x), x), {{x, at}});
  EXPECT_TRUE(close(third, Numbers{1 / 3., 0, 1 / 3., 1 / 3., 0, 0}, 1e-15));
}

TEST(Conventions, NanGetsThroughWhatChooses) {
  Fixture f({nan, -1, 1});
  expect_numbers(f.values(relu(f.x)), {nan, 0, 1});
  expect_numbers(f.values(leaky_relu(f.x, 0.5)), {nan, -0.5, 1});
  expect_numbers(f.values(clip(f.x, -0.5, 0.5)), {nan, -0.5, 0.5});
  expect_numbers(f.values(abs(f.x)), {nan, 1, 1});
  expect_numbers(f.values(softplus(f.x)), {nan, std::log1p(std::exp(-1)), std::log1p(std::exp(-1)) + 1});
  for (const auto choose :
       {+[](Expr a, Expr b) { return maximum(a, b); }, +[](Expr a, Expr b) { return minimum(a, b); }}) {
    EXPECT_TRUE(std::isnan(f.values(choose(f.x, 0))[0]));
    EXPECT_TRUE(std::isnan(f.values(choose(0, f.x))[0]));
    EXPECT_TRUE(std::isnan(f.values(choose(infinity, f.x))[0]));
    EXPECT_TRUE(std::isnan(f.values(choose(f.x, -infinity))[0]));
  }
  for (const Numbers& numbers : {Numbers{nan, 1, 2}, Numbers{1, nan, 2}, Numbers{1, 2, nan}}) {
    Fixture m(numbers);
    expect_numbers(m.values(max(m.x)), {nan});
    expect_numbers(m.values(max(reshape(m.x, {3, 1}), {0})), {nan});
    // A NaN is not hidden by what the other axis reduces.
    EXPECT_TRUE(std::isnan(m.values(max(concat({reshape(m.x, {1, 3}), reshape(m.x, {1, 3})}, 0)))[0]));
  }
}

TEST(Conventions, ComparisonsWithNanAreFalse) {
  Fixture f({nan, 1});
  EXPECT_EQ(f.values(f.x < 2), Numbers({0, 1}));
  EXPECT_EQ(f.values(f.x >= 1), Numbers({0, 1}));
  EXPECT_EQ(f.values(equal(f.x, f.x)), Numbers({0, 1}));
  EXPECT_EQ(f.values(not_equal(f.x, f.x)), Numbers({1, 0}));
}

template <class T> void expect_saturation() {
  Graph g;
  const Expr x = g.input("x", {4});
  const std::vector<Feed> at = {{x, Tensor::vector({-800, 800, -infinity, infinity})}};
  const auto values = [&](const Expr& y) { return evaluate<T>(y, at); };
  const auto slopes = [&](const Expr& y) { return evaluate<T>(grad(sum(y), x), at); };
  constexpr T most = std::numeric_limits<T>::infinity();
  EXPECT_EQ(values(sigmoid(x)), (std::vector<T>{0, 1, 0, 1}));
  EXPECT_EQ(slopes(sigmoid(x)), (std::vector<T>{0, 0, 0, 0}));
  EXPECT_EQ(values(softplus(x)), (std::vector<T>{0, 800, 0, most}));
  EXPECT_EQ(slopes(softplus(x)), (std::vector<T>{0, 1, 0, 1}));
  EXPECT_EQ(values(tanh(x)), (std::vector<T>{-1, 1, -1, 1}));
  EXPECT_EQ(slopes(tanh(x)), (std::vector<T>{0, 0, 0, 0}));
}

TEST(Conventions, SigmoidSoftplusAndTanhSaturate) {
  expect_saturation<double>();
  expect_saturation<float>();
}

TEST(Conventions, SmallValuesKeepTheirDigits) {
  Fixture f({-40, 1e-20});
  EXPECT_TRUE(close(Numbers{f.values(softplus(f.x))[0]}, Numbers{std::exp(-40)}, 1e-15));
  EXPECT_TRUE(close(Numbers{f.values(sigmoid(f.x))[0]}, Numbers{std::exp(-40)}, 1e-15));
  EXPECT_EQ(f.values(log1p(f.x))[1], 1e-20);
  EXPECT_EQ(f.values(expm1(f.x))[1], 1e-20);
}

// A slope of 0 makes no NaN of -∞.
TEST(Conventions, LeakyReluWithoutASlopeIsRelu) {
  Fixture f({-infinity, -1e300, -1, 0, 2, infinity});
  for (const double slope : {0.0, -0.0}) {
    EXPECT_EQ(f.values(leaky_relu(f.x, slope)), Numbers({0, 0, 0, 0, 2, infinity}));
    EXPECT_EQ(f.slopes(leaky_relu(f.x, slope)), Numbers({0, 0, 0, 0, 1, 1}));
  }
  Fixture none({nan});
  EXPECT_TRUE(std::isnan(none.values(leaky_relu(none.x, 0))[0]));
}

TEST(Conventions, SoftmaxStandsASpreadOfAThousand) {
  Fixture f({-500, 500});
  EXPECT_EQ(f.values(log_softmax(f.x)), Numbers({-1000, 0}));
  EXPECT_EQ(f.values(softmax(f.x)), Numbers({0, 1}));
  EXPECT_EQ(f.values(logsumexp(f.x)), Numbers({500}));
  EXPECT_EQ(evaluate(grad(sum(slice(log_softmax(f.x), 0, 0, 1)), f.x), {{f.x, f.value}}), Numbers({1, -1}));
  EXPECT_EQ(f.slopes(logsumexp(f.x)), Numbers({0, 1}));
  EXPECT_EQ(evaluate<float>(log_softmax(f.x), {{f.x, f.value}}), (std::vector<float>{-1000, 0}));
}

TEST(Conventions, LogsumexpOfInfinities) {
  Fixture none({-infinity, -infinity});
  EXPECT_EQ(none.values(logsumexp(none.x)), Numbers({-infinity}));
  Fixture one({0, -infinity});
  EXPECT_EQ(one.values(logsumexp(one.x)), Numbers({0}));
  EXPECT_EQ(one.values(log_softmax(one.x)), Numbers({0, -infinity}));
  EXPECT_EQ(one.values(softmax(one.x)), Numbers({1, 0}));
  EXPECT_EQ(one.slopes(logsumexp(one.x)), Numbers({1, 0}));
  Fixture most({1, infinity});
  EXPECT_EQ(most.values(logsumexp(most.x)), Numbers({infinity}));
}

// A logit of -∞ takes a class out of the choice.
TEST(Conventions, CrossEntropyOfALabelBesideClassesThatAreRuledOut) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const Expr t = g.input("t", {B});
  const std::vector<Feed> at = {{x, {{1, 3}, {-infinity, 1, 2}}}, {t, Tensor::vector({2})}};
  EXPECT_TRUE(close(evaluate(cross_entropy(x, t), at), Numbers{std::log1p(std::exp(-1))}, 1e-15));
  const double share = 1 / (1 + std::exp(1));
  EXPECT_TRUE(close(evaluate(grad(cross_entropy(x, t), x), at), Numbers{0, share, -share}, 1e-15));
}

TEST(Conventions, WrongLabelsAreErrorsThatNameTheRowAndTheOp) {
  for (const double wrong : {3.0, -1.0, 0.5, nan, infinity, -infinity, 1e300}) {
    const Tensor labels = Tensor::vector({0, 2, wrong, 1});
    for (const bool optimize : {false, true}) {
      Graph g;
      const Expr t = g.input("t", {B});
      const Expr x = g.input("x", {B, 3});
      const Tensor logits{{4, 3}, Numbers(12, 0.5)};
      const std::vector<Feed> at = {{t, labels}, {x, logits}};
      for (const Expr& y : {one_hot(t, 3), cross_entropy(x, t), grad(cross_entropy(x, t), x)})
        expect_parts(error_of([&] { evaluate(y, at, 4, {.optimize = optimize}); }),
                     {"one_hot at op_properties_test.cpp:", "row 2"});
    }
  }
}

// A constant label is met when the program is compiled, not when it is run.
TEST(Conventions, WrongConstantLabelsAreErrorsThatNameTheRowAndTheOp) {
  Graph g;
  const Expr y = one_hot(g.constant({3}, {0, 1, 7}), 3);
  for (const bool optimize : {false, true})
    expect_parts(error_of([&] { evaluate(y, {}, 1, {.optimize = optimize}); }),
                 {"one_hot at op_properties_test.cpp:", "row 2"});
}

TEST(Conventions, PowersOfNegativeAndZeroBases) {
  Fixture f({-2, 0, 3});
  const auto power = [&](double p) { return pow(f.x, p); };
  EXPECT_EQ(f.values(power(0)), Numbers({1, 1, 1}));
  EXPECT_EQ(f.slopes(power(0)), Numbers({0, 0, 0}));
  EXPECT_EQ(f.values(power(1)), Numbers({-2, 0, 3}));
  EXPECT_EQ(f.slopes(power(1)), Numbers({1, 1, 1}));
  EXPECT_EQ(f.values(power(2)), Numbers({4, 0, 9}));
  EXPECT_EQ(f.slopes(power(2)), Numbers({-4, 0, 6}));
  EXPECT_EQ(f.values(power(3)), Numbers({-8, 0, 27}));
  EXPECT_EQ(f.slopes(power(3)), Numbers({12, 0, 27}));
  const Expr slope = grad(sum(power(3)), f.x);
  EXPECT_EQ(f.slopes(slope), Numbers({-12, 0, 18}));
  EXPECT_EQ(f.slopes(grad(sum(slope), f.x)), Numbers({6, 6, 6}));
}

TEST(Conventions, PowersWithAnExponentThatIsAnExpression) {
  Fixture f({-2, 0, 3});
  const Expr p = f.graph.input("p", {});
  for (const double exponent : {-1.0, 0.0, 1.0, 2.0}) {
    SCOPED_TRACE(exponent);
    const std::vector<Feed> at = {{f.x, f.value}, {p, Tensor::scalar(exponent)}};
    EXPECT_EQ(evaluate(pow(f.x, p), at), f.values(pow(f.x, exponent)));
    const auto slopes = evaluate(grad(sum(pow(f.x, p)), Exprs{f.x, p}), at);
    expect_numbers(slopes[0], f.slopes(pow(f.x, exponent)));
    // Only the base 3 counts.
    EXPECT_TRUE(close(slopes[1], Numbers{std::pow(3, exponent) * std::log(3)}, 1e-15));
  }
}

TEST(Conventions, WhereIgnoresTheOtherSide) {
  Graph g;
  const Expr c = g.input("c", {3});
  const Expr a = g.input("a", {3});
  const Expr b = g.input("b", {3});
  const std::vector<Feed> at = {{c, Tensor::vector({1, 0, -1})},
                                {a, Tensor::vector({1, nan, 2})},
                                {b, Tensor::vector({nan, 3, infinity})}};
  EXPECT_EQ(evaluate(where(c, a, b), at), Numbers({1, 3, 2}));
  const auto slopes = evaluate(grad(sum(where(c, a, b)), Exprs{c, a, b}), at);
  EXPECT_EQ(slopes[0], Numbers({0, 0, 0}));
  EXPECT_EQ(slopes[1], Numbers({1, 0, 1}));
  EXPECT_EQ(slopes[2], Numbers({0, 1, 0}));
  // Not even a cotangent that is NaN gets to the other side.
  const auto poisoned = evaluate(grad(sum(where(c, a, b) * nan), Exprs{a, b}), at);
  expect_numbers(poisoned[0], {nan, 0, nan});
  expect_numbers(poisoned[1], {0, nan, 0});
}

TEST(HashConsing, EqualNodesAreOneNode) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const Expr y = g.input("y", {B, 3});
  EXPECT_TRUE(exp(x).same_as(exp(x)));
  EXPECT_FALSE(exp(x).same_as(exp(y)));
  EXPECT_FALSE(exp(x).same_as(expm1(x)));
  EXPECT_TRUE(sum(x, {-1}).same_as(sum(x, {1})));
  EXPECT_FALSE(sum(x, {0}).same_as(sum(x, {1})));
  EXPECT_TRUE(leaky_relu(x, 0.1).same_as(leaky_relu(x, 0.1)));
  EXPECT_FALSE(leaky_relu(x, 0.1).same_as(leaky_relu(x, 0.2)));
  EXPECT_TRUE((2 * x).same_as(2 * x));
  EXPECT_FALSE((0.0 * x).same_as(-0.0 * x));
  EXPECT_TRUE((x * nan).same_as(x * nan));
  const NodeId size = g.size();
  (void)(exp(x) + leaky_relu(x, 0.2));
  EXPECT_EQ(g.size(), size + 1);
}

TEST(HashConsing, CommutativeOperandsMerge) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const Expr y = g.input("y", {B, 3});
  EXPECT_TRUE((x + y).same_as(y + x));
  EXPECT_TRUE((x * y).same_as(y * x));
  EXPECT_TRUE((2 * x).same_as(x * 2));
  EXPECT_TRUE(maximum(x, y).same_as(maximum(y, x)));
  EXPECT_TRUE(minimum(x, y).same_as(minimum(y, x)));
  EXPECT_TRUE(equal(x, y).same_as(equal(y, x)));
  EXPECT_TRUE(not_equal(x, y).same_as(not_equal(y, x)));
  EXPECT_TRUE((x < y).same_as(y > x));
  EXPECT_FALSE((x < y).same_as(y < x));
  EXPECT_FALSE((x - y).same_as(y - x));
  EXPECT_FALSE((x / y).same_as(y / x));
  EXPECT_FALSE(pow(x, y).same_as(pow(y, x)));
}

TEST(Broadcasting, NeverTakesTheBatchForOne) {
  Graph g;
  const Expr x = g.input("x", {B});
  const Expr y = g.input("y", {3});
  expect_parts(error_of([&] { (void)(x + y); }), {"add at HERE: ", "x [B]", "y [3]", "shapes"});
  expect_parts(error_of([&] { (void)broadcast_to(x, {3}); }), {"broadcast_to at ", "x [B]", "[3]"});
  expect_parts(error_of([&] { (void)(g.input("z", {2 * B}) * x); }), {"mul at ", "z [2B]", "x [B]"});
  // Nor is a batch that happens to be 1: the sum over it has one element per sample.
  const Expr row = g.input("row", {1});
  EXPECT_EQ((x + row).shape(), Shape({B}));
  EXPECT_EQ(grad(sum(x + row), row).shape(), Shape({1}));
  const std::vector<Feed> at = {{x, Tensor::vector({5})}, {row, Tensor::vector({2})}};
  EXPECT_EQ(evaluate(grad(sum(square(x + row)), Exprs{x, row}), at, 1), (std::vector<Numbers>{{14}, {14}}));
}

}  // namespace
}  // namespace gradus::test
