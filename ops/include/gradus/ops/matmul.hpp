#pragma once

#include "gradus/base/error.hpp"
#include "gradus/graph/op_of.hpp"
#include "gradus/ops/build.hpp"
#include "gradus/ops/gemm.hpp"

namespace GRADUS_PUBLIC gradus {

/// How matmul reads its operands; stored matrices are not moved.
struct Transposed {
  bool a = false;  ///< the first factor
  bool b = false;  ///< the second
};

Expr matmul(Arg a, Arg b, Transposed transposed = {});

class MatMul final : public OpOf<MatMul> {
 public:
  static constexpr std::string_view name = "matmul";
  explicit MatMul(Transposed how) : transposed(how) {}
  auto attributes() const {
    return std::tuple(attribute("transpose_a", transposed.a), attribute("transpose_b", transposed.b));
  }
  OnnxSpelling onnx(InputShapes) const {
    if (!transposed.a && !transposed.b) return {{"MatMul", {OnnxInput{0}, OnnxInput{1}}}};
    return {{"Gemm",
             {OnnxInput{0}, OnnxInput{1}},
             {{"transA", std::int64_t{transposed.a}}, {"transB", std::int64_t{transposed.b}}}}};
  }

  Shape infer(InputShapes inputs) const override {
    const Shape &a = inputs[0], &b = inputs[1];
    if (a.rank() != 2 || b.rank() != 2) throw Error("both operands must be matrices");
    if (a[transposed.a ? 0 : 1] != b[transposed.b ? 1 : 0]) throw Error("inner dimensions differ");
    return {a[transposed.a ? 1 : 0], b[transposed.b ? 0 : 1]};
  }

  // Y = A·B: dA = dY·Bᵀ, dB = Aᵀ·dY. With flags, the same two products read or write the other way round.
  std::vector<Expr> vjp(const Vjp& v) const override {
    const Expr &a = v.inputs[0], &b = v.inputs[1], &dy = v.cotangent;
    const auto [ta, tb] = transposed;
    std::vector<Expr> cotangents(2);
    if (v.wanted[0]) cotangents[0] = ta ? matmul(b, dy, {tb, true}) : matmul(dy, b, {false, !tb});
    if (v.wanted[1]) cotangents[1] = tb ? matmul(dy, a, {true, ta}) : matmul(a, dy, {!ta, false});
    return cotangents;
  }

  Traits traits() const override { return {.by_rows = true}; }

  double flop(const Signature& signature) const override {
    return 2.0 * static_cast<double>(element_count(signature.output)) * static_cast<double>(inner(signature));
  }

  template <class T>
  Kernel<T> make_kernel(const Signature& signature) const {
    return [gemm = gemm_of<T>(signature)](const T* const* in, T* out) { gemm(in[0], in[1], out); };
  }

  template <class T>
  RowKernel<T> make_row_kernel(const Signature& signature) const {
    return [gemm = gemm_of<T>(signature)](const T* const* in, T* out, std::int64_t from, std::int64_t to) {
      gemm.rows(in[0], in[1], out, from, to);
    };
  }

  bool rows_are_cheap(const Signature& signature, std::size_t element_bytes) const override {
    return element_bytes == sizeof(float) ? gemm_of<float>(signature).rows_are_cheap()
                                          : gemm_of<double>(signature).rows_are_cheap();
  }

  Transposed transposed;

 private:
  std::int64_t inner(const Signature& signature) const { return signature.inputs[0][transposed.a ? 0 : 1]; }
  template <class T>
  Gemm<T> gemm_of(const Signature& signature) const {
    return {signature.output[0], signature.output[1], inner(signature), transposed.a, transposed.b};
  }
};

/// The matrix product a [m, k] · b [k, n] → [m, n]; with a flag, that operand is stored transposed. Error
/// when an operand is not a matrix or the inner dimensions differ.
inline Expr matmul(Arg a, Arg b, Transposed transposed) { return builtin<MatMul>({a, b}, transposed); }

}  // namespace gradus
