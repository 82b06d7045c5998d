#include "gradus/train/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "models/train/progress_text.hpp"

namespace gradus {

namespace {

constexpr double shown_every = 0.1;  // seconds

std::string per_step(double seconds, std::int64_t steps) {
  const double ms = 1e3 * seconds / static_cast<double>(std::max<std::int64_t>(steps, 1));
  return ms < 1 ? fmt::format("{:.0f}us/step", 1e3 * ms) : fmt::format("{:.0f}ms/step", ms);
}

// " - loss: 0.2910 - accuracy: 0.9173".
std::string scores_text(const Scores& scores, bool with_validation) {
  std::string text;
  for (std::size_t i = 0; i < scores.names.size(); ++i) {
    if (!with_validation && scores.names[i].starts_with("val_")) continue;
    const double v = scores.values[i];
    const bool small = v != 0 && v > -1e-3 && v < 1e-3;
    text += small ? fmt::format(" - {}: {:.4e}", scores.names[i], v)
                  : fmt::format(" - {}: {:.4f}", scores.names[i], v);
  }
  return text;
}

class ProgressBar final : public PerFit<ProgressBar> {
 public:
  explicit ProgressBar(ProgressOptions options)
      : print_(std::move(options.print)), live_(options.live.value_or(isatty(STDOUT_FILENO) != 0)) {
    if (!print_)
      print_ = [](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
      };
  }

  void on_epoch_begin(Training& training) override {
    print_remarks(training);
    print_(fmt::format("Epoch {}/{}\n", training.epoch() + 1, training.epochs()));
    first_ = training.step();
    next_ = 0;
    began_ = true;
  }

  bool wants_steps() const override { return live_; }
  bool sees_values() const override { return false; }

  void on_step_end(Training& training) override {
    const double seconds = training.training_seconds();
    if (seconds < next_ || training.step() == training.steps()) return;
    next_ = seconds + shown_every;
    const std::int64_t done = training.step(), all = training.steps();
    const std::int64_t here = std::max<std::int64_t>(done - first_, 1);  // a resumed epoch began later
    const double left = seconds / static_cast<double>(here) * static_cast<double>(all - done);
    print_(fmt::format("{}{}/{} {} ETA {} {}{}", clear_line, done, all, bar_text(done, all),
                       duration_text(left), per_step(seconds, here), scores_text(training.scores(), false)));
  }

  void on_epoch_end(Training& training) override {
    const double seconds = training.training_seconds();
    std::string times = duration_text(seconds);
    if (training.validation_seconds() > 0 && training.history().validation > 0)
      times += fmt::format(" + {}", duration_text(training.validation_seconds()));
    print_(fmt::format("{}{}/{} {} {} {}{}\n", live_ ? clear_line : "", training.steps(), training.steps(),
                       bar_text(1, 1), times, per_step(seconds, training.steps() - first_),
                       scores_text(training.scores(), true)));
    print_remarks(training);
  }

  void on_train_end(Training& training) override {
    print_remarks(training);
    if (!began_ && training.epoch() > 0)
      print_(fmt::format(
          "Note: nothing is trained, as {} epochs are done and {} were asked for; ask for more to go on\n",
          training.epoch(), training.epochs()));
    if (!training.history().stopped.empty())
      print_(fmt::format("{}Stopped: {}\n", live_ ? clear_line : "", training.history().stopped));
  }

 private:
  // Those that are not printed yet.
  void print_remarks(const Training& training) {
    const auto& remarks = training.history().remarks;
    for (; remarks_ < remarks.size(); ++remarks_) print_(fmt::format("Note: {}\n", remarks[remarks_]));
  }

  std::function<void(std::string_view)> print_;
  bool live_;
  std::size_t remarks_ = 0;
  std::int64_t first_ = 0;
  double next_ = 0;
  bool began_ = false;
};

}  // namespace

std::shared_ptr<Callback> progress_bar(const ProgressOptions& options) {
  return std::make_shared<ProgressBar>(options);
}

}  // namespace gradus
