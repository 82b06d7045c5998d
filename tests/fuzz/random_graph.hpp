#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "gradus/base/random.hpp"
#include "recipe.hpp"

/// The generator of random graphs.
namespace gradus::fuzz {

struct GeneratorOptions {
  std::size_t fewest_ops = 3;
  std::size_t most_ops = 60;
  /// Forms beside those of the library, drawn as often as one of them each.
  std::vector<const Form*> more = {};
};

/// A graph that can be computed and differentiated at and around its point: no value leaves the domain of an
/// op, or gets large. The seed determines it.
Recipe random_recipe(std::uint64_t seed, const GeneratorOptions& options = {});

/// The range that an op wants an operand in.
struct Domain {
  double low;
  double high;
};

inline constexpr double largest_value = 10;
inline constexpr Domain any{-largest_value, largest_value};
inline constexpr Domain moderate{-2.5, 2.5};
inline constexpr Domain positive{0.25, largest_value};
inline constexpr Domain above_minus_one{-0.7, largest_value};
inline constexpr Domain base{0.25, 3};
inline constexpr Domain probability{0.02, 0.98};
/// The range that leaves' values are said to be in; they are drawn from a bit less, so that they can be
/// moved.
inline constexpr Domain leaf_domain{-2.25, 2.25};

/// A recipe in the making, and what forms draw their operands from.
class Maker {
 public:
  Maker(std::uint64_t seed, const GeneratorOptions& options);
  Recipe make();

  Random& random() { return random_; }
  bool chance(double p) { return random_.uniform() < p; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_.below(n)); }
  /// A multiple of 2^-20, which float holds exactly, too.
  double number(double low, double high);
  template <class Items> auto one_of(const Items& items) {
    return *(std::begin(items) + static_cast<std::ptrdiff_t>(below(std::size(items))));
  }

  const Shape& shape(std::size_t step) const { return built_.shape(step); }
  bool within(std::size_t step, Domain domain) const;

  /// A value to work on: often one that nobody reads yet, sometimes a new leaf.
  std::size_t value(Domain domain = any);
  /// One of the values that `wanted` holds for.
  std::optional<std::size_t> value_where(const std::function<bool(std::size_t)>& wanted);
  /// A value that can be broadcast together with this one, or, at times, a number.
  std::size_t partner(std::size_t step, Domain domain = any, bool number_too = true);
  /// A value of exactly this shape.
  std::size_t shaped(const Shape& shape, Domain domain = any);
  /// A new leaf.
  std::size_t leaf(const Shape& shape);
  /// A new leaf of class indices.
  std::size_t labels(const Shape& shape, std::int64_t classes);
  /// A number, sometimes one that ops treat specially.
  std::size_t literal(Domain domain = moderate);

  /// The value itself, or what brings it into a domain.
  std::size_t brought_into(std::size_t step, Domain domain);

  /// An extent of this graph: there are few, so that shapes meet.
  std::int64_t extent();
  Shape random_shape(bool batched);

 private:
  std::size_t append(Step step);
  std::size_t op(const char* name, std::vector<std::size_t> in, std::vector<double> numbers = {});
  std::size_t affine(std::size_t step, double factor, double summand);
  std::size_t made_positive(std::size_t step, Domain domain);
  bool is_value(std::size_t step) const;
  bool is_sink(std::size_t step) const { return is_value(step) && reads_[step] == 0; }
  bool add_op();
  std::size_t reduced(std::size_t step);
  void choose_outputs();
  void choose_updates();
  std::optional<std::size_t> update_of(std::size_t variable);

  Random random_;
  Built built_;
  std::vector<const Form*> forms_;
  std::vector<std::size_t> reads_;  // by step: how many read it
  std::vector<bool> usable_;        // by step
  std::vector<std::int64_t> extents_;
  std::size_t ops_;
  bool samplewise_;  // no op may mix samples
};

}  // namespace gradus::fuzz
