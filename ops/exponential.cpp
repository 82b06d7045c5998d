#include "gradus/ops/exponential.hpp"

#include <cmath>

#include "gradus/ops/rules.hpp"
#include "ops/onnx_log1p.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::exp, std::log, std::log1p, std::expm1;

struct Exp final : Unary<Exp> {
  static constexpr std::string_view name = "exp", onnx = "Exp";
  template <class T> static T f(T x) { return exp(x); }
  template <class T> static T d(T, T y) { return y; }
};

struct Log final : Unary<Log> {
  static constexpr std::string_view name = "log", onnx = "Log";
  template <class T> static T f(T x) { return log(x); }
  template <class T> static T d(T x, T) { return 1 / x; }
};

struct Log1p final : Unary<Log1p> {
  static constexpr std::string_view name = "log1p";
  static OnnxSpelling onnx(InputShapes) {
    OnnxSpelling steps;
    append_log1p(steps, OnnxInput{0});
    return steps;
  }
  template <class T> static T f(T x) { return log1p(x); }
  template <class T> static T d(T x, T) { return 1 / (1 + x); }
};

struct Expm1 final : Unary<Expm1> {
  static constexpr std::string_view name = "expm1";
  // ONNX has no expm1: (u − 1) · x / log u for u = eˣ as it is rounded (Kahan), between the sizes where u − 1
  // is right as it is and where u is 1.
  static OnnxSpelling onnx(InputShapes) {
    return {{"Exp", {OnnxInput{0}}},
            {"Sub", {OnnxResult{0}, 1.0}},
            {"Log", {OnnxResult{0}}},
            {"Div", {OnnxInput{0}, OnnxResult{2}}},
            {"Mul", {OnnxResult{1}, OnnxResult{3}}},
            {"Equal", {OnnxResult{0}, 1.0}},
            {"Where", {OnnxResult{5}, OnnxInput{0}, OnnxResult{4}}},
            {"Abs", {OnnxInput{0}}},
            {"Less", {OnnxResult{7}, 1.0}},
            {"Where", {OnnxResult{8}, OnnxResult{6}, OnnxResult{1}}}};
  }
  template <class T> static T f(T x) { return expm1(x); }
  // y + 1 would lose its digits where y is near −1.
  template <class T> static T d(T x, T) { return exp(x); }
};

}  // namespace

Expr exp(Arg x) { return build<Exp>({x}); }
Expr log(Arg x) { return build<Log>({x}); }
Expr log1p(Arg x) { return build<Log1p>({x}); }
Expr expm1(Arg x) { return build<Expm1>({x}); }

}  // namespace gradus
