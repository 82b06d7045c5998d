#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "models/app/fetch/part_file.hpp"

namespace gradus {

/// How patient a transfer is, and who hears of it.
struct TransferOptions {
  int stall_seconds = 10;       ///< given up when hardly a byte comes for so long
  int connect_seconds = 10;     ///< given up when no connection is made in that time
  std::int64_t most_bytes = 0;  ///< of the file, beyond which it cannot be what is wanted
  std::function<void(std::int64_t done, std::int64_t all)> progress = {};  ///< bytes; all is 0 if not known
};

/// The outcome of a transfer.
struct Transfer {
  /// How it ended.
  enum class End {
    complete,     ///< all that the server has
    cut,          ///< in the middle: the same address may have the rest
    no_range,     ///< the server cannot send the rest of a file
    refused,      ///< this address does not have it
    unreachable,  ///< no connection was made
  };
  End end = End::complete;
  std::string why = {};  ///< a few words, unless it is complete
};

/// The address as it may be shown: without a user's name and password.
std::string without_password(std::string_view address);

/// Appends what an address (http, https or file) has after the bytes that the part has already. Redirections
/// are followed, from http and https to no other. Nothing is left in a part that became too large. Error when
/// the part cannot be written.
Transfer transfer(const std::string& url, PartFile& part, const TransferOptions& options);

}  // namespace gradus
