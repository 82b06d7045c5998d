// Fuzzes parse_safetensors: whatever bytes a file holds, they are tensors that are written the same again, or
// are refused with gradus::Error. A length of a header that fits is rare among mutations, so an input that
// begins like JSON is taken as a header and data. LENGTH is 1024; how to run it is in support.hpp.
#include <map>
#include <string>
#include <vector>

#include "gradus/data/safetensors.hpp"
#include "gradus/data/tensor_file.hpp"
#include "support.hpp"

namespace gradus::fuzz {
namespace {

void fuzz_file(std::string_view file) {
  const auto parsed = read([&] { return parse_safetensors(file, "f"); }, "tensor file 'f', ");
  if (!parsed) return;
  const auto& [tensors, metadata, unsupported] = *parsed;
  std::string again;
  for (const TensorBytes& tensor : tensors) check(tensor);
  again = safetensors_header("f", tensors, metadata);
  require(again.size() % 8 == 0, "the tensors are not aligned");
  for (const TensorBytes& tensor : tensors)
    again.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  const auto [tensors_again, metadata_again, none] = parse_safetensors(again, "again");
  require(none.empty(), "a tensor cannot be read when it is written again");
  require(metadata == metadata_again, "metadata are not the same when they are written again");
  // Those without bytes have no order.
  std::map<std::string, TensorBytes> by_name;
  for (const TensorBytes& tensor : tensors_again) by_name.emplace(tensor.name, tensor);
  require(by_name.size() == tensors.size(), "there are not as many tensors when they are written again");
  for (const TensorBytes& tensor : tensors)
    require(by_name.contains(tensor.name) && same(by_name.at(tensor.name), tensor),
            "a tensor is not the same when it is written again");
}

}  // namespace
}  // namespace gradus::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (!input.starts_with('{')) {
    gradus::fuzz::fuzz_file(input);
    return 0;
  }
  // The header up to a byte that no JSON has, then the data.
  const std::uint64_t length = std::min(input.find('\x01'), size);
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  file += input.substr(0, length);
  if (length < size) file += input.substr(length + 1);
  gradus::fuzz::fuzz_file(file);
  return 0;
}
