#include "gradus/ops/one_hot.hpp"

#include <string>

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

struct OneHot final : OpOf<OneHot> {
  static constexpr std::string_view name = "one_hot";
  explicit OneHot(std::int64_t count) : classes(count) {}
  auto attributes() const { return std::tuple(attribute("classes", classes)); }
  // ONNX Runtime has no OneHot for double. A label that is no class gives zeros, not an error.
  OnnxSpelling onnx(InputShapes inputs) const {
    std::vector<double> indices;
    for (std::int64_t k = 0; k < classes; ++k) indices.push_back(static_cast<double>(k));
    return {{"Unsqueeze", {OnnxInput{0}, Shape{inputs[0].rank()}}},
            {"Equal", {OnnxResult{0}, indices}},
            {"Cast", {OnnxResult{1}}, {{"to", OnnxType::element}}}};
  }
  Shape infer(InputShapes inputs) const {
    Shape shape = inputs[0];
    shape.push_back(classes);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const std::int64_t rows = element_count(shapes.inputs[0]);
    return [rows, n = classes](const KernelArgs<T>& args) {
      T* out = args.output();
      for (std::int64_t row = 0; row < rows; ++row, out += n) {
        const T label = args.input()[row];
        // Also false for NaN and for what is no whole number.
        if (!(label >= 0 && label < static_cast<T>(n) &&
              label == static_cast<T>(static_cast<std::int64_t>(label))))
          throw RowError("the label in ", row, rows,
                         " is " + detail::text_of(static_cast<double>(label)) +
                             ", not a class index from 0 to " + std::to_string(n - 1));
        for (std::int64_t k = 0; k < n; ++k) out[k] = 0;
        out[static_cast<std::int64_t>(label)] = 1;
      }
    };
  }

  std::int64_t classes;
};

}  // namespace

Expr one_hot(Arg labels, std::int64_t classes) { return build<OneHot>({labels}, classes); }

}  // namespace gradus
