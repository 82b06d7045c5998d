#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/nn/mode.hpp"

namespace GRADUS_PUBLIC gradus {

namespace detail {

/// Something that f can be called with and gives an expression.
template <class F, class... Args>
concept Builds = std::is_invocable_r_v<Expr, F&, Args...>;

/// Calls f with the inputs one by one and, where it takes one, the mode.
template <class F, std::size_t... i>
Expr build_from(F& f, const std::vector<Expr>& inputs, Mode& mode, std::index_sequence<i...>) {
  if (inputs.size() != sizeof...(i))
    throw Error("the network takes " + std::to_string(sizeof...(i)) + " inputs, but is given " +
                std::to_string(inputs.size()));
  if constexpr (Builds<F, decltype((inputs[i]))..., Mode&>)
    return f(inputs[i]..., mode);
  else
    return f(inputs[i]...);
}

/// How many inputs f takes, from one to four, as expressions of their own; 0 for none of these.
template <class F> constexpr std::size_t input_count() {
  using E = const Expr&;
  if constexpr (Builds<F, E> || Builds<F, E, Mode&>) return 1;
  if constexpr (Builds<F, E, E> || Builds<F, E, E, Mode&>) return 2;
  if constexpr (Builds<F, E, E, E> || Builds<F, E, E, E, Mode&>) return 3;
  if constexpr (Builds<F, E, E, E, E> || Builds<F, E, E, E, E, Mode&>) return 4;
  return 0;
}

}  // namespace detail

/// From predictions and targets to a loss, or to a metric: `mse`, or a function of one's own. It takes two
/// `Expr`, as in `[](Expr y, Expr t) { return mean(abs(y - t)); }`, or two `Arg`, which know the user's line.
class PredictionFunction : public std::function<Expr(Arg prediction, Arg target)> {
 public:
  PredictionFunction() = default;
  /// Takes a function of two `Expr` or two `Arg`.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, PredictionFunction> &&
           (detail::Builds<F, Arg, Arg> || detail::Builds<F, Expr, Expr>)) PredictionFunction(F f)
      : function(from(std::move(f))) {}

 private:
  template <class F> static function from(F f) {
    if constexpr (detail::Builds<F, Arg, Arg>)
      return function(std::move(f));
    else
      return [f = std::move(f)](const Arg& y, const Arg& t) { return Expr(f(y.expr, t.expr)); };
  }
};

/// From inputs to predictions: a function of all inputs and the mode, or of up to four inputs as they are.
/// `[](const std::vector<Expr>& in, Mode& mode) { … }` is the one, the other with or without the mode
/// `[](Expr x) { return linear(x, 1, "y"); }`, `[](Expr user, Expr item, Mode& mode) { … }`. Error,
/// when the model is built, for another number of inputs.
class NetworkFunction : public std::function<Expr(const std::vector<Expr>& inputs, Mode& mode)> {
 public:
  NetworkFunction() = default;
  /// Takes a function of the inputs, with or without the mode.
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, NetworkFunction> &&
           (detail::Builds<F, const std::vector<Expr>&, Mode&> || detail::input_count<F>() > 0))
      NetworkFunction(F f)
      : function(from(std::move(f))), inputs_(detail::input_count<F>()) {}

  /// How many inputs the function takes; 0 for any number of them.
  std::size_t inputs() const { return inputs_; }

 private:
  std::size_t inputs_ = 0;
  template <class F> static function from(F f) {
    if constexpr (detail::Builds<F, const std::vector<Expr>&, Mode&>)
      return function(std::move(f));
    else
      return [f = std::move(f)](const std::vector<Expr>& inputs, Mode& mode) mutable {
        return detail::build_from(f, inputs, mode, std::make_index_sequence<detail::input_count<F>()>());
      };
  }
};

}  // namespace gradus
