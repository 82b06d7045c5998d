#include "gradus/ops/comparison.hpp"

#include "gradus/ops/rules.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using math::where;

class Less final : public Undifferentiable<Less, 2> {
 public:
  static constexpr std::string_view name = "less";
  static OnnxSpelling onnx(InputShapes) {
    return {{"Less", {OnnxInput{0}, OnnxInput{1}}}, {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T> static T f(T a, T b) { return where(a < b, T(1), T(0)); }
};

class LessEqual final : public Undifferentiable<LessEqual, 2> {
 public:
  static constexpr std::string_view name = "less_equal";
  static OnnxSpelling onnx(InputShapes) {
    return {{"LessOrEqual", {OnnxInput{0}, OnnxInput{1}}},
            {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T> static T f(T a, T b) { return where(a <= b, T(1), T(0)); }
};

class Equal final : public Undifferentiable<Equal, 2> {
 public:
  static constexpr std::string_view name = "equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) {
    return {{"Equal", {OnnxInput{0}, OnnxInput{1}}}, {"Cast", {OnnxResult{0}}, {{"to", OnnxType::element}}}};
  }
  template <class T> static T f(T a, T b) { return where(a == b, T(1), T(0)); }
};

class NotEqual final : public Undifferentiable<NotEqual, 2> {
 public:
  static constexpr std::string_view name = "not_equal";
  static constexpr Traits extra_traits{.commutative = true};
  static OnnxSpelling onnx(InputShapes) {
    return {{"Equal", {OnnxInput{0}, OnnxInput{1}}},
            {"Not", {OnnxResult{0}}},
            {"Cast", {OnnxResult{1}}, {{"to", OnnxType::element}}}};
  }
  template <class T> static T f(T a, T b) { return where(a != b, T(1), T(0)); }
};

}  // namespace

Expr operator<(Arg a, Arg b) { return build<Less>({a, b}); }
Expr operator>(Arg a, Arg b) { return build<Less>({b, a}); }
Expr operator<=(Arg a, Arg b) { return build<LessEqual>({a, b}); }
Expr operator>=(Arg a, Arg b) { return build<LessEqual>({b, a}); }
Expr equal(Arg a, Arg b) { return build<Equal>({a, b}); }
Expr not_equal(Arg a, Arg b) { return build<NotEqual>({a, b}); }

}  // namespace gradus
