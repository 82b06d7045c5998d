// xtensor at the edge of the API: whatever expression is fed or set, and what comes back; and xtensor-blas as
// the reference for products.
#include "gradus/xtensor/tensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <xtensor-blas/xlinalg.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xfixed.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xstrided_view.hpp>
#include <xtensor/xview.hpp>

#include "gradus/ops.hpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

xt::xarray<double> random_matrix(std::size_t rows, std::size_t columns) {
  return xt::random::randn<double>({rows, columns});
}

double largest_difference(const xt::xarray<double>& a, const xt::xarray<double>& b) {
  EXPECT_EQ(a.shape(), b.shape());
  return xt::amax(xt::abs(a - b))();
}

// Sizes on both sides of every choice between own loops, matrix-vector and matrix-matrix products.
TEST(Xtensor, ProductsOfAllSizesAgreeWithXtensorBlas) {
  xt::random::seed(1);
  for (const std::size_t m : {1U, 2U, 17U, 64U})
    for (const std::size_t k : {1U, 3U, 33U, 130U})
      for (const std::size_t n : {1U, 2U, 5U, 70U}) {
        Graph g;
        const auto extent = [](std::size_t v) { return static_cast<std::int64_t>(v); };
        const Expr a = g.input("a", {B, extent(k)});
        const Expr b = g.input("b", {extent(k), extent(n)});
        const Expr at = transpose(a), bt = transpose(b);
        Store<double> store;
        auto program = compile<double>({matmul(a, b), matmul(at, b, {.a = true}), matmul(a, bt, {.b = true}),
                                        matmul(at, bt, {.a = true, .b = true})},
                                       {}, extent(m), store);
        const auto x = random_matrix(m, k), y = random_matrix(k, n);
        feed(program, a, x);
        feed(program, b, y);
        program.run();
        const xt::xarray<double> expected = xt::linalg::dot(x, y);
        for (std::size_t i = 0; i < 4; ++i)
          EXPECT_LE(largest_difference(to_xtensor(program.output(i)), expected), 1e-12)
              << m << " " << k << " " << n;
      }
}

template <class T> class XtensorOf : public testing::Test {
 protected:
  // Feeds an expression to a program that doubles it.
  template <class E> static Tensor<T> doubled(const E& values) {
    Shape shape;
    for (const auto extent : values.shape()) shape.push_back(extent);
    Graph g;
    const Expr x = g.input("x", shape);
    Store<T> store;
    auto program = compile<T>({2 * x}, {}, 1, store);
    feed(program, x, values);
    program.run();
    const Tensor<T> by_leaf = to_xtensor(program.output());
    feed(program, "x", values);
    program.run();
    EXPECT_EQ(to_xtensor(program.output()), by_leaf);
    return by_leaf;
  }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(XtensorOf, Types);

TYPED_TEST(XtensorOf, AnyExpressionCanBeFed) {
  using T = TypeParam;
  const xt::xarray<T> all{{1, 2, 3}, {4, 5, 6}};
  const Tensor<T> twice{{2, 4, 6}, {8, 10, 12}}, turned{{2, 8}, {4, 10}, {6, 12}};
  const auto fed = [](const auto& values) { return TestFixture::doubled(values); };
  EXPECT_EQ(fed(all), twice);
  EXPECT_EQ(fed(all + 1), (Tensor<T>{{4, 6, 8}, {10, 12, 14}}));
  EXPECT_EQ(fed(xt::view(all, xt::all(), xt::range(1, 3))), (Tensor<T>{{4, 6}, {10, 12}}));
  EXPECT_EQ(fed(xt::view(all, xt::all(), xt::range(2, xt::placeholders::_, -2))),
            (Tensor<T>{{6, 2}, {12, 8}}));
  EXPECT_EQ(fed(xt::view(all, 1)), (Tensor<T>{8, 10, 12}));
  EXPECT_EQ(fed(xt::transpose(all)), turned);
  EXPECT_EQ(fed(xt::strided_view(all, {xt::ellipsis(), 1})), (Tensor<T>{4, 10}));
  EXPECT_EQ(fed(xt::xarray<T, xt::layout_type::column_major>(all)), twice);
  EXPECT_EQ(fed(xt::xarray<T, xt::layout_type::dynamic>(all)), twice);
  EXPECT_EQ(fed(xt::xtensor<T, 2>(all)), twice);
  EXPECT_EQ(fed(xt::xtensor<T, 2, xt::layout_type::column_major>(xt::transpose(all))), turned);
  EXPECT_EQ(fed(xt::xtensor_fixed<T, xt::xshape<2, 3>>(all)), twice);
  EXPECT_EQ(fed(xt::adapt(all.data(), 6, xt::no_ownership(), std::vector<std::size_t>{2, 3})), twice);
  EXPECT_EQ(fed(xt::ones<T>({2, 2})), (Tensor<T>{{2, 2}, {2, 2}}));
  EXPECT_EQ(fed(xt::broadcast(xt::view(all, 0), {2, 3})), (Tensor<T>{{2, 4, 6}, {2, 4, 6}}));
}

TYPED_TEST(XtensorOf, IntegersBoolsAndTheOtherPrecisionAreConverted) {
  using T = TypeParam;
  const auto fed = [](const auto& values) { return TestFixture::doubled(values); };
  const xt::xarray<int> integers{{-1, 2}, {3, 4}};
  EXPECT_EQ(fed(integers), (Tensor<T>{{-2, 4}, {6, 8}}));
  EXPECT_EQ(fed(integers > 2), (Tensor<T>{{0, 0}, {2, 2}}));
  EXPECT_EQ(fed(xt::xarray<bool>{true, false}), (Tensor<T>{2, 0}));
  EXPECT_EQ(fed(xt::xarray<std::uint8_t>{200, 255}), (Tensor<T>{400, 510}));
  EXPECT_EQ(fed(xt::xarray<std::int64_t>{-(1LL << 40)}), (Tensor<T>{-static_cast<T>(1LL << 41)}));
  EXPECT_EQ(fed(xt::xarray<float>{0.1F}), (Tensor<T>{2 * static_cast<T>(0.1F)}));
  EXPECT_EQ(fed(xt::xarray<double>{0.1}), (Tensor<T>{2 * static_cast<T>(0.1)}));
}

TYPED_TEST(XtensorOf, ScalarsHaveRankZero) {
  using T = TypeParam;
  Graph g;
  const Expr x = g.input("x", {});
  Store<T> store;
  auto program = compile<T>({x + 1}, {}, 1, store);
  feed(program, x, xt::xarray<T>(T(2)));
  program.run();
  EXPECT_EQ(to_xtensor(program.output()).dimension(), 0U);
  EXPECT_EQ(to_xtensor(program.output())(), 3);
  EXPECT_EQ(to_xtensor<0>(program.output())(), 3);
  feed(program, x, xt::sum(xt::xarray<T>{1, 2}));
  program.run();
  EXPECT_EQ(to_xtensor(program.output())(), 4);
  EXPECT_THROW(feed(program, x, xt::xarray<T>{1}), Error);
}

TYPED_TEST(XtensorOf, WhatDoesNotFitIsRefused) {
  using T = TypeParam;
  Graph g;
  const Expr x = g.input("x", {B, 2});
  Store<T> store;
  auto program = compile<T>({2 * x}, {}, 2, store);
  const auto error = [&](const auto& values) { return error_of([&] { feed(program, x, values); }); };
  const std::string remedy = "; reshape or transpose the values, or compile for another batch";
  EXPECT_EQ(error(xt::ones<T>({2, 3})), "feed: 'x' has shape [2, 2], not [2, 3]" + remedy);
  // The right count in the wrong shape.
  EXPECT_EQ(error(xt::ones<T>({4})), "feed: 'x' has shape [2, 2], not [4]" + remedy);
  EXPECT_EQ(error(xt::ones<T>({1, 2, 2})), "feed: 'x' has shape [2, 2], not [1, 2, 2]" + remedy);
  EXPECT_EQ(error(xt::xarray<T>(T(1))), "feed: 'x' has shape [2, 2], not []" + remedy);
  EXPECT_EQ(error(xt::zeros<T>({0, 2})), "feed: 'x' has shape [2, 2], not [0, 2]" + remedy);
  EXPECT_EQ(error_of([&] {
              feed(program, "x", xt::xtensor<T, 1>{1, 2});
            }),
            "feed: 'x' has shape [2, 2], not [2]" + remedy);
  EXPECT_EQ(error_of([&] { feed(program, "y", xt::ones<T>({2})); }),
            "feed: 'y' is not an input of this program; its inputs are: x");
  EXPECT_THROW(program.run(), Error);  // nothing has been fed
}

TYPED_TEST(XtensorOf, OutputsAreTensorsOfTheirOwn) {
  using T = TypeParam;
  Graph g;
  const Expr x = g.input("x", {B, 2, 1});
  Store<T> store;
  auto program = compile<T>({2 * x, sum(x)}, {}, 2, store);
  const xt::xtensor<T, 3> first{{{1}, {2}}, {{3}, {4}}};
  feed(program, x, first);
  program.run();
  const auto kept = to_xtensor(program.output());
  const xt::xtensor<T, 3> fixed = to_xtensor<3>(program.output());
  const xt::xtensor<T, 3, xt::layout_type::column_major> turned = to_xtensor(program.output());
  feed(program, x, first + 1);
  program.run();
  EXPECT_EQ(kept, 2 * first);
  EXPECT_EQ(fixed, 2 * first);
  EXPECT_EQ(turned, 2 * first);
  EXPECT_EQ(error_of([&] { to_xtensor<2>(program.output()); }),
            "to_xtensor<2>: the tensor has shape [2, 2, 1], which has rank 3; ask for that rank");
  EXPECT_EQ(to_xtensor(program.output(1))(), 14);
}

TYPED_TEST(XtensorOf, VariablesCanBeSetAndRead) {
  using T = TypeParam;
  Graph g;
  const Expr w = g.parameter("w", {2, 2});
  g.parameter("b", {2});
  g.state("count", {});
  Store<T> store;
  store.create(g);
  const xt::xarray<T> values{{1, 2}, {3, 4}};
  set(store, "w", values);
  EXPECT_EQ(to_xtensor(store, "w"), values);
  EXPECT_EQ(to_xtensor<2>(store, "w")(1, 0), 3);
  set(store, "w", xt::transpose(values) + 1);
  EXPECT_EQ(to_xtensor(store, "w"), (xt::xarray<T>{{2, 4}, {3, 5}}));
  set(store, "count", xt::xarray<int>(7));
  EXPECT_EQ(to_xtensor(store, "count")(), 7);
  const Tensors<T> all = to_xtensor(store, g.parameters());
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(all.at("b"), (xt::xarray<T>{0, 0}));
  set(store, {{"w", values}, {"b", xt::xarray<int>{5, 6}}});
  EXPECT_EQ(to_xtensor(store, "w"), values);
  EXPECT_EQ(to_xtensor(store, "b"), (xt::xarray<T>{5, 6}));
  auto program = compile<T>({sum(w, {0})}, {}, 1, store);
  program.run();
  EXPECT_EQ(to_xtensor(program.output()), (xt::xarray<T>{4, 6}));

  const std::string wrong = "set: variable 'w' has shape [2, 2], not [4]; reshape or transpose the tensor";
  EXPECT_EQ(error_of([&] { set(store, "w", xt::ones<T>({4})); }), wrong);
  EXPECT_EQ(error_of([&] { set(store, {{"b", xt::ones<T>({2})}, {"w", xt::ones<T>({4})}}); }), wrong);
  EXPECT_EQ(to_xtensor(store, "b"), (xt::xarray<T>{5, 6}));  // nothing was set
  EXPECT_EQ(error_of([&] { set(store, "v", xt::ones<T>({4})); }),
            "the store has no variable 'v'; it has: w, b, count");
  EXPECT_EQ(error_of([&] { to_xtensor(store, "v"); }), "the store has no variable 'v'; it has: w, b, count");
}

// loss = Σ (x w + b − t)² / n.
template <class T> struct Line {
  Graph g;
  Expr x = g.input("x", {B, 2}), t = g.input("t", {B, 1});
  Expr w = g.parameter("w", {2, 1}), b = g.parameter("b", {1});
  Expr loss = mean(square(matmul(x, w) + b - t));
  Store<T> store;
  // An xarray does not know of how many axes {{1}, {0}, {2}} is.
  xt::xtensor<T, 2> inputs{{1, 2}, {3, 4}, {5, 7}}, targets{{1}, {0}, {2}};
};

TYPED_TEST(XtensorOf, GradientsHaveTheShapesOfTheirParameters) {
  using T = TypeParam;
  Line<T> m;
  m.store.create(m.g);
  const xt::xtensor<T, 2> w{{0.5}, {-1}};
  set(m.store, "w", w);
  const auto found = gradients(m.loss, {{"x", m.inputs}, {"t", m.targets}}, m.store);
  const xt::xarray<T> error = xt::linalg::dot(m.inputs, w) - m.targets;
  const xt::xarray<T> expected = xt::linalg::dot(xt::transpose(m.inputs), error) * T(2) / T(3);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(xt::allclose(found.at("w"), expected, 1e-5)) << found.at("w")(0);
  EXPECT_EQ(found.at("w").shape(), expected.shape());
  EXPECT_EQ(found.at("b").shape(), (std::vector<std::size_t>{1}));
  EXPECT_TRUE(xt::allclose(found.at("b"), xt::sum(error) * T(2) / T(3), 1e-5));
  // A parameter of the point comes before the store's, which stays as it is.
  const auto other = gradients(m.loss, {{"x", m.inputs}, {"t", m.targets}, {"w", 2 * w}}, m.store);
  EXPECT_NE(other.at("w"), found.at("w"));
  EXPECT_EQ(to_xtensor(m.store, "w"), w);
  EXPECT_EQ(
      gradients(m.loss, {{"x", m.inputs}, {"t", m.targets}, {"w", w}, {"b", xt::zeros<T>({1})}}, Store<T>()),
      found);
}

TYPED_TEST(XtensorOf, GradientsNameWhatIsWrong) {
  using T = TypeParam;
  Line<T> m;
  const auto error = [&](const Tensors<T>& point) {
    return error_of([&] { gradients(m.loss, point, m.store); });
  };
  EXPECT_EQ(error({{"x", m.inputs}, {"t", m.targets}}),
            "gradients: neither the point nor the store has 'w' [2, 1]; add it to the point, or call the "
            "store's create");
  m.store.create(m.g);
  EXPECT_EQ(error({{"x", xt::transpose(m.inputs)}}),
            "gradients: the point has [2, 3] for x [B, 2]; give a tensor of that shape");
  EXPECT_EQ(error({{"x", xt::ones<T>({6})}}),
            "gradients: the point has [6] for x [B, 2]; give a tensor of that shape");
  EXPECT_EQ(error({{"x", xt::zeros<T>({0, 2})}}),
            "gradients: the point has [0, 2] for x [B, 2]; give a tensor of that shape");
  EXPECT_EQ(error({{"x", m.inputs}, {"w", xt::ones<T>({2})}}),
            "gradients: the point has [2] for w [2, 1]; give a tensor of that shape");
  EXPECT_EQ(error({{"x", m.inputs}, {"t", xt::ones<T>({2, 1})}}),
            "gradients: 'x' has a batch of 3, but others have 2; give all inputs the same number of rows");
  EXPECT_THAT(error({{"x", m.inputs}, {"y", m.targets}}),
              HasSubstr("no input, parameter or state 'y'; it has:"));
  EXPECT_THAT(error({{"x", m.inputs}}), AllOf(HasSubstr("'t' [3, 1]"), HasSubstr("never fed")));
}

}  // namespace
}  // namespace gradus

// Programs do write both.
namespace using_both {

using namespace gradus;  // NOLINT
using namespace xt;      // NOLINT

TEST(Xtensor, TheNamesOfBothCanBeUsedTogether) {
  Graph g;
  const Expr x = g.input("x", {B, 3});
  const Expr w = g.parameter("w", {3, 2});
  const Expr y = tanh(matmul(x, w)) + exp(-abs(matmul(x, w)));
  // These of xt take anything, and so must be told apart.
  const Expr loss = gradus::mean(y * y) + gradus::sum(maximum(gradus::transpose(y), 0.5));
  Store<double> store(1);
  store.create(g);
  const xarray<double> values = ones<double>({4, 3}) + 0.5;
  EXPECT_EQ(gradients(loss, {{"x", tanh(values)}}, store).at("w").shape(), (std::vector<std::size_t>{3, 2}));
  auto program = compile<double>({y}, {}, 4, store);
  feed(program, x, values);
  program.run();
  EXPECT_EQ(sum(to_xtensor(program.output()))(), sum(to_xtensor<2>(program.output()))());
}

}  // namespace using_both
