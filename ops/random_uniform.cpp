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
/// the same numbers, wherever and however often it is computed.
struct RandomUniform final : OpOf<RandomUniform> {
  static constexpr std::string_view name = "random_uniform";
  RandomUniform(std::int64_t which, Shape to) : stream(which), shape(std::move(to)) {}
  auto attributes() const { return std::tuple(attribute("stream", stream), attribute("shape", shape)); }
  Shape infer(InputShapes inputs) const {
    if (inputs[0] != Shape{4}) throw Error("the generator's state must have the shape [4]");
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }

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
        const auto block = philox4x32({static_cast<std::uint32_t>(i / 4), step, low, high}, key);
        for (std::int64_t k = 0; k < std::min<std::int64_t>(4, count - i); ++k)
          out[i + k] = static_cast<T>(block[static_cast<std::size_t>(k)] >> 8U) * T(0x1p-24);
      }
    };
  }

  std::int64_t stream;
  Shape shape;
};

}  // namespace

Expr random_uniform(Arg generator, std::int64_t stream, const Shape& shape) {
  return build<RandomUniform>({generator}, stream, shape);
}

}  // namespace gradus
