#include "models/train/event_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "gradus/data/atomic_file.hpp"
#include "models/data/little_endian.hpp"

namespace gradus {

namespace {

// Fields of an Event.
constexpr int wall_time_field = 1;
constexpr int step_field = 2;
constexpr int version_field = 3;

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t reversed_polynomial = 0x82F63B78;
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ ((value & 1U) != 0 ? reversed_polynomial : 0U);
    table[i] = value;
  }
  return table;
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string file_name() {
  static std::atomic<int> begun = 0;
  std::array<char, 256> host{"host"};
  gethostname(host.data(), host.size() - 1);
  constexpr double second = 1e6;
  const auto microseconds = static_cast<std::int64_t>(second * now());
  constexpr auto whole = static_cast<std::int64_t>(second);
  return fmt::format("events.out.tfevents.{:010}.{:06}.{}.{:010}.{:06}", microseconds / whole,
                     microseconds % whole, host.data(), getpid(), begun++);
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  static constexpr auto table = crc_table();
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) crc = crc >> 8U ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFU];
  crc = ~crc;
  return (crc >> 15U | crc << 17U) + 0xA282EAD8U;
}

EventFile::EventFile(const std::filesystem::path& folder) : path_(folder / file_name()) {
  make_folder(folder, "tensorboard");
  constexpr mode_t for_all = 0666;
  file_ = OpenFile(open_file(path_, O_WRONLY | O_CREAT | O_EXCL, for_all));
  if (!file_.is_open()) refuse_to_write(path_, errno);
  write(0, ProtobufMessage().text(version_field, "brain.Event:2"));
}

EventFile::~EventFile() {
  if (file_.is_open()) write_all(file_.get(), waiting_);
}

void EventFile::write(std::int64_t step, const ProtobufMessage& event) {
  const std::string bytes =
      ProtobufMessage().number(wall_time_field, now()).integer(step_field, step).bytes() + event.bytes();
  std::string head, checksum;
  append_little_endian(head, bytes.size(), 8);
  append_little_endian(head, masked_crc32c(head), 4);
  append_little_endian(checksum, masked_crc32c(bytes), 4);
  waiting_ += head + bytes + checksum;
  constexpr std::size_t much = 1 << 16;
  if (waiting_.size() >= much) flush();
}

void EventFile::flush() {
  const int error = write_all(file_.get(), waiting_);
  waiting_.clear();
  if (error != 0) refuse_to_write(path_, error);
}

}  // namespace gradus
