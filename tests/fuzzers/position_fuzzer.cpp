// Fuzzes position_from: whatever the metadata of a checkpoint say, they are a position that can be gone on
// from and is written the same again, or are refused with gradus::Error. LENGTH is 512; how to run it is in
// support.hpp.
#include <string>

#include "models/train/position.hpp"
#include "support.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradus;
  const auto saved = fuzz::read(
      [&] {
        return position_from({reinterpret_cast<const char*>(data), size});
      },
      "");
  if (!saved) return 0;
  const Position& at = saved->at;
  fuzz::require(at.epoch >= 0 && at.step >= 0 && at.samples >= 1 && at.batch >= 1, "a number is too small");
  fuzz::require(at.step <= (at.samples - 1) / at.batch + 1, "the step is after the epoch's last");
  fuzz::require(to_json(position_from(to_json(*saved))) == to_json(*saved),
                "a position is not the same when it is written again");
  return 0;
}
