#include "gradus/train/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <new>

#include "gradus/data/atomic_file.hpp"
#include "gradus/data/option_error.hpp"
#include "gradus/data/tensor_file.hpp"
#include "gradus/train/callbacks.hpp"
#include "models/data/bounded_json.hpp"
#include "models/data/printable.hpp"

namespace gradus {

void require_checkpoint(const TrainingFiles& files) {
  if (!files.checkpoint.empty()) return;
  if (files.resume)
    throw OptionError({"resume", "checkpoint"}, "resume needs a checkpoint file to go on from");
  if (files.checkpoint_steps > 0)
    throw OptionError({"checkpoint_steps", "checkpoint"},
                      "checkpoint_steps needs a checkpoint file to write");
}

namespace {

// OptionError or Error before work is done for files that cannot be written.
void check_files(const TrainingFiles& files) {
  require_checkpoint(files);
  require_distinct(std::vector<NamedFile>{
      {"save", files.weights}, {"history", files.history}, {"checkpoint", files.checkpoint}});
  for (const std::string& file : {files.weights, files.history, files.checkpoint})
    if (!file.empty()) require_writable(file);
  if (!files.tensorboard.empty())
    require_writable_folder(files.tensorboard, "events.out.tfevents", "tensorboard");
}

constexpr std::string_view options_key = "training/options";  // of the metadata

// The options as the checkpoint keeps them: any bytes may have been given, but JSON is UTF-8.
std::map<std::string, std::string> kept_options(const TrainingFiles& files) {
  std::map<std::string, std::string> kept;
  for (const auto& [name, value] : files.options) kept[printable(name)] = printable(value);
  return kept;
}

// While it lives, the trainer's files tell what the training was asked for. Its end needs no memory.
class OptionsNote {
 public:
  OptionsNote(std::map<std::string, std::string>& notes, const TrainingFiles& files) : notes_(notes) {
    if (!files.options.empty()) notes_[std::string(options_key)] = json_text(Json(kept_options(files)));
  }
  ~OptionsNote() {
    std::erase_if(notes_, [](const auto& note) { return note.first == options_key; });
  }
  OptionsNote(const OptionsNote&) = delete;
  OptionsNote& operator=(const OptionsNote&) = delete;

 private:
  std::map<std::string, std::string>& notes_;
};

// Error that names each option which the training in the checkpoint had otherwise.
void require_same_options(const TrainingFiles& files) {
  const TensorFile file(files.checkpoint);
  const auto found = file.metadata().find(std::string(options_key));
  if (found == file.metadata().end()) return;
  const auto damaged = [&](std::string_view why) {
    return Error(fmt::format("checkpoint '{}': its options are damaged ({}); begin the training anew",
                             files.checkpoint, why));
  };
  std::map<std::string, std::string> made;
  try {
    made = parsed_json(found->second).get<std::map<std::string, std::string>>();
  } catch (const Json::exception& error) {
    throw damaged(error.what());
  } catch (const Error& error) {
    throw damaged(error.what());
  }
  std::string differences;
  for (const auto& [name, asked] : kept_options(files)) {
    const auto before = made.find(name);
    if (before == made.end() || before->second == asked) continue;
    differences += fmt::format("{}{} {}, not {}", differences.empty() ? "" : "; ", name,
                               shortened(before->second), shortened(asked));
  }
  if (!differences.empty())
    throw Error(fmt::format("checkpoint '{}': it was made with other options: {}; resume with the same",
                            files.checkpoint, differences));
}

// Each is tried: a full disk for one of them costs no other.
template <class T>
void write_results(const Trainer<T>& trainer, const History& history, const TrainingFiles& files,
                   bool complete) {
  std::string missing;
  const auto attempt = [&](const std::string& file, auto write) {
    if (file.empty()) return;
    std::string why;
    try {
      write();
    } catch (const Error& error) {
      why = error.what();
    } catch (const std::bad_alloc&) {
      why = file + ": cannot be written: memory ran out";
    }
    if (!why.empty()) missing += fmt::format("{}{}", missing.empty() ? "" : "\n", why);
    if (files.on_file) files.on_file(file, why);
  };
  if (complete) attempt(files.weights, [&] { trainer.save_weights(files.weights); });
  attempt(files.history, [&] {
    write_atomically(files.history, files.history.ends_with(".csv") ? history.csv() : history.json());
  });
  if (!missing.empty() && !files.on_file) throw Error(missing);
}

// Sees whether a training fails in its first step whatever the learning rate: the loss is not finite, or a
// gradient, whose square optimizers take, is too large.
template <class T> struct FirstStep final : Callback {
  bool on_not_finite(Training& training, const std::string&) override {
    if (training.epoch() > 0 || training.step() > 0) return false;
    failed = !std::isfinite(training.loss());
    if (!failed)
      for (const auto& [name, gradient] : training.gradients())
        failed = failed || std::ranges::any_of(gradient, [](double g) {
                   return !std::isfinite(static_cast<T>(g) * static_cast<T>(g));
                 });
    return false;
  }
  bool failed = false;
};

// Ends the training when it is asked to, and keeps what it has.
class Interruption final : public Callback {
 public:
  Interruption(std::function<bool()> asked, std::string checkpoint)
      : asked_(std::move(asked)), checkpoint_(std::move(checkpoint)) {}
  bool wants_steps() const override { return true; }
  bool sees_values() const override { return false; }
  void on_step_end(Training& training) override {
    if (!asked_()) return;
    training.stop(fmt::format("interrupted in epoch {} of {}, after step {} of {}", training.epoch() + 1,
                              training.epochs(), training.step(), training.steps()));
    // At the end of an epoch it is written anyway, once the epoch's scores are known.
    if (!checkpoint_.empty() && training.step() < training.steps()) training.save_checkpoint(checkpoint_);
    happened = true;
  }
  bool happened = false;

 private:
  std::function<bool()> asked_;
  std::string checkpoint_;
};

// Why a training failed, and what would mend it.
template <class T> std::string divergence(bool in_first_step) {
  if (!in_first_step)
    return "the training diverged; try a smaller learning rate, or bring large numbers of the data nearer to "
           "1";
  return fmt::format(
      "the first step is not finite, before anything was learnt: numbers of the data are too "
      "large; bring them nearer to 1{}",
      sizeof(T) == sizeof(float) ? ", or compute in double" : "");
}

}  // namespace

template <class T>
History run_training(Trainer<T>& trainer, const Dataset<T>& data, FitOptions<T> options,
                     const TrainingFiles& files) {
  check_files(files);
  if (files.resume && std::filesystem::exists(files.checkpoint)) {
    require_same_options(files);
    trainer.resume(files.checkpoint);
  }
  const auto first_step = std::make_shared<FirstStep<T>>();
  options.callbacks.push_back(first_step);
  options.callbacks.push_back(stop_on_nan());
  if (!files.tensorboard.empty()) {
    // Nobody looks at each of ten thousand histograms.
    constexpr std::int64_t most = 100;
    const std::int64_t every = std::max<std::int64_t>(1, options.epochs / most);
    options.callbacks.push_back(
        tensorboard(files.tensorboard, {.histograms = every, .matrices = every, .images = files.images}));
  }
  if (!files.checkpoint.empty())
    options.callbacks.push_back(checkpoint(files.checkpoint, {.every_steps = files.checkpoint_steps}));
  const auto interruption =
      files.interrupted ? std::make_shared<Interruption>(files.interrupted, files.checkpoint) : nullptr;
  if (interruption != nullptr) options.callbacks.push_back(interruption);
  History history = [&] {
    const OptionsNote note(trainer.notes(), files);
    return trainer.fit(data, options);
  }();
  if (history.failed) throw Error(divergence<T>(first_step->failed) + ".\n" + history.stopped);
  const bool was_stopped = interruption != nullptr && interruption->happened;
  const bool complete =
      !was_stopped || static_cast<std::int64_t>(history.epochs.size()) >= history.planned_epochs;
  write_results(trainer, history, files, complete);
  if (!complete)
    throw files.checkpoint.empty()
        ? Interrupted({"checkpoint"}, history.stopped + "; without a checkpoint, what was learnt is lost")
        : Interrupted({"resume"}, fmt::format("{}; '{}' holds what was learnt, to go on from",
                                              history.stopped, files.checkpoint));
  return history;
}

template History run_training GRADUS_PUBLIC(Trainer<float>&, const Dataset<float>&, FitOptions<float>,
                                            const TrainingFiles&);
template History run_training GRADUS_PUBLIC(Trainer<double>&, const Dataset<double>&, FitOptions<double>,
                                            const TrainingFiles&);

}  // namespace gradus
