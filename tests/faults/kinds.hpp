#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

/// What the shim and the sweep both know: the calls that can be made to fail, and the page in which the shim
/// counts them.
namespace gradus::faults {

/// The calls that can fail. All ways to allocate are one, "malloc"; the forms of a call for large files and
/// those that stdio makes are the call itself.
enum class Kind : std::uint8_t {
  malloc,
  read,
  write,
  open,
  close,
  stat,
  fsync,
  flock,
  rename,
  link,
  unlink,
  mkdir,
  mmap,
  poll,
  chmod,
  truncate,
  seek,
  readlink,
  access,
  thread,
  socketpair,
  spawn,
  wait,
  send
};

constexpr std::array<std::string_view, 24> kind_names{
    "malloc", "read",     "write",  "open",   "close",      "stat",  "fsync", "flock",
    "rename", "link",     "unlink", "mkdir",  "mmap",       "poll",  "chmod", "truncate",
    "seek",   "readlink", "access", "thread", "socketpair", "spawn", "wait",  "send"};
constexpr std::size_t kinds = kind_names.size();

/// Mapped from the file that $GRADUS_FAULT_COUNTS names, so that it also tells of a process that was killed.
struct Page {
  std::array<std::atomic<std::uint64_t>, kinds> counts;  ///< calls since main began
  std::atomic<std::uint64_t> struck;                     ///< how many of them failed on our account
};

}  // namespace gradus::faults
