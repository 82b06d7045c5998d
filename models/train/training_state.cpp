#include "models/train/training_state.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

std::string key_of(std::size_t place, const Callback& callback) {
  return fmt::format("{}/{}", place, callback.name());
}

std::string described(std::int64_t samples, std::int64_t batch, bool shuffle) {
  return fmt::format("{} samples in batches of {}{}", samples, batch, shuffle ? "" : ", unshuffled");
}

}  // namespace

TrainingState::TrainingState(std::uint64_t its_seed, ModelIdentity its_model)
    : seed(its_seed), model(std::move(its_model)), shuffler(its_seed, stream_of("shuffle")) {}

void TrainingState::use_data(std::string identity) {
  if (resumed && data != identity)
    throw Error(
        "fit: the checkpoint is of other data, or of other options on how they are used (validation, "
        "drop_last); resume with the same");
  data = std::move(identity);
}

void TrainingState::start(std::int64_t samples, std::int64_t batch, bool shuffle, std::size_t scores) {
  position = {.drawn = shuffler.counter(),
              .sums = std::vector<double>(scores, 0),
              .samples = samples,
              .batch = batch,
              .shuffle = shuffle};
  history = {};
}

void TrainingState::require_same(std::int64_t samples, std::int64_t batch, bool shuffle) const {
  if (position.samples != samples || position.batch != batch || position.shuffle != shuffle)
    throw Error(fmt::format(
        "fit: the checkpoint is of {}, but there are {}; resume with the same data and options",
        described(position.samples, position.batch, position.shuffle), described(samples, batch, shuffle)));
}

void TrainingState::restore(const Callbacks& resumed_callbacks) const {
  if (!resumed) return;
  for (std::size_t i = 0; i < resumed_callbacks.size(); ++i) {
    Callback& callback = *resumed_callbacks[i];
    if (callback.name().empty()) continue;
    const auto found = std::ranges::find(*resumed, key_of(i, callback), &CallbackStates::value_type::first);
    if (found == resumed->end())
      throw Error(
          fmt::format("fit: the checkpoint knows no callback '{}' in place {}; resume with the callbacks "
                      "that it was made with",
                      callback.name(), i + 1));
    callback.load(found->second);
  }
  for (const auto& [key, values] : *resumed) {
    bool is_there = false;
    for (std::size_t i = 0; i < resumed_callbacks.size(); ++i)
      is_there |= key_of(i, *resumed_callbacks[i]) == key;
    if (!is_there)
      throw Error(
          fmt::format("fit: the checkpoint was made with a callback '{}' in place {}, which there is "
                      "not; resume with the callbacks that it was made with",
                      key.substr(key.find('/') + 1), std::stoul(key) + 1));
  }
}

CallbackStates TrainingState::callback_states() const {
  if (resumed) return *resumed;
  CallbackStates all;
  for (std::size_t i = 0; i < callbacks.size(); ++i)
    if (!callbacks[i]->name().empty()) all.emplace_back(key_of(i, *callbacks[i]), callbacks[i]->save());
  return all;
}

}  // namespace gradus
