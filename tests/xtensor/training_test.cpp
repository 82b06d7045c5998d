// Training on xtensor's tensors: data sets of any expression, predictions as tensors, and what is refused.
#include "gradus/xtensor/training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <xtensor/xfixed.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xview.hpp>

#include "gradus/gradus.hpp"
#include "snippets/tensor_data.cpp"
#include "tests/support/errors.hpp"

namespace gradus {
namespace {

using test::error_of;
using testing::ElementsAre;

template <class T> class XtensorData : public testing::Test {
 protected:
  // These rows of a data set of one tensor, each of `width` numbers.
  static std::vector<T> rows_of(const Dataset<T>& data, const Rows& rows, std::size_t width) {
    std::vector<T> values(rows.size() * width);
    const std::span<T> into[] = {values};
    data.fill(rows, into);
    return values;
  }

  static ModelDefinition model() {
    return {.inputs = {{"image", {B, 2, 2}}, {"age", {B}}},
            .target = {"t", {B, 1}},
            .network =
                [](const std::vector<Expr>& in, Mode&) {
                  return linear(flatten(in[0]), 1, "out") + reshape(in[1], {B, 1});
                },
            .loss = mse,
            .optimizer = sgd({.rate = 0.1})};
  }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(XtensorData, Types);

TYPED_TEST(XtensorData, AnyExpressionIsAColumnOfSamples) {
  using T = TypeParam;
  const xt::xarray<T> x{{1, 2}, {3, 4}, {5, 6}};
  const auto rows = [](const auto& values) {
    return TestFixture::rows_of(make_dataset<T>(values), {2, 0}, 2);
  };
  EXPECT_EQ(make_dataset<T>(x).count(), 3);
  EXPECT_THAT(rows(x), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(rows(x + 1), ElementsAre(6, 7, 2, 3));
  EXPECT_THAT(rows(xt::view(x, xt::all(), xt::range(xt::placeholders::_, xt::placeholders::_, -1))),
              ElementsAre(6, 5, 2, 1));
  EXPECT_THAT(rows(xt::transpose(xt::xarray<T>(xt::transpose(x)))), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(rows(xt::xarray<T, xt::layout_type::column_major>(x)), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(rows(xt::xtensor<T, 2>(x)), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(rows(xt::xtensor_fixed<T, xt::xshape<3, 2>>(x)), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(rows(xt::xtensor<T, 3>(xt::reshape_view(x, {3, 1, 2}))), ElementsAre(5, 6, 1, 2));
  EXPECT_THAT(TestFixture::rows_of(make_dataset<T>(xt::xtensor<T, 1>{7, 8}), {1}, 1), ElementsAre(8));
}

TYPED_TEST(XtensorData, EveryTypeOfNumberIsTaken) {
  using T = TypeParam;
  const auto check = []<class V>(V largest) {
    const Dataset<T> data = make_dataset<T>(xt::xarray<V>{V(0), largest});
    EXPECT_THAT(TestFixture::rows_of(data, {0, 1}, 1), ElementsAre(T(0), static_cast<T>(largest)));
  };
  check(true);
  check(std::int8_t{-128});
  check(std::uint8_t{255});
  check(std::int16_t{-32768});
  check(std::uint16_t{65535});
  check(std::int32_t{-(1 << 30)});
  check(std::uint32_t{1U << 31});
  check(std::int64_t{-(1L << 62)});
  check(std::uint64_t{1UL << 63});
  check(1LL << 40);
  check('a');
  check(0.1F);
  check(0.1);
  check(0.5L);
  EXPECT_THAT(TestFixture::rows_of(make_dataset<T>(xt::xarray<int>{1, 2, 3} > 1), {0, 1, 2}, 1),
              ElementsAre(0, 1, 1));
}

TYPED_TEST(XtensorData, ADataSetSharesNothingWithTheTensor) {
  using T = TypeParam;
  xt::xarray<T> x{1, 2};
  const Dataset<T> data = make_dataset<T>(x);
  x.fill(0);
  EXPECT_THAT(TestFixture::rows_of(data, {0, 1}, 1), ElementsAre(1, 2));
  EXPECT_THAT(TestFixture::rows_of(make_dataset<T>(xt::xarray<T>{3, 4}), {0, 1}, 1), ElementsAre(3, 4));
}

TYPED_TEST(XtensorData, SamplesMustBeAlongTheFirstAxisOfAll) {
  using T = TypeParam;
  const auto error = [](const auto&... tensors) { return error_of([&] { make_dataset<T>(tensors...); }); };
  const xt::xarray<T> x = xt::ones<T>({4, 2});
  EXPECT_EQ(
      error(x, xt::ones<T>({3, 1})),
      "make_dataset: tensor 1 has shape [3, 1] and tensor 0 [4, 2]; the first axis is that of the samples, "
      "of which all must have the same number");
  EXPECT_EQ(
      error(x, xt::sum(x)),
      "make_dataset: tensor 1 has shape [], but the first axis must be that of the samples; give one of "
      "rank 1 or more");
  EXPECT_EQ(error(xt::zeros<T>({0, 2})),
            "make_dataset: tensor 0 has shape [0, 2], so there are no samples; give at least one");
}

TYPED_TEST(XtensorData, ShapesAreThoseOfTheModel) {
  using T = TypeParam;
  Trainer<T> trainer(TestFixture::model(), 1);
  const auto error = [&](const auto&... tensors) {
    return error_of([&] { make_dataset(trainer, tensors...); });
  };
  const auto image = xt::ones<std::uint8_t>({4, 2, 2});
  const xt::xarray<int> age{1, 2, 3, 4};
  const xt::xarray<T> t = xt::ones<T>({4, 1});
  EXPECT_EQ(error(image, age, t), "no error");
  EXPECT_EQ(error(image, age), "no error");
  // The right count in the wrong shape.
  EXPECT_EQ(
      error(xt::ones<T>({4, 4}), age, t),
      "make_dataset: input image [B, 2, 2] takes [4, 2, 2] for 4 samples, but the tensor has shape [4, 4]; "
      "reshape it so that each sample is one of the model's");
  EXPECT_EQ(
      error(image, age, xt::ones<T>({4})),
      "make_dataset: target t [B, 1] takes [4, 1] for 4 samples, but the tensor has shape [4]; reshape it "
      "so that each sample is one of the model's");
  EXPECT_EQ(
      error(image),
      "make_dataset: there are 1 tensors, but the model has 2 inputs and a target (image [B, 2, 2], age [B], "
      "t [B, 1]); give them in this order, the target where it is needed");
  EXPECT_EQ(
      error_of([&] {
        predict(trainer, image, xt::ones<T>({4, 1}));
      }),
      "make_dataset: input age [B] takes [4] for 4 samples, but the tensor has shape [4, 1]; reshape it so "
      "that each sample is one of the model's");
}

TYPED_TEST(XtensorData, TrainingAndPredictionsAreThoseOfTheSameNumbers) {
  using T = TypeParam;
  const xt::xtensor<T, 3> image = xt::reshape_view(xt::arange<T>(20) / 10, {5, 2, 2});
  const xt::xarray<int> age{1, 2, 3, 4, 5};
  const xt::xarray<T> t = xt::reshape_view(xt::linspace<T>(0, 1, 5), {5, 1});
  Trainer<T> trainer(TestFixture::model(), 1), other(TestFixture::model(), 1);
  const Dataset<T> plain(
      5, {std::vector<double>(image.begin(), image.end()), std::vector<double>(age.begin(), age.end()),
          std::vector<double>(t.begin(), t.end())});
  const FitOptions<T> options{.epochs = 3, .batch = 2, .verbose = false};
  trainer.fit(make_dataset(trainer, image, age, t), options);
  other.fit(plain, options);
  const auto predictions = predict(trainer, image, age);
  EXPECT_EQ(predictions.shape(), (std::vector<std::size_t>{5, 1}));
  const std::vector<T> expected = other.predict(plain);
  EXPECT_TRUE(std::ranges::equal(predictions, expected));
  EXPECT_EQ(predict(trainer, make_dataset(trainer, image, age), 2), predict(trainer, plain, 2));
  EXPECT_EQ(predict(trainer, xt::view(image, xt::range(1, 3)), xt::view(age, xt::range(1, 3))).shape(0), 2U);
  // A trained parameter, its shape, and the gradient of the loss that was trained.
  EXPECT_EQ((to_xtensor<2>(trainer.store(), "out/W").shape()), (std::array<std::size_t, 2>{4, 1}));
  const ModelGraph& graph = trainer.graph(Mode::training);
  const auto slopes = gradients(graph.loss, {{"image", image}, {"age", age}, {"t", t}}, trainer.store());
  EXPECT_TRUE(xt::allclose(slopes.at("out/b"), xt::mean(predictions - t) * 2, 1e-4));
}

TEST(XtensorGuide, TensorsGoInAndComeOut) {
  Trainer<float> trainer(
      {.inputs = {{"x", {B, 2}}},
       .target = {"t", {B, 3}},
       .network = [](const std::vector<Expr>& in, Mode&) { return linear(in[0], 3, "out"); },
       .loss = mse});
  EXPECT_EQ(fitted(trainer, xt::ones<int>({4, 2}), xt::ones<double>({4, 3})).shape(),
            (std::vector<std::size_t>{4, 3}));
}

TYPED_TEST(XtensorData, APredictionWithoutARowForEachSampleIsRefused) {
  using T = TypeParam;
  Trainer<T> trainer(
      {.inputs = {{"x", {B, 2}}},
       .target = {"t", {B}},
       .network = [](const std::vector<Expr>& in, Mode&) { return mean(linear(in[0], 1, "out")); },
       .loss = [](Arg y, Arg t) { return mean(square(t.expr - y.expr)); }});
  EXPECT_EQ(error_of([&] {
              predict(trainer, xt::ones<T>({4, 2}));
            }),
            "predict: the model's prediction has shape [], which is no row for each sample; call "
            "Trainer::predict, which returns all numbers");
}

}  // namespace
}  // namespace gradus
