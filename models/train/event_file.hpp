#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "gradus/base/public.hpp"
#include "models/data/file_writing.hpp"
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
  /// Hands on what is left, as far as that can be written.
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Appends one event: the fields of an Event beside its time and step. Error when the disk is full.
  void write(std::int64_t step, const ProtobufMessage& event);
  /// Hands what was written to the system, so that a TensorBoard that runs shows it.
  void flush();

 private:
  std::filesystem::path path_;
  OpenFile file_;
  std::string waiting_;  // events that are not handed on yet
};

}  // namespace gradus
