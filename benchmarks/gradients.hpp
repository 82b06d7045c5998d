#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradus/autodiff/gradient.hpp"
#include "gradus/runtime/executable.hpp"
#include "work.hpp"

namespace gradus::benchmarks {

/// All gradients of a work's loss, at its starting weights and for one batch size.
template <class T> class Gradients {
 public:
  explicit Gradients(const Work& work)
      : samples_(Samples<T>::of(work.tutorial)),
        problem_(problem_of(work)),
        parameters_(problem_.graph->parameters()),
        executable_(compile<T>(grad(problem_.loss, parameters_), {}, static_cast<std::int64_t>(work.batch),
                               store_)) {}

  /// For as many samples as a batch has, from this one on.
  void run(std::size_t first_sample) {
    feed("x", samples_.inputs, first_sample);
    feed("target", samples_.targets, first_sample);
    executable_.run();
  }

  std::size_t size() const { return parameters_.size(); }
  std::string name(std::size_t parameter) const {
    return problem_.graph->describe(parameters_[parameter].id());
  }
  std::span<const T> operator[](std::size_t parameter) const { return executable_.output(parameter).values; }

 private:
  void feed(std::string_view input, const std::vector<T>& values, std::size_t first_sample) {
    const std::size_t each = values.size() / samples_.count;
    executable_.feed(input, std::span(values).subspan(first_sample * each,
                                                      each * static_cast<std::size_t>(executable_.batch())));
  }

  const Samples<T>& samples_;
  Problem problem_;
  std::vector<Expr> parameters_;
  Store<T> store_;
  Executable<T> executable_;
};

}  // namespace gradus::benchmarks
