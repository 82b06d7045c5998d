// Fuzzes the parser of the program's options: whatever the words are, they ask for a command, which is not
// run, or are refused with gradus::Error in a short line that a terminal can show. The words are the input's
// lines. LENGTH is 512; how to run it is in support.hpp.
#include <string>
#include <vector>

#include "models/app/cli/commands.hpp"
#include "models/data/printable.hpp"
#include "support.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gradus;
  std::vector<std::string> words;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    // The system ends words with it.
    words.emplace_back(text.substr(0, std::min(end, text.find('\0'))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  try {
    cli::CommandLine line(words);
    fuzz::require(static_cast<bool>(line.parse()), "words that are not refused ask for nothing");
  } catch (const Error& error) {
    const std::string message = error.what();
    fuzz::require(!message.empty() && message.size() < 2000, "a message is too long");
    fuzz::require(printable(message) == message, "a message is not printable");
  }
  return 0;
}
