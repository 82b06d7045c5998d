#include "gradus/data/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gradus/base/error.hpp"
#include "gradus/data/atomic_file.hpp"

namespace gradus {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t version_at = magic.size();
constexpr std::size_t length_at = version_at + 2;
constexpr std::string_view damaged_array = "the file is damaged or no NPY file; get or write it again";

// In the order of ElementType; NumPy has no BF16.
constexpr std::array<std::string_view, 13> descriptions{"|b1", "|u1", "|i1", "<u2", "<i2", "<f2", "",
                                                        "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"};

// Other names for them that NumPy reads, without a sign for the order of their bytes.
constexpr std::array<std::string_view, 13> other_names{"? bool",
                                                       "B uint8 ubyte",
                                                       "b int8 byte",
                                                       "H uint16 ushort",
                                                       "h int16 short",
                                                       "e float16 half",
                                                       "",
                                                       "I uint32 uintc",
                                                       "i int32 intc",
                                                       "f float32 single",
                                                       "L Q P N uint64 ulonglong ulong uint uintp",
                                                       "l q p n int64 longlong long int intp",
                                                       "d float64 double float"};

// Whether a word is among these, which blanks separate.
bool is_among(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// The reason why element types of some kinds are not supported, and the remedy. A kind is a type without its
// size.
struct Refusal {
  std::string_view kinds;
  std::string_view why;
};
constexpr std::array<Refusal, 6> refusals{
    {{"O object", "these are pickled Python objects, which are code; save an array of numbers"},
     {"U S a str bytes", "these are texts; encode them as numbers, or save the table as CSV"},
     {"c F D G complex csingle cdouble clongdouble", "these are complex numbers; save a.real and a.imag"},
     {"M m datetime timedelta", "these are dates or durations; save them as numbers, a.astype('<i8')"},
     {"V void", "these are raw bytes or records; save each field as an array of its own"},
     {"f g float longdouble", "there is no such float here; save a.astype('<f8')"}}};

// The dictionary between magic and elements, read from left to right.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::size_t begin, std::string_view place)
      : text_(text), at_(begin), place_(place) {}

  NpyHeader parse() {
    expect('{', "the dictionary's {");
    while (peek() != '}') {
      parse_entry();
      if (peek() != ',') break;
      ++at_;
    }
    expect('}', "the dictionary's }");
    if (peek() != '\0' || at_ < text_.size()) fail("expected nothing behind the dictionary");
    for (const auto& [name, seen] : {std::pair("descr", has_type_), std::pair("fortran_order", has_order_),
                                     std::pair("shape", has_shape_)})
      if (!seen) fail(fmt::format("the dictionary has no '{}'", name));
    const auto longer =
        std::ranges::count_if(tensor_.extents, [](std::int64_t extent) { return extent != 1; });
    return {std::move(tensor_), fortran_order_ && longer > 1};
  }

 private:
  [[noreturn]] void fail(std::string_view what, std::string_view remedy = damaged_array) const {
    throw Error(fmt::format("{}, byte {} (header): {}; {}", place_, at_, what, remedy));
  }

  // The next byte that is no space; NUL at the end.
  char peek() {
    while (at_ < text_.size() && std::string_view(" \n\t\r\f").find(text_[at_]) != std::string_view::npos)
      ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void expect(char c, std::string_view what) {
    if (peek() != c) fail(fmt::format("expected {}", what));
    ++at_;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string_view parse_text() {
    char quote = peek();
    // As Python 2 wrote texts.
    if (quote == 'u' && at_ + 1 < text_.size()) quote = text_[++at_];
    if (quote != '\'' && quote != '"') fail("expected a text in quotes");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("the text's quote is not closed");
    const std::string_view text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return text;
  }

  void parse_entry() {
    const std::size_t start = at_;
    const std::string_view key = parse_text();
    bool* seen = key == "descr"           ? &has_type_
                 : key == "fortran_order" ? &has_order_
                 : key == "shape"         ? &has_shape_
                                          : nullptr;
    if (seen == nullptr || *seen) {
      at_ = start;
      fail(seen == nullptr ? "expected the keys descr, fortran_order and shape"
                           : fmt::format("the key '{}' is given twice", key));
    }
    *seen = true;
    expect(':', "a colon");
    peek();
    if (seen == &has_type_) parse_type();
    if (seen == &has_order_) parse_order();
    if (seen == &has_shape_) parse_shape();
  }

  void parse_type() {
    if (peek() == '[')
      fail("the array is structured", "save each field as an array of its own, np.save(file, a['field'])");
    const std::size_t start = at_;
    const std::string_view type = parse_text();
    const std::size_t end = std::exchange(at_, start);  // for messages
    const bool ordered = !type.empty() && std::string_view("<>=|").find(type[0]) != std::string_view::npos;
    const std::string_view name = type.substr(ordered ? 1 : 0);
    for (std::size_t i = 0; i < descriptions.size(); ++i) {
      const std::string_view known = descriptions[i];
      if (known.empty() || (known.substr(1) != name && !is_among(other_names[i], name))) continue;
      // One byte has no order: NumPy writes |, and reads anything.
      if (type.starts_with('>') && known.starts_with('<'))
        fail(fmt::format("the array is of type '{}', which is big-endian", printable(type)),
             "save it little-endian, np.save(file, a.astype(a.dtype.newbyteorder('<')))");
      tensor_.type = static_cast<ElementType>(i);
      at_ = end;
      return;
    }
    const std::string_view kind = name.substr(0, std::min(name.find_first_of("0123456789["), name.size()));
    for (const auto& [kinds, why] : refusals)
      if (!kind.empty() && is_among(kinds, kind))
        fail(fmt::format("the array is of type '{}'", printable(type)), why);
    fail(fmt::format("there is no type '{}'", printable(type)));
  }

  static std::string printable(std::string_view text) {
    std::string shown(text.substr(0, 16));
    for (char& c : shown)
      if (c < ' ' || c > '~') c = '?';
    return shown;
  }

  void parse_order() {
    fortran_order_ = take("True");
    if (!fortran_order_ && !take("False")) fail("expected True or False");
  }

  void parse_shape() {
    expect('(', "the shape's (");
    while (peek() != ')') {
      std::int64_t extent = 0;
      const char* begin = text_.data() + at_;
      const auto [next, error] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (error == std::errc::result_out_of_range) fail("an extent is 2^63 or more");
      if (error != std::errc() || extent < 0) fail("expected an extent that is a whole number, not negative");
      tensor_.extents.push_back(extent);
      at_ += static_cast<std::size_t>(next - begin);
      take("L");  // as Python 2 wrote long numbers
      if (peek() != ',') break;
      ++at_;
    }
    expect(')', "the shape's )");
  }

  std::string_view text_;  // the file up to the header's end, so that places are the file's
  std::size_t at_;
  std::string_view place_;
  TensorBytes tensor_;
  bool fortran_order_ = false;
  bool has_type_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

// "(2, 3)", "(2,)", "()".
std::string shape_text(const Extents& extents) {
  std::string text;
  for (const std::int64_t extent : extents) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + text + (extents.size() == 1 ? ",)" : ")");
}

template <class T> constexpr ElementType element_type = ElementType::f32;
template <> constexpr ElementType element_type<double> = ElementType::f64;

}  // namespace

NpyHeader parse_npy_header(std::string_view front, std::uint64_t total, std::string_view place) {
  const auto fail = [&](std::size_t byte, std::string_view what) {
    throw Error(fmt::format("{}, byte {}: {}; {}", place, byte, what, damaged_array));
  };
  if (!front.starts_with(magic)) fail(0, "expected \\x93NUMPY");
  if (front.size() < length_at) fail(version_at, "the file ends within the version");
  const int version = static_cast<unsigned char>(front[version_at]);
  if (version < 1 || version > 3) fail(version_at, fmt::format("version {} is none of 1, 2, 3", version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t begin = length_at + length_bytes;
  if (front.size() < begin) fail(length_at, "the file ends within the header's length");
  std::uint32_t length = 0;
  std::memcpy(&length, front.data() + length_at, length_bytes);
  if (length > total - begin)
    fail(length_at, fmt::format("the header is to have {} bytes, but {} follow", length, total - begin));
  if (length > npy_header_limit - begin)
    fail(length_at, fmt::format("the header is to have {} bytes, more than any", length));

  NpyHeader header = HeaderParser(front.substr(0, begin + length), begin, place).parse();
  header.size = begin + length;
  const TensorBytes& tensor = header.tensor;
  const std::uint64_t rest = total - header.size;
  const auto wanted = byte_count(tensor.extents, tensor.type);
  if (!wanted || *wanted > rest)
    fail(header.size,
         fmt::format("{} {} takes {} bytes, but {} follow the header", name_of(tensor.type),
                     to_string(tensor.extents), wanted ? std::to_string(*wanted) : "2^64 or more", rest));
  if (*wanted < rest)
    throw Error(
        fmt::format("{}, byte {}: {} bytes follow the array; save one array a file, or several with "
                    "np.savez",
                    place, header.size + *wanted, rest - *wanted));
  header.data_size = *wanted;
  return header;
}

std::shared_ptr<std::byte[]> in_c_order(const TensorBytes& tensor) {
  const Extents& extents = tensor.extents;
  const std::size_t size = bytes_of(tensor.type);
  std::shared_ptr<std::byte[]> ordered(new std::byte[tensor.bytes.size()]);
  // The strides of the axes where the elements come from: the first axis is the innermost.
  std::vector<std::size_t> strides(extents.size(), 1), index(extents.size(), 0);
  for (std::size_t axis = 1; axis < extents.size(); ++axis)
    strides[axis] = strides[axis - 1] * static_cast<std::size_t>(extents[axis - 1]);
  std::size_t from = 0;
  for (std::size_t to = 0; to < tensor.bytes.size(); to += size) {
    std::memcpy(ordered.get() + to, tensor.bytes.data() + from * size, size);
    for (std::size_t axis = extents.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < static_cast<std::size_t>(extents[axis])) break;
      from -= strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

Array parse_npy(std::string_view file, std::string_view place) {
  NpyHeader header = parse_npy_header(file.substr(0, npy_header_limit), file.size(), place);
  Array array{std::move(header.tensor), nullptr};
  array.tensor.bytes = std::as_bytes(std::span(file.substr(header.size)));
  if (!header.transposed) return array;
  const auto ordered = in_c_order(array.tensor);
  array.tensor.bytes = {ordered.get(), array.tensor.bytes.size()};
  array.owner = ordered;
  return array;
}

NpyFile::NpyFile(const std::filesystem::path& path)
    : place_(fmt::format("NPY file '{}'", path.string())),
      file_(path, "NPY file"),
      array_(parse_npy(file_.bytes(), place_)) {}

template <class T> std::span<const T> NpyFile::values() const {
  if (tensor().type != element_type<T>)
    throw Error(fmt::format("{}: the array is {}, not {}; convert it", place_, name_of(tensor().type),
                            name_of(element_type<T>)));
  const auto* const data = tensor().bytes.data();
  if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0)
    throw Error(
        fmt::format("{}: its elements are not aligned in the file; save it again with np.save", place_));
  return {reinterpret_cast<const T*>(data), tensor().count()};
}
template std::span<const float> NpyFile::values() const;
template std::span<const double> NpyFile::values() const;

std::string npy_header(const TensorBytes& tensor) {
  const std::string_view type = descriptions[static_cast<std::size_t>(tensor.type)];
  if (type.empty())
    throw Error(
        fmt::format("array '{}': NumPy has no {}; convert it to F32", tensor.name, name_of(tensor.type)));
  constexpr std::size_t most_axes = 64;
  if (tensor.extents.size() > most_axes)
    throw Error(fmt::format("array '{}': it has {} axes; NumPy takes at most {}", tensor.name,
                            tensor.extents.size(), most_axes));
  if (byte_count(tensor.extents, tensor.type) != tensor.bytes.size())
    throw Error(fmt::format("array '{}': {} {} does not fit its {} bytes", tensor.name, name_of(tensor.type),
                            to_string(tensor.extents), tensor.bytes.size()));
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type,
                                 shape_text(tensor.extents));
  // Spaces and a line break up to a multiple of 64 keep the elements aligned.
  constexpr std::size_t begin = length_at + 2;
  constexpr std::size_t alignment = 64;
  text.resize((begin + text.size() + alignment) / alignment * alignment - begin - 1, ' ');
  text += '\n';
  std::string header(magic);
  header += '\1';
  header += '\0';
  header += static_cast<char>(text.size() & 0xFFU);
  header += static_cast<char>(text.size() >> 8U);
  return header + text;
}

void write_npy(const std::filesystem::path& path, const TensorBytes& tensor) {
  const std::string header = npy_header(tensor);
  const std::array<std::string_view, 2> pieces{
      header, {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()}};
  write_atomically(path, pieces);
}

}  // namespace gradus
