// An op of one's own.
#include "swish.hpp"

#include "gradus/custom_op.hpp"

namespace {

struct Swish final : gradus::Unary<Swish> {
  static constexpr std::string_view name = "swish";
  template <class T> static T f(T x) { return x * gradus::math::sigmoid(x); }
  template <class T> static T d(T x, T y) { return y + sigmoid(x) * (1 - y); }
};

}  // namespace

gradus::Expr swish(gradus::Arg x) { return gradus::build<Swish>({x}); }
