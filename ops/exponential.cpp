#include "gradus/ops/exponential.hpp"

#include <cmath>

#include "gradus/ops/rules.hpp"

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
  // Right to the last bit of 1 + x only: ONNX has no log1p, nor expm1.
  static OnnxSpelling onnx(InputShapes) { return {{"Add", {OnnxInput{0}, 1.0}}, {"Log", {OnnxResult{0}}}}; }
  template <class T> static T f(T x) { return log1p(x); }
  template <class T> static T d(T x, T) { return 1 / (1 + x); }
};

struct Expm1 final : Unary<Expm1> {
  static constexpr std::string_view name = "expm1";
  static OnnxSpelling onnx(InputShapes) { return {{"Exp", {OnnxInput{0}}}, {"Sub", {OnnxResult{0}, 1.0}}}; }
  template <class T> static T f(T x) { return expm1(x); }
  template <class T> static T d(T, T y) { return y + 1; }
};

}  // namespace

Expr exp(Arg x) { return build<Exp>({x}); }
Expr log(Arg x) { return build<Log>({x}); }
Expr log1p(Arg x) { return build<Log1p>({x}); }
Expr expm1(Arg x) { return build<Expm1>({x}); }

}  // namespace gradus
