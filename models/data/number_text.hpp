#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gradus/data/table.hpp"

/// Numbers and dates as people write them in tables.
namespace GRADUS_PUBLIC gradus {

/// The text without blanks around it, those that do not break lines included.
std::string_view trimmed(std::string_view text);

/// The whole of a text, but for blanks around it, as a number; nothing when it is none. Infinities and NaN
/// are numbers here; a number that is too large for a double is infinite, one that is too small is 0.
std::optional<double> number_of(std::string_view text, const NumberStyle& style = {});

/// The number that a text is, digit for digit, in one spelling for all of its spellings: "1", "1.0" and "1e0"
/// are "1", and 9007199254740993 is not 9007199254740992, as it is for doubles. Nothing when it is no number,
/// and for infinities and NaN.
std::optional<std::string> exact_number(std::string_view text, const NumberStyle& style = {});
/// A label as a category: numbers as `exact_number` spells them, so that all files agree. Words, and digits
/// behind a 0, as codes have them, are categories as they stand.
std::string category_of(std::string_view label, const NumberStyle& style = {});

/// OptionError for signs that are one, or that numbers have elsewhere, as digits and - are.
void check_style(const NumberStyle& style);

/// Whether this is a word by which programs say that there is no number, in any case: nothing at all, NA,
/// null, -nan, #DIV/0! and so on.
bool is_missing_number(std::string_view text);

/// What comes first in a date whose year is last.
enum class DateOrder { day_first, month_first };

/// The days since 1970-01-01 of a date: 2020-12-31 or 2020/12/31, or with the day first 31.12.2020,
/// 31/12/2020 or 31-12-2020; a time may follow behind a blank or T, 23:59 or 23:59:59.5, with a Z. Nothing
/// for any other text and for days that no month has. With the month first, 12/31/2020 is a date instead.
std::optional<double> date_of(std::string_view text, DateOrder order = DateOrder::day_first);
/// "2020-12-31", and the time when there is one, of days since 1970-01-01.
std::string date_text(double days);

}  // namespace gradus
