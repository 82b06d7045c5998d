#include "gradus/ops/exponential.hpp"

#include <cmath>

#include "gradus/ops/rules.hpp"
#include "ops/onnx_exponential.hpp"

namespace gradus {

namespace {

// Found for numbers; argument-dependent look-up finds those of lanes and expressions.
using std::exp, std::log, std::log1p, std::expm1, std::sinh, std::cosh;

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
  static OnnxSpelling onnx(InputShapes) { return expm1_in_onnx(); }
  template <class T> static T f(T x) { return expm1(x); }
  // y + 1 would lose its digits where y is near −1.
  template <class T> static T d(T x, T) { return exp(x); }
};

struct Sinh final : Unary<Sinh> {
  static constexpr std::string_view name = "sinh", onnx = "Sinh";
  template <class T> static T f(T x) { return sinh(x); }
  template <class T> static T d(T x, T) { return cosh(x); }
};

struct Cosh final : Unary<Cosh> {
  static constexpr std::string_view name = "cosh", onnx = "Cosh";
  template <class T> static T f(T x) { return cosh(x); }
  template <class T> static T d(T x, T) { return sinh(x); }
};

}  // namespace

Expr exp(Arg x) { return build<Exp>({x}); }
Expr log(Arg x) { return build<Log>({x}); }
Expr log1p(Arg x) { return build<Log1p>({x}); }
Expr expm1(Arg x) { return build<Expm1>({x}); }
Expr sinh(Arg x) { return build<Sinh>({x}); }
Expr cosh(Arg x) { return build<Cosh>({x}); }

}  // namespace gradus
