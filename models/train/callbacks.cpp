#include "gradus/train/callbacks.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"
#include "models/data/file_writing.hpp"

namespace gradus {

namespace {

bool wants_larger(Better better, const std::string& monitor) {
  return better == Better::larger ||
         (better == Better::automatic && monitor.find("accuracy") != std::string::npos);
}

// A vector of a saved state; Error when it is not there or has not so many numbers.
const std::vector<double>& saved_values(std::string_view callback, const NamedValues& saved,
                                        std::string_view key, std::size_t count) {
  const auto found = saved.find(key);
  if (found == saved.end() || found->second.size() != count)
    throw Error(fmt::format("{}: the checkpoint is damaged", callback));
  return found->second;
}

// The options of a callback as numbers, a text by its bytes: a resumed training must have the same.
using Settings = std::vector<double>;
constexpr const char* settings_key = "settings";

void require_same_settings(std::string_view callback, const NamedValues& saved, const Settings& settings) {
  const auto found = saved.find(settings_key);
  if (found == saved.end() || found->second != settings)
    throw Error(fmt::format(
        "fit: the options of {} are not those that the checkpoint was made with; resume with the same",
        callback));
}

void require_function(std::string_view callback, bool there_is) {
  if (!there_is) throw Error(fmt::format("{}: the function is empty", callback));
}

void require_not_negative(std::string_view callback, std::string_view what, double value) {
  if (!(value >= 0)) throw Error(fmt::format("{}: {} is {}; it must not be negative", callback, what, value));
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

  // Its own options, then those that a callback adds.
  Settings settings(std::initializer_list<double> more) const {
    Settings all{sign_, delta_};
    all.insert(all.end(), more);
    all.insert(all.end(), monitor_.begin(), monitor_.end());
    return all;
  }

  double best = INFINITY;  // smaller is better

 private:
  std::string monitor_;
  double sign_;
  double delta_;
};

class EpochFunction final : public PerFit<EpochFunction> {
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

class EarlyStopping final : public PerFit<EarlyStopping> {
 public:
  explicit EarlyStopping(const EarlyStoppingOptions& options)
      : options_(options), watched_(options.monitor, options.better, options.min_delta) {
    require_not_negative("early_stopping", "the patience", static_cast<double>(options.patience));
    require_not_negative("early_stopping", "min_delta", std::abs(options.min_delta));
  }

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
    NamedValues all{
        {"watch",
         {watched_.best, static_cast<double>(wait_), static_cast<double>(best_epoch_), stopped_ ? 1.0 : 0.0}},
        {settings_key, settings()}};
    for (const auto& [weight, values] : best_weights_) all["weights/" + weight] = values;
    return all;
  }
  void load(const NamedValues& saved) override {
    require_same_settings(name(), saved, settings());
    const auto& watch = saved_values(name(), saved, "watch", 4);
    watched_.best = watch[0];
    wait_ = static_cast<std::int64_t>(watch[1]);
    best_epoch_ = static_cast<std::int64_t>(watch[2]);
    stopped_ = watch[3] != 0;
    constexpr std::string_view prefix = "weights/";
    best_weights_.clear();
    for (const auto& [key, values] : saved)
      if (key.starts_with(prefix)) best_weights_[key.substr(prefix.size())] = values;
  }

 private:
  Settings settings() const {
    return watched_.settings({static_cast<double>(options_.patience), options_.restore_best ? 1.0 : 0.0});
  }
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

class ReduceOnPlateau final : public PerFit<ReduceOnPlateau> {
 public:
  explicit ReduceOnPlateau(const PlateauOptions& options)
      : options_(options), watched_(options.monitor, options.better, options.min_delta) {
    if (!(options.factor > 0 && options.factor < 1))
      throw Error(fmt::format("reduce_on_plateau: the factor is {}; it must be in (0, 1)", options.factor));
    require_not_negative("reduce_on_plateau", "the patience", static_cast<double>(options.patience));
    require_not_negative("reduce_on_plateau", "the cooldown", static_cast<double>(options.cooldown));
    require_not_negative("reduce_on_plateau", "min_rate", options.min_rate);
    require_not_negative("reduce_on_plateau", "min_delta", std::abs(options.min_delta));
  }

  void on_train_begin(Training& training) override {
    if (!training.has_rate())
      throw Error("reduce_on_plateau: the optimizer has no learning rate that could be reduced");
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
    return {{"watch", {watched_.best, static_cast<double>(wait_), static_cast<double>(cooldown_)}},
            {settings_key, settings()}};
  }
  void load(const NamedValues& saved) override {
    require_same_settings(name(), saved, settings());
    const auto& watch = saved_values(name(), saved, "watch", 3);
    watched_.best = watch[0];
    wait_ = static_cast<std::int64_t>(watch[1]);
    cooldown_ = static_cast<std::int64_t>(watch[2]);
  }

 private:
  Settings settings() const {
    return watched_.settings({options_.factor, static_cast<double>(options_.patience),
                              static_cast<double>(options_.cooldown), options_.min_rate});
  }

  PlateauOptions options_;
  Watched watched_;
  std::int64_t wait_ = 0;
  std::int64_t cooldown_ = 0;
};

class Checkpoint final : public PerFit<Checkpoint> {
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

class SaveBest final : public PerFit<SaveBest> {
 public:
  SaveBest(std::string path, const BestOptions& options)
      : path_(std::move(path)), watched_(options.monitor, options.better, 0) {}
  void on_epoch_end(Training& training) override {
    if (watched_.improved(training)) training.save_weights(path_);
  }
  std::string name() const override { return "save_best"; }
  NamedValues save() const override {
    return {{"best", {watched_.best}}, {settings_key, watched_.settings({})}};
  }
  void load(const NamedValues& saved) override {
    require_same_settings(name(), saved, watched_.settings({}));
    watched_.best = saved_values(name(), saved, "best", 1)[0];
  }

 private:
  std::string path_;
  Watched watched_;
};

class CsvLog final : public PerFit<CsvLog> {
 public:
  explicit CsvLog(std::string path) : path_(std::move(path)) {}
  void on_train_begin(Training& training) override { write_atomically(path_, training.history().csv()); }
  void on_epoch_end(Training& training) override {
    append_to_file(path_, csv_line(training.epoch(), training.scores().values));
  }

 private:
  std::string path_;
};

class StopOnNan final : public PerFit<StopOnNan> {
 public:
  explicit StopOnNan(const NanOptions& options) : options_(options) {
    if (!(options.factor > 0 && options.factor < 1))
      throw Error(fmt::format("stop_on_nan: the factor is {}; it must be in (0, 1)", options.factor));
    if (options.most < 1)
      throw Error(fmt::format("stop_on_nan: most is {}; it must be at least 1", options.most));
  }

  void on_train_begin(Training& training) override {
    if (options_.then != OnNan::lower_rate) return;
    if (!training.has_rate())
      throw Error(
          "stop_on_nan: the rate is to be lowered, but the optimizer has no learning rate; let the step be "
          "skipped (OnNan::skip_step), or the training stop (OnNan::stop)");
    training.limit_rate(limit_);
  }

  bool on_not_finite(Training& training, const std::string& where) override {
    if (options_.then == OnNan::stop || times_ == options_.most) {
      training.fail(times_ == 0 ? where : fmt::format("{}\n(after {} steps like it)", where, times_));
      return true;
    }
    ++times_;
    if (options_.then == OnNan::skip_step) {
      training.remark("the step was skipped: " + where);
      training.skip_step();
    } else {
      limit_ = training.rate() * options_.factor;
      training.go_back();
      training.limit_rate(limit_);
      training.remark(fmt::format("the learning rate was lowered to {:.6g}: {}", limit_, where));
    }
    return true;
  }

  std::string name() const override { return options_.then == OnNan::stop ? "" : "stop_on_nan"; }
  NamedValues save() const override {
    return {{"steps", {static_cast<double>(times_), limit_}}, {settings_key, settings()}};
  }
  void load(const NamedValues& saved) override {
    require_same_settings(name(), saved, settings());
    const auto& steps = saved_values(name(), saved, "steps", 2);
    times_ = static_cast<std::int64_t>(steps[0]);
    limit_ = steps[1];
  }

 private:
  Settings settings() const {
    return {static_cast<double>(options_.then), options_.factor, static_cast<double>(options_.most)};
  }

  NanOptions options_;
  std::int64_t times_ = 0;
  double limit_ = INFINITY;  // of the rate
};

}  // namespace

std::shared_ptr<Callback> on_epoch_end(std::function<void(Training&)> action) {
  require_function("on_epoch_end", action != nullptr);
  return std::make_shared<EpochFunction>(nullptr, std::move(action));
}
std::shared_ptr<Callback> on_epoch_begin(std::function<void(Training&)> action) {
  require_function("on_epoch_begin", action != nullptr);
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
std::shared_ptr<Callback> stop_on_nan(const NanOptions& options) {
  return std::make_shared<StopOnNan>(options);
}

}  // namespace gradus
