#include "gradus/ops/random_uniform.hpp"

#include <cstdint>

#include "gradus/base/random.hpp"
#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// An entry of a state; 0 for what is none, NaN included.
template <class T> std::uint32_t word(T entry) {
  return entry > 0 && entry < T(generator_limit) ? static_cast<std::uint32_t>(entry) : 0;
}

/// Philox4x32-10 of a generator's state and the element's number: a pure function, so the same state gives
/// the same numbers, wherever and however often it is computed. `Derived` makes numbers of a block of bits.
template <class Derived> struct RandomNumbers : OpOf<Derived> {
  RandomNumbers(std::int64_t which, Shape to) : stream(which), shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("stream", stream), attribute("shape", shape)); }
  Shape infer(InputShapes inputs) const {
    if (inputs[0] != Shape{4}) throw Error("the generator's state must have the shape [4]");
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const final { return no_gradient(v); }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const std::int64_t count = element_count(shapes.output());
    const auto low = static_cast<std::uint32_t>(stream), high = static_cast<std::uint32_t>(stream >> 32);
    return [count, low, high](const KernelArgs<T>& args) {
      const T* state = args.input();
      T* out = args.output();
      const std::uint32_t a = word(state[0]), b = word(state[1]), c = word(state[2]), d = word(state[3]);
      const std::uint32_t step = c | d << 24U;
      const std::array<std::uint32_t, 2> key{a | (d >> 8U & 0xFFU) << 24U, b | (d >> 16U) << 24U};
      for (std::int64_t i = 0; i < count; i += 4) {
        const auto numbers =
            Derived::numbers(philox4x32({static_cast<std::uint32_t>(i / 4), step, low, high}, key));
        for (std::int64_t k = 0; k < std::min<std::int64_t>(4, count - i); ++k)
          out[i + k] = static_cast<T>(numbers[static_cast<std::size_t>(k)]);
      }
    };
  }

  std::int64_t stream;
  Shape shape;
};

using PhiloxBlock = std::array<std::uint32_t, 4>;

struct RandomUniform final : RandomNumbers<RandomUniform> {
  static constexpr std::string_view name = "random_uniform";
  using RandomNumbers::RandomNumbers;
  static std::array<double, 4> numbers(const PhiloxBlock& words) {
    std::array<double, 4> uniform{};
    for (std::size_t i = 0; i < 4; ++i) uniform[i] = static_cast<double>(words[i] >> 8U) * 0x1p-24;
    return uniform;
  }
};

// Box and Muller: of two words each the radius √(−2 log u) and the direction. The logarithm and the circle
// are sums, products and roots that are rounded alike everywhere, in lanes without fused multiply-adds.
struct RandomNormal final : RandomNumbers<RandomNormal> {
  static constexpr std::string_view name = "random_normal";
  using RandomNumbers::RandomNumbers;
  static std::array<double, 4> numbers(const PhiloxBlock& words) {
    using L = Lane<double, Isa::baseline>;
    std::array<double, 4> normal{};
    for (std::size_t i = 0; i < 4; i += 2) {
      const L u = (words[i] + 0.5) * 0x1p-32;
      const L radius = sqrt(L(-2) * detail::log_of_normal(u, L(0), L(0)));
      const std::uint32_t quarter = (words[i + 1] + 0x20000000U) >> 30U;
      const auto turned = static_cast<std::int32_t>(words[i + 1] - (quarter << 30U));
      const detail::Quarters<double, Isa::baseline, false> at(L(turned * (0x1p-31 * 3.14159265358979323846)),
                                                              quarter);
      normal[i] = radius * at.sine_of(1);
      normal[i + 1] = radius * at.sine_of(0);
    }
    return normal;
  }
};

}  // namespace

Expr random_uniform(Arg generator, std::int64_t stream, const Shape& shape) {
  return build<RandomUniform>({generator}, stream, shape);
}

Expr random_normal(Arg generator, std::int64_t stream, const Shape& shape) {
  return build<RandomNormal>({generator}, stream, shape);
}

}  // namespace gradus
