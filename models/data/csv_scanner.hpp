#pragma once

#include <fast_float/fast_float.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradus {

/// The delimiter that a line "sep=;" names, in any case, with blanks or delimiters behind it, as programs add
/// them; NUL for any other line.
char named_delimiter(std::string_view line);

/// Goes over the bytes of a CSV file once, field by field. Lines end with LF, CRLF, or CR, when the first
/// line does; a byte order mark is passed over, and a first line that names the delimiter is obeyed. Several
/// blanks are one where blanks are the delimiters, and none at a line's ends, so that columns may be aligned.
class CsvScanner {
 public:
  /// Reads these bytes, which must outlive this.
  CsvScanner(std::string_view bytes, char delimiter);

  /// The character between fields: the one given, or what the file says.
  char delimiter() const { return delimiter_; }
  /// Whether lines end with CR alone.
  bool carriage_returns() const { return lone_; }
  /// Whether the file says what separates its fields.
  bool names_delimiter() const { return named_; }
  /// The number of the line at hand, from 1.
  std::uint64_t line() const { return line_; }

  bool at_end() const { return at_ == end_; }
  /// The next byte, unless at_end().
  char peek() const { return *at_; }
  /// How many bytes are left.
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  /// How many bytes at the file's end are delimiters, blanks and line ends.
  std::size_t blank_end() const;
  bool at_line_end() const { return ends_line(at_); }
  /// To the next line.
  void pass_line_end();
  /// Over lines that are empty or of blanks alone; how many there are.
  std::size_t skip_empty_lines();

  /// The rest of the line, whatever quotes are in it. Nothing is passed.
  std::string_view rest_of_line() const;
  /// Over the rest of the line, whatever quotes are in it, and its end.
  void skip_line();

  /// The field at hand, without its quotes; the next byte is then a delimiter or a line's end. The text is
  /// valid until the next field is read. Error, which gives only the reason, for a quote that is not closed
  /// or that text follows.
  std::string_view read_field();
  /// True when there is another field on the line.
  bool pass_delimiter() {
    if (at_line_end()) return false;
    ++at_;
    if (delimiter_ != ' ') return true;
    skip_aligning_blanks();
    return !at_line_end();
  }
  /// Reads a plain number that a delimiter follows, which nearly all fields of number columns are; nothing,
  /// and nothing is read, for any other field.
  std::optional<double> read_plain_number() {
    double value = 0;
    const auto [next, error] = fast_float::from_chars(at_, end_, value);
    const bool is_followed = next != end_ && *next == delimiter_;
    if (error != std::errc() || !(is_followed || ends_line(next)) || !std::isfinite(value))
      return std::nullopt;
    at_ = next;
    return value;
  }

 private:
  bool ends_line(const char* c) const {
    return c == end_ || *c == '\n' || (*c == '\r' && (lone_ || c + 1 == end_ || c[1] == '\n'));
  }
  void skip_aligning_blanks();
  std::string_view read_quoted();
  bool first_line_ends_with_lone() const;

  const char* at_;
  const char* end_;
  char delimiter_;
  bool lone_ = false;
  bool named_ = false;
  std::uint64_t line_ = 1;
  std::uint64_t breaks_ = 0;  // within quotes on the line at hand
  std::string unquoted_;
};

}  // namespace gradus
