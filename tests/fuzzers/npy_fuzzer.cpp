// Fuzzes parse_npy: whatever bytes a file holds, they are an array that is written the same again, or are
// refused with gradus::Error. LENGTH is 512; how to run it is in support.hpp.
#include <string>

#include "gradus/data/npy.hpp"
#include "support.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradus;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto parsed = fuzz::read([&] { return parse_npy(file, "place"); }, "place, byte ");
  if (!parsed) return 0;
  const TensorBytes* array = &parsed->tensor;
  fuzz::check(*array);
  fuzz::require(parsed->owner != nullptr || array->bytes.empty() ||
                    reinterpret_cast<const std::uint8_t*>(&array->bytes.back()) == data + size - 1,
                "the elements are not the end of the file");
  if (array->extents.size() > 64) return 0;  // more than NumPy writes
  std::string again = npy_header(*array);
  fuzz::require(again.size() % 64 == 0, "the elements are not aligned");
  again.append(reinterpret_cast<const char*>(array->bytes.data()), array->bytes.size());
  fuzz::require(fuzz::same(parse_npy(again, "again").tensor, *array),
                "an array is not the same when it is written again");
  return 0;
}
