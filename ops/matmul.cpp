#include "gradus/ops/matmul.hpp"

#include "gradus/ops/rules.hpp"
#include "ops/kernels/gemm.hpp"

namespace gradus {

namespace {

struct MatMul final : OpOf<MatMul> {
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

  Shape infer(InputShapes inputs) const {
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

  double flop(const KernelShapes& shapes) const override {
    return 2.0 * static_cast<double>(element_count(shapes.output())) * static_cast<double>(inner(shapes));
  }

  template <class T> Kernel<T> make_kernel(const KernelShapes& shapes) const {
    const Gemm<T> gemm = gemm_of<T>(shapes);
    if (shapes.in_parts)
      return [gemm](const KernelArgs<T>& args) {
        gemm.rows(args.input(0), args.input(1), args.output(), reinterpret_cast<T*>(args.workspace),
                  args.from, args.to);
      };
    return [gemm](const KernelArgs<T>& args) {
      gemm(args.input(0), args.input(1), args.output(), reinterpret_cast<T*>(args.workspace));
    };
  }

  std::size_t workspace_bytes(const KernelShapes& shapes, DType dtype) const override {
    return with_dtype(dtype, [&]<class T>(T) {
      return static_cast<std::size_t>(gemm_of<T>(shapes).workspace()) * sizeof(T);
    });
  }

  bool rows_are_cheap(const KernelShapes& shapes, DType dtype) const override {
    return with_dtype(dtype, [&]<class T>(T) { return gemm_of<T>(shapes).rows_are_cheap(); });
  }

  std::int64_t inner(const KernelShapes& shapes) const { return shapes.inputs[0][transposed.a ? 0 : 1]; }
  template <class T> Gemm<T> gemm_of(const KernelShapes& shapes) const {
    return {shapes.output()[0], shapes.output()[1], inner(shapes),
            transposed.a,       transposed.b,       shapes.reproducible};
  }

  Transposed transposed;
};

}  // namespace

Expr matmul(Arg a, Arg b, Transposed transposed) { return build<MatMul>({a, b}, transposed); }

}  // namespace gradus
