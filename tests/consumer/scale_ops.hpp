// Ops that multiply by `factor`, in each way to define one. Each source file that includes this has types of
// its own, of the same names.
#pragma once

#include "gradus/custom_op.hpp"
#include "scales.hpp"

namespace {

struct Scale final : gradus::Unary<Scale> {
  static constexpr std::string_view name = "scale";
  template <class T> static T f(T x) { return T(factor) * x; }
  template <class T> static T d(T, T) { return T(factor); }
};

struct Composite final : gradus::CompositeOp<Composite, 1> {
  static constexpr std::string_view name = "composite";
  template <class T> static T f(T x) { return factor * x; }
};

struct Plain final : gradus::OpOf<Plain> {
  static constexpr std::string_view name = "plain";
  gradus::Shape infer(gradus::InputShapes inputs) const { return inputs[0]; }
  std::vector<gradus::Expr> vjp(const gradus::Vjp& v) const override {
    return {gradus::build<Plain>({v.cotangent})};
  }
  template <class T> gradus::Kernel<T> make_kernel(const gradus::KernelShapes& shapes) const {
    return [count = gradus::element_count(shapes.output())](const gradus::KernelArgs<T>& args) {
      for (std::int64_t i = 0; i < count; ++i) args.output()[i] = T(factor) * args.input()[i];
    };
  }
};

std::vector<gradus::Expr> scaled(gradus::Arg x) {
  return {gradus::build<Scale>({x}), gradus::build<Composite>({x}), gradus::build<Plain>({x})};
}

}  // namespace
