#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/graph/onnx_spelling.hpp"
#include "gradus/graph/shape.hpp"

namespace GRADUS_PUBLIC gradus {

class Expr;
struct Vjp;

/// What the passes may know about an op. They read these, never a name or a type.
struct Traits {
  bool elementwise = false;  ///< output[i] depends on input[i] alone; all shapes are equal
  bool broadcast = false;    ///< output repeats the input along axes of extent 1 or missing in front
  bool view = false;         ///< the same values in the same order: shares its input's buffer, no kernel
  bool commutative = false;  ///< two inputs, either order
  bool involution = false;   ///< f(f(x)) = x
  bool reduction = false;    ///< of one input; what it combines out of one element is that element
  bool by_rows = false;      ///< has a row kernel
  bool impure = false;       ///< two equal nodes may differ in value: never merged, never folded
  std::optional<double> left_identity = std::nullopt;   ///< f(e, x) = x
  std::optional<double> right_identity = std::nullopt;  ///< f(x, e) = x
};

/// The shapes of an op's inputs, in order.
class InputShapes {
 public:
  /// Of shapes that outlive it.
  explicit InputShapes(std::span<const Shape* const> shapes) : shapes_(shapes) {}
  /// How many inputs there are.
  std::size_t size() const { return shapes_.size(); }
  /// The shape of input i.
  const Shape& operator[](std::size_t i) const { return *shapes_[i]; }

 private:
  std::span<const Shape* const> shapes_;
};

/// The concrete shapes for which a kernel is made.
struct Signature {
  std::vector<Extents> inputs;  ///< of the inputs
  Extents output;               ///< of the output
  std::int64_t batch = 1;       ///< what B stands for, for attributes that hold it
};

/// A compiled op: computes `output` from `inputs`, all row-major and contiguous. It must not allocate. It may
/// throw Error for values that it cannot take; the executable adds the op's name and place.
template <class T>
using Kernel = std::function<void(const T* const* inputs, T* output)>;

/// Computes rows [from, to) of the output's first axis alone, and writes them from `output` on.
template <class T>
using RowKernel = std::function<void(const T* const* inputs, T* output, std::int64_t from, std::int64_t to)>;

/// The kernel of an elementwise op over `n` elements; the output may be one of the inputs. Of an input that
/// it takes for a scalar, only the first element is read. Of several ops at once: their own inputs one after
/// the other, and an output each.
template <class T>
using Block = void (*)(const class Op* const* ops, const T* const* inputs, T* const* outputs, std::size_t n);

/// What an op is: a value with a name, attributes, traits, shape rule, reverse rule, and kernels for float
/// and double. Ops know nothing of graphs' internals and nothing else knows an op's name. Derive through
/// `OpOf` (gradus/framework/graph/op_of.hpp), which supplies equality, hash and text from the attributes.
class Op {
 public:
  Op() = default;
  /// Copied as values are.
  Op(const Op&) = default;
  /// Copied as values are.
  Op& operator=(const Op&) = default;
  virtual ~Op() = default;

  /// What dumps and errors call it.
  virtual std::string_view name() const = 0;
  /// "transpose_a=true, axis=1"; empty for an op without attributes.
  virtual std::string attribute_text() const = 0;
  virtual Traits traits() const { return {}; }

  /// The output's shape. Throw Error with the reason alone ("inner dimensions differ"): the graph adds the
  /// op's name, the place and the operands.
  virtual Shape infer(InputShapes inputs) const = 0;

  /// The cotangents of the inputs, one each, as graph expressions: null where there is no gradient path.
  virtual std::vector<Expr> vjp(const Vjp& v) const = 0;

  /// Computes it in float; the tag only chooses the overload.
  virtual Kernel<float> kernel(const Signature& signature, float tag) const = 0;
  /// Computes it in double.
  virtual Kernel<double> kernel(const Signature& signature, double tag) const = 0;
  /// For what reads the output row by row while it is in cache, and for threads; null without the trait
  /// `by_rows`.
  virtual RowKernel<float> row_kernel(const Signature&, float) const { return nullptr; }
  virtual RowKernel<double> row_kernel(const Signature&, double) const { return nullptr; }
  /// Whether a few rows cost no more than their share of all.
  virtual bool rows_are_cheap(const Signature&, std::size_t /*element_bytes*/) const { return true; }
  /// Elementwise ops only; null otherwise. Bit i of `scalars`: input i is a scalar. Null, too, for scalars
  /// for which there is no kernel; there is always one for none.
  virtual Block<float> block(float, unsigned /*scalars*/) const { return nullptr; }
  virtual Block<double> block(double, unsigned /*scalars*/) const { return nullptr; }
  /// Elementwise ops only: a block of this op and of those that make some of its inputs, all in registers;
  /// `makers[i]` makes input i, or is null. Null where there is no such block.
  virtual Block<float> joint_block(float, std::span<const Op* const> /*makers*/, unsigned /*scalars*/) const {
    return nullptr;
  }
  virtual Block<double> joint_block(double, std::span<const Op* const> /*makers*/,
                                    unsigned /*scalars*/) const {
    return nullptr;
  }

  /// Arithmetic operations and elementary functions, one each.
  virtual double flop(const Signature& signature) const {
    return static_cast<double>(element_count(signature.output));
  }

  /// How ONNX says it; empty for what it has no words for.
  virtual OnnxSpelling onnx_spelling(InputShapes /*inputs*/) const { return {}; }

  /// Whether it is the same op with the same attributes.
  virtual bool same_as(const Op& other) const = 0;
  /// Equal for equal ops.
  virtual std::size_t hash() const = 0;
};

/// What an elementwise op makes of one element of each input.
double evaluate(const Op& op, std::span<const double> inputs);

/// An op, shared by the nodes that use it.
using OpPtr = std::shared_ptr<const Op>;

}  // namespace gradus
