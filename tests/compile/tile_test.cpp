// Fused groups over several tiles, against plain loops. The numbers are chosen so that floats compute them
// exactly: there is one right answer.

#include <gtest/gtest.h>

#include "gradus/ops.hpp"
#include "tests/support/evaluate.hpp"
#include "tests/support/numbers.hpp"

namespace gradus {
namespace {

using test::dyadic;
using test::expect_equal;
using test::Numbers;

// Runs a program twice, the second time on other numbers: what a first run leaves in a tile must not matter.
template <class T, class Reference>
void expect_outputs(const std::vector<Expr>& outputs, const std::vector<Expr>& inputs, std::int64_t batch,
                    Reference reference) {
  Store<T> store;
  auto executable = compile<T>(std::span(outputs), {}, batch, store);
  for (int run = 0; run < 2; ++run) {
    std::vector<test::Feed> feeds;
    std::vector<Numbers> numbers;
    for (const Expr& input : inputs) {
      const std::int64_t count = element_count(input.shape().resolve(batch));
      numbers.push_back(dyadic(count, run * 11 + static_cast<int>(numbers.size())));
      feeds.push_back({input, numbers.back()});
    }
    test::feed(executable, feeds);
    executable.run();
    const std::vector<Numbers> expected = reference(numbers);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      SCOPED_TRACE("run " + std::to_string(run) + ", output " + std::to_string(i));
      expect_equal(test::values_of(executable, i), expected[i]);
    }
  }
}

template <class T> class Tiles : public testing::Test {};
using ElementTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(Tiles, ElementTypes);

struct Size {
  std::int64_t rows;
  std::int64_t columns;
};
// Below, at and above the size of a tile (1024 elements at most, 4096 where nothing is kept between ops);
// rows that fit a tile and that do not.
const std::vector<Size> sizes{{1, 1},    {1, 7},    {7, 1},    {3, 5},    {1000, 37}, {3, 5000}, {5000, 3},
                              {1, 5000}, {5000, 1}, {17, 127}, {17, 128}, {17, 129},  {9, 1023}, {9, 1024},
                              {9, 1025}, {2, 2048}, {3, 4096}, {2, 4097}, {64, 16},   {1024, 2}, {333, 333}};

TYPED_TEST(Tiles, OperandsReadInFull) {
  for (const std::int64_t count :
       {1, 2, 63, 64, 65, 127, 128, 129, 1000, 1024, 1025, 4096, 4097, 5000, 12289}) {
    SCOPED_TRACE(count);
    Graph g;
    const Expr x = g.input("x", {count}), y = g.input("y", {count});
    expect_outputs<TypeParam>({(x + y) * x - 0.5}, {x, y}, 1, [](const auto& in) {
      Numbers out;
      for (std::size_t i = 0; i < in[0].size(); ++i) out.push_back((in[0][i] + in[1][i]) * in[0][i] - 0.5);
      return std::vector<Numbers>{out};
    });
  }
}

TYPED_TEST(Tiles, RowsColumnsAndScalarsAlone) {
  for (const auto& [rows, columns] : sizes) {
    SCOPED_TRACE(to_string(Extents{rows, columns}));
    const auto n = static_cast<std::size_t>(columns);
    Graph g;
    const Expr x = g.input("x", {B, columns}), row = g.input("row", {columns}),
               column = g.input("column", {B, 1}), scalar = g.input("scalar", {});
    const auto each = [n](const auto& in, auto f) {
      Numbers out;
      for (std::size_t i = 0; i < in[0].size(); ++i) out.push_back(f(in[0][i], i / n, i % n));
      return std::vector<Numbers>{out};
    };
    expect_outputs<TypeParam>({x * row}, {x, row}, rows, [&](const auto& in) {
      return each(in, [&](double v, std::size_t, std::size_t j) { return v * in[1][j]; });
    });
    expect_outputs<TypeParam>({x - column}, {x, column}, rows, [&](const auto& in) {
      return each(in, [&](double v, std::size_t i, std::size_t) { return v - in[1][i]; });
    });
    expect_outputs<TypeParam>({x * scalar}, {x, scalar}, rows, [&](const auto& in) {
      return each(in, [&](double v, std::size_t, std::size_t) { return v * in[1][0]; });
    });
  }
}

TYPED_TEST(Tiles, RowColumnScalarAndNumberInOneGroupWithTwoResults) {
  for (const auto& [rows, columns] : sizes) {
    SCOPED_TRACE(to_string(Extents{rows, columns}));
    const auto n = static_cast<std::size_t>(columns);
    Graph g;
    const Expr x = g.input("x", {B, columns}), row = g.input("row", {1, columns}),
               column = g.input("column", {B, 1}), scalar = g.input("scalar", {});
    const Expr middle = x * row + column;
    expect_outputs<TypeParam>({middle, (middle - scalar) * 0.5 + x * column}, {x, row, column, scalar}, rows,
                              [n](const auto& in) {
                                std::vector<Numbers> out(2);
                                for (std::size_t i = 0; i < in[0].size(); ++i) {
                                  const double m = in[0][i] * in[1][i % n] + in[2][i / n];
                                  out[0].push_back(m);
                                  out[1].push_back((m - in[3][0]) * 0.5 + in[0][i] * in[2][i / n]);
                                }
                                return out;
                              });
  }
}

TYPED_TEST(Tiles, RowsOfTwoPeriodsInOneGroup) {
  // [40] and [30, 40] both repeat within [B, 30, 40]; so does every column form.
  Graph g;
  const Expr x = g.input("x", {B, 30, 40}), row = g.input("row", {40}), plane = g.input("plane", {30, 40}),
             outer = g.input("outer", {B, 1, 1}), inner = g.input("inner", {B, 30, 1});
  for (const std::int64_t batch : {1, 2, 9})
    expect_outputs<TypeParam>(
        {x * row + plane - outer * inner}, {x, row, plane, outer, inner}, batch, [](const auto& in) {
          Numbers out;
          for (std::size_t i = 0; i < in[0].size(); ++i)
            out.push_back(in[0][i] * in[1][i % 40] + in[2][i % 1200] - in[3][i / 1200] * in[4][i / 40]);
          return std::vector<Numbers>{out};
        });
}

TYPED_TEST(Tiles, BroadcastsThatAreNeitherRowNorColumn) {
  Graph g;
  const Expr x = g.input("x", {B, 30, 40}), middle = g.input("middle", {B, 1, 40}),
             plane = g.input("plane", {1, 30, 1});
  for (const std::int64_t batch : {1, 2, 9})
    expect_outputs<TypeParam>({x * middle - plane}, {x, middle, plane}, batch, [](const auto& in) {
      Numbers out;
      for (std::size_t i = 0; i < in[0].size(); ++i)
        out.push_back(in[0][i] * in[1][i / 1200 * 40 + i % 40] - in[2][i / 40 % 30]);
      return std::vector<Numbers>{out};
    });
}

TYPED_TEST(Tiles, OneVectorAsRowAndAsColumn) {
  Graph g;
  const Expr x = g.input("x", {100, 100}), v = g.input("v", {100});
  expect_outputs<TypeParam>({x * v + reshape(v, {100, 1})}, {x, v}, 1, [](const auto& in) {
    Numbers out;
    for (std::size_t i = 0; i < in[0].size(); ++i) out.push_back(in[0][i] * in[1][i % 100] + in[1][i / 100]);
    return std::vector<Numbers>{out};
  });
}

TYPED_TEST(Tiles, ABatchOfOneMakesARowAnOrdinaryOperand) {
  Graph g;
  const Expr x = g.input("x", {B, 3000}), row = g.input("row", {1, 3000}), computed = row * 2;
  expect_outputs<TypeParam>({x + computed, computed}, {x, row}, 1, [](const auto& in) {
    std::vector<Numbers> out(2);
    for (std::size_t i = 0; i < in[0].size(); ++i) {
      out[0].push_back(in[0][i] + in[1][i] * 2);
      out[1].push_back(in[1][i] * 2);
    }
    return out;
  });
}

TYPED_TEST(Tiles, ManyLiveTemporariesMakeSmallTiles) {
  // Thirty products wait for the last sum: thirty tiles at once.
  constexpr std::size_t terms = 30, count = 3001;
  Graph g;
  const Expr x = g.input("x", {count});
  std::vector<Expr> products;
  for (std::size_t k = 0; k < terms; ++k) products.push_back(x * (0.25 * static_cast<double>(k + 2)));
  Expr total = products[terms - 1] - products[0];
  for (std::size_t k = terms - 1; k-- > 1;) total = products[k] - total;
  expect_outputs<TypeParam>({total}, {x}, 1, [](const auto& in) {
    Numbers out;
    for (const double v : in[0]) {
      const auto product = [v](std::size_t k) { return v * (0.25 * static_cast<double>(k + 2)); };
      double t = product(terms - 1) - product(0);
      for (std::size_t k = terms - 1; k-- > 1;) t = product(k) - t;
      out.push_back(t);
    }
    return std::vector<Numbers>{out};
  });
}

TYPED_TEST(Tiles, MoreNodesThanOneGroupHolds) {
  Graph g;
  const Expr x = g.input("x", {B, 50}), row = g.input("row", {50});
  Expr y = x;
  for (int i = 0; i < 150; ++i) y = (y + row) * -1;
  expect_outputs<TypeParam>({y}, {x, row}, 60, [](const auto& in) {
    Numbers out;
    for (std::size_t i = 0; i < in[0].size(); ++i) {
      double v = in[0][i];
      for (int k = 0; k < 150; ++k) v = (v + in[1][i % 50]) * -1;
      out.push_back(v);
    }
    return std::vector<Numbers>{out};
  });
}

}  // namespace
}  // namespace gradus
