#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"
#include "models/train/protobuf.hpp"

namespace GRADUS_PUBLIC gradus {

/// CRC-32C (Castagnoli's polynomial) as TFRecord stores it: rotated, and a constant added.
std::uint32_t masked_crc32c(std::string_view bytes);

/// A file of events as TensorBoard reads them: records of TFRecord, each with its length and two checksums.
class EventFile {
 public:
  /// Begins a new file in a folder, which is made if it is not there. Names sort as files were begun. Error
  /// when it cannot be written.
  explicit EventFile(const std::filesystem::path& folder);

  /// Appends one event: the fields of an Event beside its time and step. Error when the disk is full.
  void write(std::int64_t step, const ProtobufMessage& event);
  /// Hands what was written to the system, so that a TensorBoard that runs shows it.
  void flush();

 private:
  void append(std::string_view bytes);
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace gradus
