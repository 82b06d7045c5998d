// Sizes that no machine has: an Error with the op, the line and the sizes, whichever way they come about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>

#include "gradus/nn/initializers.hpp"
#include "gradus/ops.hpp"
#include "gradus/runtime/executable.hpp"
#include "tests/support/errors.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t third = 0x5555555555555558;  // times 3 it is 8 in 64 bits

TEST(Sizes, OfExtentsAreChecked) {
  EXPECT_THAT(test::error_of([] { Dim(most) + Dim(1); }), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(test::error_of([] { Dim(most, 1) + B; }), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(test::error_of([] { Dim(-2) - Dim(most); }), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(test::error_of([] { Dim(third) * Dim(3); }), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(test::error_of([] { B* Dim(most) * Dim(2); }), HasSubstr("beyond 64 bits"));
  EXPECT_THAT(test::error_of([] { (B * 4).resolve(most); }), HasSubstr("beyond 64 bits for batch"));
  EXPECT_EQ(Dim(most) - Dim(1) + Dim(1), Dim(most));
  EXPECT_EQ(element_count(Extents{1 << 22, 1 << 22}), most_elements);
  EXPECT_THAT(test::error_of([] { element_count(Extents{3, third}); }), HasSubstr("more than"));
  EXPECT_THAT(test::error_of([] { element_count(Extents{1 << 22, 1 << 23}); }), HasSubstr("more than"));
}

TEST(Sizes, OfWhatIsBuiltAreChecked) {
  Graph g;
  const Expr x = g.input("x", {B, 4}), row = g.input("row", {1, 8}),
             large = g.input("large", {1 << 20, 1 << 20});
  const std::vector<std::function<void()>> built{
      [&] {
        g.constant({3, third}, test::Numbers(8, 1.0));
      },
      [&] {
        g.full({3, third}, 1);
      },
      [&] {
        g.full({most, B}, 1);
      },
      [&] {
        g.input("a", {3, third});
      },
      [&] {
        g.parameter("b", {third, 3}, zeros());
      },
      [&] { g.state("c", {most}, zeros()); },
      [&] {
        reshape(row, {third, 3});
      },
      [&] {
        reshape(row, {-1, most});
      },
      [&] {
        broadcast_to(row, {third, 8});
      },
      [&] {
        broadcast_to(x, {most, B, 4});
      },
      [&] { one_hot(x, most); },
      [&] {
        concat({large, g.input("huge", {(1 << 24) - 1, 1 << 20})}, 0);
      },
      [&] {
        matmul(g.input("tall", {1 << 30, 1}), g.input("wide", {1, 1 << 30}));
      },
      [&] {
        g.input("down", {1 << 30, 1}) + g.input("across", {1, 1 << 30});
      }};
  for (std::size_t i = 0; i < built.size(); ++i) {
    const std::string text = test::error_of(built[i]);
    EXPECT_NE(text, "no error") << i;
    EXPECT_THAT(text, HasSubstr("size_test.cpp:")) << i;
  }
}

TEST(Sizes, ThatAreBelowOneAreErrorsWhereTheyAreMade) {
  Graph g;
  for (const std::int64_t extent : {std::int64_t{0}, std::int64_t{-1}, -most}) {
    EXPECT_THAT(test::error_of([&] { g.full({extent}, 2); }),
                AllOf(HasSubstr("HERE"), HasSubstr("at least 1")));
    EXPECT_THAT(test::error_of([&] {
                  g.full({4, extent}, B);
                }),
                AllOf(HasSubstr("HERE"), HasSubstr("at least 1")));
    EXPECT_THAT(test::error_of([&] {
                  g.input("x", {B, extent});
                }),
                AllOf(HasSubstr("HERE"), HasSubstr("at least 1")));
  }
}

TEST(Sizes, OfABatchAreCheckedWhereItIsKnown) {
  Graph g;
  const Expr x = g.input("x", {B, 4});
  const Expr fewer = sum(g.input("fewer", {B - 3}));
  const Expr y = sum(square(x));
  Store<float> store;
  for (const std::int64_t batch : {std::int64_t{1} << 62, most, std::int64_t{1} << 61, std::int64_t{1} << 43})
    EXPECT_THAT(test::error_of([&] { compile<float>({y}, {}, batch, store); }),
                AllOf(HasSubstr("compile: "), HasSubstr("x [B, 4]"), HasSubstr("size_test.cpp:")))
        << batch;
  for (const std::int64_t batch : {std::int64_t{0}, std::int64_t{-1}, -most})
    EXPECT_NE(test::error_of([&] { compile<float>({y}, {}, batch, store); }), "no error") << batch;
  EXPECT_THAT(
      test::error_of([&] { compile<float>({y}, {}, std::int64_t{1} << 41, store); }),
      AllOf(HasSubstr("bytes of memory are needed, and the machine has"), HasSubstr("smaller batch")));
  EXPECT_THAT(test::error_of([&] { compile<float>({fewer}, {}, 2, store); }), HasSubstr("size_test.cpp:"));
}

TEST(Sizes, OfParametersAreThoseOfTheMachine) {
  Graph g;
  g.parameter("w", {1 << 20, 1 << 20}, zeros());
  Store<double> store;
  EXPECT_THAT(test::error_of([&] { store.create(g); }), HasSubstr("bytes of memory are needed"));
}

}  // namespace
}  // namespace gradus
