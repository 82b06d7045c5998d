#include "gradus/train/schedules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "gradus/base/error.hpp"

namespace gradus {

namespace {

double ratio(std::int64_t at, std::int64_t length) {
  return static_cast<double>(at) / static_cast<double>(length);
}

void check(std::int64_t length, std::string_view schedule) {
  if (length < 1) throw Error(fmt::format("{}: the length is {}; it must be at least 1", schedule, length));
}

void require_rates(const Schedule& rates, std::string_view schedule) {
  if (!rates) throw Error(fmt::format("{}: the function of the rates is empty", schedule));
}

class ScheduleCallback final : public PerFit<ScheduleCallback> {
 public:
  ScheduleCallback(Schedule rates, Every when) : rates_(std::move(rates)), when_(when) {}
  void on_epoch_begin(Training& training) override {
    if (when_ == Every::epoch) training.set_rate(rates_(training.epoch()));
  }
  bool wants_steps() const override { return when_ == Every::step; }
  bool sees_values() const override { return false; }
  void on_step_begin(Training& training) override {
    training.set_rate(rates_(training.epoch() * training.steps() + training.step()));
  }

 private:
  Schedule rates_;
  Every when_;
};

}  // namespace

Schedule step_decay(double rate, std::int64_t every, double factor) {
  check(every, "step_decay");
  return [=](std::int64_t at) {
    const std::int64_t decays = at / every;
    return rate * std::pow(factor, static_cast<double>(decays));
  };
}

Schedule exponential_decay(double rate, std::int64_t length, double factor) {
  check(length, "exponential_decay");
  return [=](std::int64_t at) { return rate * std::pow(factor, ratio(at, length)); };
}

Schedule cosine_decay(double rate, std::int64_t length, double floor) {
  check(length, "cosine_decay");
  return [=](std::int64_t at) {
    const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * ratio(std::min(at, length), length)));
    return rate * ((1 - floor) * cosine + floor);
  };
}

Schedule warm_up(std::int64_t length, double start, Schedule then) {
  check(length, "warm_up");
  require_rates(then, "warm_up");
  return [=, then = std::move(then)](std::int64_t at) {
    return at < length ? start + (then(0) - start) * ratio(at, length) : then(at - length);
  };
}

std::shared_ptr<Callback> schedule(Schedule rates, Every when) {
  require_rates(rates, "schedule");
  return std::make_shared<ScheduleCallback>(std::move(rates), when);
}

}  // namespace gradus
