#include "gradus/train/trainer.hpp"

#include <fmt/format.h>

#include "gradus/base/error.hpp"
#include "gradus/train/summary.hpp"
#include "models/train/checkpoint.hpp"
#include "models/train/compiled_model.hpp"
#include "models/train/data_split.hpp"
#include "models/train/training_loop.hpp"
#include "models/train/training_state.hpp"

namespace gradus {

template <class T> struct Trainer<T>::Impl {
  Impl(const ModelDefinition& definition, std::uint64_t seed, Location where)
      : model(definition, seed, where.known() ? where : definition.where),
        state(seed, ModelIdentity(model.graph(Mode::training).graph, model.store())) {}

  // Error while a `fit` is under way, whose callbacks may not do this.
  void require_idle(const char* what) const {
    if (state.is_running)
      throw Error(fmt::format(
          "{}: this trainer is in the middle of a fit; use another trainer in its callbacks", what));
  }

  CompiledModel<T> model;
  TrainingState state;
};

template <class T>
Trainer<T>::Trainer(const ModelDefinition& model, std::uint64_t seed, Location where)
    : impl_(std::make_unique<Impl>(model, seed, where)) {}
template <class T> Trainer<T>::Trainer(Trainer&&) noexcept = default;
template <class T> Trainer<T>& Trainer<T>::operator=(Trainer&&) noexcept = default;
template <class T> Trainer<T>::~Trainer() = default;

template <class T> History Trainer<T>::fit(const Dataset<T>& data, const FitOptions<T>& options) {
  impl_->require_idle("fit");
  impl_->model.renew();
  impl_->model.require_data("fit", data, true);
  if (options.validation) impl_->model.require_data("fit: validation", *options.validation, true);
  TrainingLoop<T> loop(impl_->model, impl_->state, data, options);
  impl_->state.is_running = true;
  const std::unique_ptr<bool, void (*)(bool*)> idle(&impl_->state.is_running, [](bool* is) { *is = false; });
  loop.run();
  return loop.history();
}

template <class T> Scores Trainer<T>::evaluate(const Dataset<T>& data, std::int64_t batch) {
  require_positive("evaluate", "batch", batch);
  CompiledModel<T>& model = impl_->model;
  if (!impl_->state.is_running) model.renew();
  model.require_data("evaluate", data, true);
  return {model.score_names(), model.mean_scores(data, rows_in_order(0, data.count()), batch)};
}

template <class T> std::vector<T> Trainer<T>::predict(const Dataset<T>& data, std::int64_t batch) {
  require_positive("predict", "batch", batch);
  if (!impl_->state.is_running) impl_->model.renew();
  impl_->model.require_data("predict", data, false);
  return impl_->model.predict(data, batch);
}

template <class T> void Trainer<T>::save_weights(const std::string& path) const {
  impl_->model.weights().save(path, impl_->state.notes);
}
template <class T> void Trainer<T>::load_weights(const std::string& path) { load_weights(path, ""); }
template <class T>
void Trainer<T>::load_weights(const std::string& path, std::string_view prefix, const LoadOptions& options) {
  impl_->model.weights().load(path, prefix, options);
}
template <class T> void Trainer<T>::save_checkpoint(const std::string& path) const {
  write_checkpoint(path, impl_->model.store(), impl_->state);
}
template <class T> void Trainer<T>::resume(const std::string& path, const LoadOptions& options) {
  impl_->require_idle("resume");
  read_checkpoint(path, impl_->model.score_names().size(), impl_->model.store(), impl_->state, options);
}

template <class T> std::map<std::string, std::string>& Trainer<T>::notes() { return impl_->state.notes; }

template <class T> std::string Trainer<T>::summary() const {
  const ModelGraph& training = impl_->model.graph(Mode::training);
  return summary_of(impl_->model.graph(Mode::inference).prediction, training.graph, training.updates);
}

template <class T> Store<T>& Trainer<T>::store() { return impl_->model.store(); }

template <class T> ModelGraph& Trainer<T>::graph(Mode::Purpose purpose) {
  return impl_->model.graph(purpose);
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace gradus
