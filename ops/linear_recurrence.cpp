#include "gradus/ops/linear_recurrence.hpp"

#include <cmath>
#include <span>

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Also the reverse rule of itself, run the other way: λᵢ₊₁ of the sweep back is the cotangent of cᵢ.
struct LinearRecurrence final : OpOf<LinearRecurrence> {
  static constexpr std::string_view name = "linear_recurrence";
  LinearRecurrence(std::int64_t along, Recurrence how) : axis(along), options(how) {}
  auto attributes() const {
    return std::tuple(attribute("axis", axis), attribute("first", options.first),
                      attribute("from_the_end", options.from_the_end));
  }
  Shape infer(InputShapes inputs) const {
    if (inputs[0] != inputs[1]) throw Error("shapes differ");
    return inputs[0];
  }
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr summands = linear_recurrence(v.inputs[0], v.cotangent, axis,
                                            {.first = 0, .from_the_end = !options.from_the_end});
    return {weighted_both(summands, v.output), summands};
  }
  // The values of the last step, in double: what floats are rounded by would add up. What leaves the range of
  // T stays out of it.
  std::size_t workspace_bytes(const KernelShapes& shapes, DType) const override {
    const std::span<const std::int64_t> all(shapes.output());
    return static_cast<std::size_t>(element_count(all.subspan(static_cast<std::size_t>(axis) + 1))) *
           sizeof(double);
  }
  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const std::span<const std::int64_t> all(shapes.output());
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t lead = element_count(all.first(at)), n = all[at];
    const std::int64_t columns = element_count(all.subspan(at + 1));
    const std::int64_t start = options.from_the_end ? n - 1 : 0, step = options.from_the_end ? -1 : 1;
    return [=, first = options.first](const KernelArgs<T>& args) {
      auto* last = reinterpret_cast<double*>(args.workspace);
      for (std::int64_t line = 0; line < lead; ++line)
        for (std::int64_t k = 0; k < n; ++k) {
          const std::int64_t to = (line * n + start + k * step) * columns, from = to - step * columns;
          for (std::int64_t i = 0; i < columns; ++i) {
            const double y =
                k == 0 ? first : product(args.input(0)[from + i], last[i]) + args.input(1)[from + i];
            const T rounded = args.output()[to + i] = static_cast<T>(y);
            last[i] = rounded == 0 || std::isinf(rounded) ? rounded : y;
          }
        }
    };
  }

  // 0 where either is 0, as in `weighted_both`, which the reverse rule takes.
  static double product(double a, double b) { return math::where(a == 0, 0.0, math::weighted(b, a)); }

  std::int64_t axis;
  Recurrence options;
};

}  // namespace

Expr linear_recurrence(Arg factors, Arg summands, std::int64_t axis, const Recurrence& options) {
  return build<LinearRecurrence>({factors, summands}, axis_of(LinearRecurrence::name, factors, axis),
                                 options);
}

}  // namespace gradus
