#include <numbers>

#include "tests/support/op_table.hpp"

// Ops that move elements about: views, broadcasts, boxes, orders of axes, labels.
namespace gradus::test {

namespace {

// The same numbers under other extents, in which 0 stands for what is left.
auto reshaped(Extents extents) {
  return [extents](const Tensors& x) {
    Extents to = extents;
    std::int64_t rest = static_cast<std::int64_t>(x[0].values.size());
    for (const auto extent : to) rest /= extent == 0 ? 1 : extent;
    for (auto& extent : to) extent = extent == 0 ? rest : extent;
    return Tensor{to, x[0].values};
  };
}

// Philox4x32-10 once more, from the paper's definition: word `index` of a counter, for RandomUniform's
// layout.
std::uint64_t philox_word(const Tensor& state, std::uint64_t stream, std::uint64_t index) {
  std::uint64_t s[4];
  for (std::int64_t i = 0; i < 4; ++i) s[i] = static_cast<std::uint64_t>(state(i));
  constexpr std::uint64_t low = 0xFFFFFFFF;
  std::uint64_t r0 = index / 4, l0 = (s[2] | s[3] << 24U) & low, r1 = stream & low, l1 = stream >> 32U;
  std::uint64_t k0 = s[0] | ((s[3] >> 8U) & 0xFFU) << 24U, k1 = s[1] | (s[3] >> 16U) << 24U;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p = 0xD2511F53 * r0, q = 0xCD9E8D57 * r1;
    r0 = (q >> 32U) ^ l0 ^ k0;
    r1 = (p >> 32U) ^ l1 ^ k1;
    l0 = q & low;
    l1 = p & low;
    k0 = (k0 + 0x9E3779B9) & low;
    k1 = (k1 + 0xBB67AE85) & low;
  }
  const std::uint64_t words[] = {r0, l0, r1, l1};
  return words[index % 4];
}
double philox_uniform(const Tensor& state, std::uint64_t stream, std::uint64_t index) {
  return static_cast<double>(philox_word(state, stream, index) >> 8U) / (1 << 24);
}
// Box and Muller, with std's functions: the even elements are cosines, the odd ones sines.
double philox_normal(const Tensor& state, std::uint64_t stream, std::uint64_t index) {
  const std::uint64_t first = index / 2 * 2;
  const long double u = (static_cast<long double>(philox_word(state, stream, first)) + 0.5L) * 0x1p-32L;
  const long double angle =
      2 * std::numbers::pi_v<long double> * philox_word(state, stream, first + 1) * 0x1p-32L;
  return static_cast<double>(std::sqrt(-2 * std::log(u)) *
                             (index == first ? std::cos(angle) : std::sin(angle)));
}

}  // namespace

std::vector<OpRow> structure_rows() {
  return {
      {.op = "reshape",
       .inputs = {in({B, 6})},
       .build = on([](Expr x) {
         return reshape(x, {B, 2, 3});
       }),
       .reference = reshaped({0, 2, 3})},
      {.op = "reshape",
       .label = "into_the_batch",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return reshape(x, {4 * B}); }),
       .reference = reshaped({0})},
      {.op = "reshape",
       .label = "out_of_the_batch",
       .inputs = {in({2 * B, 3})},
       .build = on([](Expr x) {
         return reshape(x, {B, -1});
       }),
       .reference = reshaped({0, 6})},
      {.op = "reshape",
       .label = "flatten",
       .inputs = {in({B, 2, 3})},
       .build = on([](Expr x) { return flatten(x); }),
       .reference = reshaped({0, 6})},
      {.op = "reshape",
       .label = "of_a_product",
       .inputs = {in({B, 2, 2}), in({B, 4})},
       .build = on([](Expr x, Expr y) {
         return reshape(x * x, {B, 4}) * y;
       }),
       .reference =
           [](const Tensors& x) {
             return generate(x[1].extents, [&](const Extents& i) {
               const double a = x[0](i[0], i[1] / 2, i[1] % 2);
               return a * a * x[1].at(i);
             });
           }},

      {.op = "broadcast_to",
       .label = "row",
       .inputs = {in({3})},
       .build = on([](Expr x) {
         return broadcast_to(x, {4, 3});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({4, 3}, [&](const Extents& i) { return x[0](i[1]); });
           }},
      {.op = "broadcast_to",
       .label = "column",
       .inputs = {in({B, 1})},
       .build = on([](Expr x) {
         return broadcast_to(x, {B, 4});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 4}, [&](const Extents& i) { return x[0](i[0], 0); });
           }},
      {.op = "broadcast_to",
       .label = "scalar",
       .inputs = {in({})},
       .build = on([](Expr x) {
         return broadcast_to(x, {2, 3});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({2, 3}, [&](const Extents&) { return x[0](); });
           }},
      {.op = "broadcast_to",
       .label = "between",
       .inputs = {in({B, 1, 2, 1})},
       .build = on([](Expr x) {
         return broadcast_to(x, {2, B, 3, 2, 2});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({2, x[0].extents[0], 3, 2, 2},
                             [&](const Extents& i) { return x[0](i[1], 0, i[3], 0); });
           }},

      {.op = "slice",
       .inputs = {in({B, 5})},
       .build = on([](Expr x) { return slice(x, 1, 1, 4); }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 3}, [&](const Extents& i) { return x[0](i[0], i[1] + 1); });
           }},
      {.op = "slice",
       .label = "batch",
       .inputs = {in({B + 2, 3})},
       .build = on([](Expr x) { return slice(x, 0, 1, B + 1); }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0] - 2, 3},
                             [&](const Extents& i) { return x[0](i[0] + 1, i[1]); });
           },
       .mixes_batch = true},
      {.op = "slice",
       .label = "box",
       .inputs = {in({3, B, 4})},
       .build = on([](Expr x) {
         return slice(x, std::vector<Dim>{1, 0, 2}, Shape{2, B, 1});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({2, x[0].extents[1], 1},
                             [&](const Extents& i) { return x[0](i[0] + 1, i[1], i[2] + 2); });
           }},
      {.op = "slice",
       .label = "last_sample",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) { return slice(x, 0, B - 1, B); }),
       .reference =
           [](const Tensors& x) {
             return generate({1, 3}, [&](const Extents& i) { return x[0](x[0].extents[0] - 1, i[1]); });
           },
       .mixes_batch = true},

      {.op = "embed",
       .inputs = {in({B, 3})},
       .build = on([](Expr x) {
         return embed(x, std::vector<Dim>{0, 1}, Shape{B, 5});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 5}, [&](const Extents& i) {
               return i[1] >= 1 && i[1] < 4 ? x[0](i[0], i[1] - 1) : 0;
             });
           }},
      {.op = "embed",
       .label = "batch",
       .inputs = {in({B, 2})},
       .build = on([](Expr x) {
         return embed(x, std::vector<Dim>{B, 0}, Shape{2 * B + 1, 2});
       }),
       .reference =
           [](const Tensors& x) {
             const std::int64_t n = x[0].extents[0];
             return generate({2 * n + 1, 2}, [&](const Extents& i) {
               return i[0] >= n && i[0] < 2 * n ? x[0](i[0] - n, i[1]) : 0;
             });
           },
       .mixes_batch = true},

      {.op = "concat",
       .inputs = {in({B, 2}), in({B, 3})},
       .build = on([](Expr a, Expr b) {
         return concat({a, b}, 1);
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 5}, [&](const Extents& i) {
               return i[1] < 2 ? x[0](i[0], i[1]) : x[1](i[0], i[1] - 2);
             });
           }},
      {.op = "concat",
       .label = "row_on_batch",
       .inputs = {in({1, 4}), in({B, 4})},
       .build = on([](Expr a, Expr b) {
         return concat({a, b}, 0);
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[1].extents[0] + 1, 4}, [&](const Extents& i) {
               return i[0] == 0 ? x[0](0, i[1]) : x[1](i[0] - 1, i[1]);
             });
           },
       .mixes_batch = true},
      {.op = "concat",
       .label = "batches",
       .inputs = {in({B, 2}), in({B, 2})},
       .build = on([](Expr a, Expr b) {
         return concat({a, b}, 0);
       }),
       .reference =
           [](const Tensors& x) {
             const std::int64_t n = x[0].extents[0];
             return generate({2 * n, 2}, [&](const Extents& i) {
               return i[0] < n ? x[0](i[0], i[1]) : x[1](i[0] - n, i[1]);
             });
           },
       .mixes_batch = true},
      {.op = "concat",
       .label = "three_twice_the_same",
       .inputs = {in({B, 1, 2}), in({B, 2, 2})},
       .build = on([](Expr a, Expr b) {
         return concat({a, b, a}, -2);
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 4, 2}, [&](const Extents& i) {
               return i[1] % 3 == 0 ? x[0](i[0], 0, i[2]) : x[1](i[0], i[1] - 1, i[2]);
             });
           }},

      {.op = "transpose",
       .inputs = {in({B, 4})},
       .build = on([](Expr x) { return transpose(x); }),
       .reference =
           [](const Tensors& x) {
             return generate({4, x[0].extents[0]}, [&](const Extents& i) { return x[0](i[1], i[0]); });
           }},
      {.op = "transpose",
       .label = "cycle",
       .inputs = {in({B, 3, 2})},
       .build = on([](Expr x) {
         return transpose(x, {2, 0, 1});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({2, x[0].extents[0], 3},
                             [&](const Extents& i) { return x[0](i[1], i[2], i[0]); });
           }},
      {.op = "transpose",
       .label = "four",
       .inputs = {in({2, 3, B, 2})},
       .build = on([](Expr x) {
         return transpose(x, {2, 1, 3, 0});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[2], 3, 2, 2},
                             [&](const Extents& i) { return x[0](i[3], i[1], i[0], i[2]); });
           }},

      {.op = "one_hot",
       .inputs = {fixed({B}, whole(0, 3))},
       .build = on([](Expr x) { return one_hot(x, 4); }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 4}, [&](const Extents& i) {
               return x[0](i[0]) == static_cast<double>(i[1]) ? 1 : 0;
             });
           }},
      {.op = "one_hot",
       .label = "matrix",
       .inputs = {fixed({B, 2}, whole(0, 2))},
       .build = on([](Expr x) { return one_hot(x, 3); }),
       .reference =
           [](const Tensors& x) {
             return generate({x[0].extents[0], 2, 3}, [&](const Extents& i) {
               return x[0](i[0], i[1]) == static_cast<double>(i[2]) ? 1 : 0;
             });
           }},

      {.op = "random_uniform",
       .inputs = {fixed({4}, whole(0, (1 << 24) - 1))},
       .build = on([](Expr x) {
         return random_uniform(x, 0x123456789ABCDEF, {3, 2});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({3, 2}, [&](const Extents& i) {
               return philox_uniform(x[0], 0x123456789ABCDEF, static_cast<std::uint64_t>(2 * i[0] + i[1]));
             });
           }},
      {.op = "random_uniform",
       .label = "batch",
       .inputs = {fixed({4}, whole(0, (1 << 24) - 1)), in({B, 5})},
       .build = on([](Expr x, Expr y) {
         return random_uniform(x, 7, {B, 5}) * y;
       }),
       .reference =
           [](const Tensors& x) {
             return generate(x[1].extents, [&](const Extents& i) {
               return philox_uniform(x[0], 7, static_cast<std::uint64_t>(5 * i[0] + i[1])) * x[1].at(i);
             });
           },
       .mixes_batch = true},
      {.op = "random_normal",
       .inputs = {fixed({4}, whole(0, (1 << 24) - 1))},
       .build = on([](Expr x) {
         return random_normal(x, 0x123456789ABCDEF, {3, 5});
       }),
       .reference =
           [](const Tensors& x) {
             return generate({3, 5}, [&](const Extents& i) {
               return philox_normal(x[0], 0x123456789ABCDEF, static_cast<std::uint64_t>(5 * i[0] + i[1]));
             });
           }},
  };
}

}  // namespace gradus::test
