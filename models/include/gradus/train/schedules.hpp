#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "gradus/train/callback.hpp"

namespace GRADUS_PUBLIC gradus {

/// A learning rate for each epoch, or each step, from 0.
using Schedule = std::function<double(std::int64_t at)>;

/// rate · factor^⌊at / every⌋.
Schedule step_decay(double rate, std::int64_t every, double factor);
/// rate · factor^(at / length).
Schedule exponential_decay(double rate, std::int64_t length, double factor);
/// From rate down to rate · floor along half a cosine, over `length`; then it stays.
Schedule cosine_decay(double rate, std::int64_t length, double floor = 0);
/// In a straight line from `start` to what the schedule begins with, over `length`; then the schedule.
Schedule warm_up(std::int64_t length, double start, Schedule then);

/// How often the rate is set.
enum class Every { epoch, step };
/// Sets the learning rate before every epoch, or every step counted through all epochs. All groups of an
/// optimizer keep their ratios: the schedule's numbers are those of the first group, see `Training::rate`.
std::shared_ptr<Callback> schedule(Schedule rates, Every when = Every::epoch);

}  // namespace gradus
