#pragma once

#include <string>

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/build.hpp"

namespace GRADUS_PUBLIC gradus {

class OneHot final : public OpOf<OneHot> {
 public:
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
  Shape infer(InputShapes inputs) const override {
    Shape shape = inputs[0];
    shape.push_back(classes);
    return shape;
  }
  std::vector<Expr> vjp(const Vjp& v) const override { return no_gradient(v); }

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    const std::int64_t rows = element_count(signature.inputs[0]);
    return [rows, n = classes](const T* const* in, T* out) {
      for (std::int64_t row = 0; row < rows; ++row, out += n) {
        const T label = in[0][row];
        // Also false for NaN and for what is no whole number.
        if (!(label >= 0 && label < static_cast<T>(n) &&
              label == static_cast<T>(static_cast<std::int64_t>(label))))
          throw Error("the label in row " + std::to_string(row) + " is " +
                      detail::text_of(static_cast<double>(label)) + ", not a class index from 0 to " +
                      std::to_string(n - 1));
        for (std::int64_t k = 0; k < n; ++k) out[k] = 0;
        out[static_cast<std::int64_t>(label)] = 1;
      }
    };
  }

  std::int64_t classes;
};

/// Class indices [...] → [..., classes], 1 at the index and 0 elsewhere. No gradient. A run throws Error,
/// naming the row, for a label that is not a whole number from 0 to classes - 1.
inline Expr one_hot(Arg labels, std::int64_t classes) { return builtin<OneHot>({labels}, classes); }

}  // namespace gradus
