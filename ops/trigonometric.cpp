#include "gradus/ops/trigonometric.hpp"

#include <cmath>

#include "gradus/ops/extremum.hpp"
#include "gradus/ops/power.hpp"
#include "gradus/ops/rules.hpp"
#include "gradus/ops/view.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::sin, std::cos, std::tan, std::asin, std::acos, std::atan, std::atan2, std::sqrt;

struct Sin final : Unary<Sin> {
  static constexpr std::string_view name = "sin", onnx = "Sin";
  template <class T> static T f(T x) { return sin(x); }
  template <class T> static T f_of_moderate(T x) { return sin_of_moderate(x); }
  template <class T> static T d(T x, T) { return cos(x); }
};

struct Cos final : Unary<Cos> {
  static constexpr std::string_view name = "cos", onnx = "Cos";
  template <class T> static T f(T x) { return cos(x); }
  template <class T> static T f_of_moderate(T x) { return cos_of_moderate(x); }
  template <class T> static T d(T x, T) { return -sin(x); }
};

struct Tan final : Unary<Tan> {
  static constexpr std::string_view name = "tan";
  // ONNX Runtime has Tan for float alone; so it has Asin, Acos and Atan.
  static OnnxSpelling onnx(InputShapes) {
    return {{"Sin", {OnnxInput{0}}}, {"Cos", {OnnxInput{0}}}, {"Div", {OnnxResult{0}, OnnxResult{1}}}};
  }
  template <class T> static T f(T x) { return tan(x); }
  template <class T> static T f_of_moderate(T x) { return tan_of_moderate(x); }
  template <class T> static T d(T, T y) { return 1 + y * y; }
};

struct Asin final : Unary<Asin> {
  static constexpr std::string_view name = "asin", onnx = "Asin";
  template <class T> static T f(T x) { return asin(x); }
  template <class T> static T d(T x, T) { return 1 / sqrt((1 - x) * (1 + x)); }
};

struct Acos final : Unary<Acos> {
  static constexpr std::string_view name = "acos", onnx = "Acos";
  template <class T> static T f(T x) { return acos(x); }
  template <class T> static T d(T x, T) { return -1 / sqrt((1 - x) * (1 + x)); }
};

struct Atan final : Unary<Atan> {
  static constexpr std::string_view name = "atan", onnx = "Atan";
  template <class T> static T f(T x) { return atan(x); }
  template <class T> static T d(T x, T) { return 1 / (1 + x * x); }
};

struct Atan2 final : Binary<Atan2> {
  static constexpr std::string_view name = "atan2";
  // The arctangent of the quotient, but y itself where that is 0, and half a turn on where x is negative.
  static OnnxSpelling onnx(InputShapes) {
    constexpr double pi = 3.14159265358979323846;
    return {{"Div", {OnnxInput{0}, OnnxInput{1}}},  {"Atan", {OnnxResult{0}}},
            {"Equal", {OnnxInput{0}, 0.0}},         {"Where", {OnnxResult{2}, OnnxInput{0}, OnnxResult{1}}},
            {"Less", {OnnxInput{0}, 0.0}},          {"Where", {OnnxResult{4}, -pi, pi}},
            {"Less", {OnnxInput{1}, 0.0}},          {"Where", {OnnxResult{6}, OnnxResult{5}, 0.0}},
            {"Add", {OnnxResult{3}, OnnxResult{7}}}};
  }
  template <class T> static T f(T y, T x) { return atan2(y, x); }
  template <class T> static T da(T y, T x, T) { return slope(x, y, x); }
  template <class T> static T db(T y, T x, T) { return -slope(y, y, x); }

  // top / (x² + y²), of numbers divided by the larger one.
  template <class T> static T slope(T top, T y, T x) {
    const T scale = 1 / stop_gradient(maximum(abs(x), abs(y))), a = x * scale, b = y * scale;
    return weighted(scale, top * scale / (a * a + b * b));
  }
};

}  // namespace

Expr sin(Arg x) { return build<Sin>({x}); }
Expr cos(Arg x) { return build<Cos>({x}); }
Expr tan(Arg x) { return build<Tan>({x}); }
Expr asin(Arg x) { return build<Asin>({x}); }
Expr acos(Arg x) { return build<Acos>({x}); }
Expr atan(Arg x) { return build<Atan>({x}); }
Expr atan2(Arg y, Arg x) { return build<Atan2>({y, x}); }

}  // namespace gradus
