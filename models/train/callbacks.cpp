#include "gradus/train/callbacks.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"

namespace gradus {

namespace {

bool wants_larger(Better better, const std::string& monitor) {
  return better == Better::larger ||
         (better == Better::automatic && monitor.find("accuracy") != std::string::npos);
}

// A score that is watched, and the best of it so far. A change below `delta` is no improvement.
class Watched {
 public:
  Watched(std::string monitor, Better better, double delta)
      : monitor_(std::move(monitor)),
        sign_(wants_larger(better, monitor_) ? -1 : 1),
        delta_(std::abs(delta)) {}

  // Whether the score at hand is better than all before, which it then replaces. False for NaN.
  bool improved(Training& training) {
    const double value = sign_ * training.scores().at(monitor_);
    if (!(value + delta_ < best)) return false;
    best = value;
    return true;
  }

  double best = INFINITY;  // smaller is better

 private:
  std::string monitor_;
  double sign_;
  double delta_;
};

class EpochFunction final : public Callback {
 public:
  EpochFunction(std::function<void(Training&)> begin, std::function<void(Training&)> end)
      : begin_(std::move(begin)), end_(std::move(end)) {}
  void on_epoch_begin(Training& training) override {
    if (begin_) begin_(training);
  }
  void on_epoch_end(Training& training) override {
    if (end_) end_(training);
  }

 private:
  std::function<void(Training&)> begin_;
  std::function<void(Training&)> end_;
};

class EarlyStopping final : public Callback {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options)
      : options_(options), watched_(options.monitor, options.better, options.min_delta) {}

  void on_train_begin(Training& training) override {
    if (stopped_) training.stop(reason());
  }

  void on_epoch_end(Training& training) override {
    if (options_.restore_best && best_weights_.empty()) best_weights_ = training.weights();
    if (watched_.improved(training)) {
      best_epoch_ = training.epoch();
      wait_ = 0;
      if (options_.restore_best) best_weights_ = training.weights();
      return;
    }
    if (++wait_ < options_.patience || training.epoch() == 0) return;
    stopped_ = true;
    training.stop(reason());
  }

  void on_train_end(Training& training) override {
    if (!best_weights_.empty()) training.set_weights(best_weights_);
  }

  std::string name() const override { return "early_stopping"; }
  NamedValues save() const override {
    NamedValues all{{"watch",
                     {watched_.best, static_cast<double>(wait_), static_cast<double>(best_epoch_),
                      stopped_ ? 1.0 : 0.0}}};
    for (const auto& [weight, values] : best_weights_) all["weights/" + weight] = values;
    return all;
  }
  void load(const NamedValues& saved) override {
    const auto watch = saved.find("watch");
    if (watch == saved.end() || watch->second.size() != 4)
      throw Error("early_stopping: the checkpoint is damaged");
    watched_.best = watch->second[0];
    wait_ = static_cast<std::int64_t>(watch->second[1]);
    best_epoch_ = static_cast<std::int64_t>(watch->second[2]);
    stopped_ = watch->second[3] != 0;
    constexpr std::string_view prefix = "weights/";
    best_weights_.clear();
    for (const auto& [key, values] : saved)
      if (key.starts_with(prefix)) best_weights_[key.substr(prefix.size())] = values;
  }

 private:
  std::string reason() const {
    return fmt::format("{} has not improved since epoch {}", options_.monitor, best_epoch_ + 1);
  }

  EarlyStoppingOptions options_;
  Watched watched_;
  std::int64_t wait_ = 0;
  std::int64_t best_epoch_ = 0;
  bool stopped_ = false;
  NamedValues best_weights_;
};

class ReduceOnPlateau final : public Callback {
 public:
  explicit ReduceOnPlateau(const PlateauOptions& options)
      : options_(options), watched_(options.monitor, options.better, options.min_delta) {
    if (!(options.factor > 0 && options.factor < 1))
      throw Error(fmt::format("reduce_on_plateau: the factor is {}; it must be in (0, 1)", options.factor));
  }

  void on_epoch_end(Training& training) override {
    if (cooldown_ > 0) {
      --cooldown_;
      wait_ = 0;
    }
    if (watched_.improved(training)) {
      wait_ = 0;
    } else if (cooldown_ == 0 && ++wait_ >= options_.patience && training.rate() > options_.min_rate) {
      training.set_rate(std::max(training.rate() * options_.factor, options_.min_rate));
      cooldown_ = options_.cooldown;
      wait_ = 0;
    }
  }

  std::string name() const override { return "reduce_on_plateau"; }
  NamedValues save() const override {
    return {{"watch", {watched_.best, static_cast<double>(wait_), static_cast<double>(cooldown_)}}};
  }
  void load(const NamedValues& saved) override {
    const auto watch = saved.find("watch");
    if (watch == saved.end() || watch->second.size() != 3)
      throw Error("reduce_on_plateau: the checkpoint is damaged");
    watched_.best = watch->second[0];
    wait_ = static_cast<std::int64_t>(watch->second[1]);
    cooldown_ = static_cast<std::int64_t>(watch->second[2]);
  }

 private:
  PlateauOptions options_;
  Watched watched_;
  std::int64_t wait_ = 0;
  std::int64_t cooldown_ = 0;
};

class Checkpoint final : public Callback {
 public:
  Checkpoint(std::string path, const CheckpointOptions& options) : path_(std::move(path)), options_(options) {
    if (options.every_epochs < 0 || options.every_steps < 0)
      throw Error(fmt::format("checkpoint: every {} epochs and {} steps; neither may be negative",
                              options.every_epochs, options.every_steps));
  }
  bool wants_steps() const override { return options_.every_steps > 0; }
  void on_step_end(Training& training) override {
    const std::int64_t done = training.epoch() * training.steps() + training.step();
    if (done % options_.every_steps == 0 && training.step() < training.steps())
      write(training, training.epoch());
  }
  void on_epoch_end(Training& training) override {
    if (options_.every_epochs > 0 && (training.epoch() + 1) % options_.every_epochs == 0)
      write(training, training.epoch() + 1);
  }

 private:
  void write(Training& training, std::int64_t done) const {
    std::string path = path_;
    constexpr std::string_view mark = "{epoch}";
    if (const auto found = path.find(mark); found != std::string::npos)
      path.replace(found, mark.size(), std::to_string(done));
    training.save_checkpoint(path);
  }

  std::string path_;
  CheckpointOptions options_;
};

class SaveBest final : public Callback {
 public:
  SaveBest(std::string path, const BestOptions& options)
      : path_(std::move(path)), watched_(options.monitor, options.better, 0) {}
  void on_epoch_end(Training& training) override {
    if (watched_.improved(training)) training.save_weights(path_);
  }
  std::string name() const override { return "save_best"; }
  NamedValues save() const override { return {{"best", {watched_.best}}}; }
  void load(const NamedValues& saved) override {
    if (const auto best = saved.find("best"); best != saved.end() && best->second.size() == 1)
      watched_.best = best->second[0];
  }

 private:
  std::string path_;
  Watched watched_;
};

class CsvLog final : public Callback {
 public:
  explicit CsvLog(std::string path) : path_(std::move(path)) {}
  void on_train_begin(Training& training) override { write_atomically(path_, training.history().csv()); }
  void on_epoch_end(Training& training) override {
    const std::string line = csv_line(training.epoch(), training.scores().values);
    std::FILE* file = std::fopen(path_.c_str(), "ab");
    const bool written = file != nullptr && std::fwrite(line.data(), 1, line.size(), file) == line.size();
    const int error = errno;
    if ((file != nullptr && std::fclose(file) != 0) || !written)
      throw Error(fmt::format("{}: cannot be written: {}", path_, std::strerror(written ? errno : error)));
  }

 private:
  std::string path_;
};

class StopOnNan final : public Callback {
 public:
  void on_epoch_begin(Training& training) override { training.mark(); }
  bool wants_steps() const override { return true; }
  void on_step_end(Training& training) override {
    if (!std::isfinite(training.loss())) training.fail(training.find_nan());
  }
};

}  // namespace

std::shared_ptr<Callback> on_epoch_end(std::function<void(Training&)> action) {
  return std::make_shared<EpochFunction>(nullptr, std::move(action));
}
std::shared_ptr<Callback> on_epoch_begin(std::function<void(Training&)> action) {
  return std::make_shared<EpochFunction>(std::move(action), nullptr);
}
std::shared_ptr<Callback> early_stopping(const EarlyStoppingOptions& options) {
  return std::make_shared<EarlyStopping>(options);
}
std::shared_ptr<Callback> reduce_on_plateau(const PlateauOptions& options) {
  return std::make_shared<ReduceOnPlateau>(options);
}
std::shared_ptr<Callback> checkpoint(const std::string& path, const CheckpointOptions& options) {
  return std::make_shared<Checkpoint>(path, options);
}
std::shared_ptr<Callback> save_best(const std::string& path, const BestOptions& options) {
  return std::make_shared<SaveBest>(path, options);
}
std::shared_ptr<Callback> csv_log(const std::string& path) { return std::make_shared<CsvLog>(path); }
std::shared_ptr<Callback> stop_on_nan() { return std::make_shared<StopOnNan>(); }

}  // namespace gradus
