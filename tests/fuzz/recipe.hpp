#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/compile/program.hpp"
#include "gradus/inspect/node_values.hpp"

/// Random graphs as values: a recipe can be built, printed as C++, cut down, and built again.
namespace gradus::fuzz {

/// How a value comes about from the samples of a batch.
enum class Samples {
  shared,  ///< no sample has a part in it
  rows,    ///< each sample has rows of its own
  sum,     ///< the sum of what the samples give
  mean,    ///< the mean of what the samples give
  mixed,   ///< anything else: the samples may influence each other
};

/// All that is known of a step's values before they are computed.
struct Facts {
  double low = 0;  ///< no value is outside, wherever the leaves are in their domain
  double high = 0;
  Samples samples = Samples::shared;
  bool whole = false;  ///< class indices, which must not be moved
};

struct Form;

/// One line of a recipe: a leaf, a number, or an op on earlier steps. What the members mean is the form's
/// business; those that it does not need are empty.
struct Step {
  const Form* form = nullptr;
  std::vector<std::size_t> in = {};
  std::vector<double> numbers = {};  ///< a leaf's values, an op's parameters
  std::vector<std::int64_t> axes = {};
  std::vector<bool> flags = {};
  std::vector<Dim> dims = {};
  Shape shape = {};
};

/// A program before it is built. Equal recipes build equal graphs, on every platform.
struct Recipe {
  std::uint64_t seed = 0;
  std::int64_t batch = 1;
  std::vector<Step> steps = {};
  std::vector<std::size_t> outputs = {};
  std::vector<std::pair<std::size_t, std::size_t>> updates = {};  ///< variable, value
};

/// The place of a form: the step, its operands' facts and shapes, and its own shape.
struct Site {
  const Step& step;
  std::vector<Facts> in;
  std::vector<Shape> shapes;
  Shape shape;
  std::int64_t batch;
};

class Maker;

/// One way to write an op. Several forms may be of one op, some build several nodes.
struct Form {
  enum class Kind { input, variable, constant, number, op };

  Kind kind = Kind::op;
  std::string op;    ///< its name in the op table
  std::string text;  ///< the C++ that builds it, with marks for the step's members: see `cpp_text`
  std::function<Expr(Graph& graph, const Step& step, const std::string& name, const std::vector<Expr>& in)>
      build;
  std::function<Facts(const Form& form, const Site& site)> facts;
  /// A random step of this form; nothing when there is nothing for it to work on. Null: never by itself.
  std::function<std::optional<Step>(Maker& maker)> draw = nullptr;
};

/// All forms; more than one per op. They live as long as the program.
const std::vector<Form>& forms();
/// The first of this op.
const Form& form_of(const std::string& op);

/// A recipe, built, one step after the other.
class Built {
 public:
  explicit Built(std::int64_t batch, std::uint64_t seed = 0);
  /// Error when a step cannot be built, or outputs and updates are not what they must be.
  explicit Built(const Recipe& recipe);
  Built(const Built&) = delete;
  Built& operator=(const Built&) = delete;

  /// The number of the new step. Error, and no step, when it cannot be built.
  std::size_t append(Step step);

  const Shape& shape(std::size_t step) const { return exprs[step].shape(); }
  std::int64_t elements(std::size_t step) const { return element_count(shape(step).resolve(recipe.batch)); }
  bool is_number(std::size_t step) const { return recipe.steps[step].form->kind == Form::Kind::number; }

  Recipe recipe;  ///< what was built so far
  Graph graph;
  std::vector<Expr> exprs;  ///< by step
  std::vector<Facts> facts;
  Point point;  ///< of all named leaves
  std::vector<Expr> outputs;
  std::vector<Update> updates;
};

/// The name of a step in the graph and in the printed C++.
std::string name_of(const Recipe& recipe, std::size_t step);

/// A program that builds the recipe, runs it and checks its gradient: to be compiled as it is.
///
/// Marks in forms' texts: $0 $1 … operands, $* all of them, $n the step's name; #0 … numbers, #* all of them;
/// ~0 … and ~* axes; ?0 … flags; ^0 … and ^* dims; & the shape.
std::string cpp_text(const Recipe& recipe);

/// The same without the steps that neither outputs nor updates need.
Recipe pruned(const Recipe& recipe);

/// The noise that is put on every value that a kernel rounded.
struct Noise {
  double size = 0;        ///< it is off by a random part of itself, up to this, but for seed 0
  bool to_float = false;  ///< and rounded to a float, so that it may meet others
  std::uint64_t seed = 0;
};

/// Every node of a graph by its own kernel, in double, by id. What comes out differently with noise depends
/// on rounding.
std::vector<std::vector<double>> interpret(const Graph& graph, const Point& point, std::int64_t batch,
                                           const Noise& noise = {});

/// The largest magnitude.
double largest_of(const std::vector<double>& values);

}  // namespace gradus::fuzz
