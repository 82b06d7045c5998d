#include "models/app/plot/draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "gradus/data/option_error.hpp"
#include "models/app/plot/external.hpp"
#include "models/data/printable.hpp"

namespace gradus {

const std::string_view how_to_get_gnuplot = "gnuplot is not installed; get it with 'apt install gnuplot-nox'";
const std::string_view how_to_get_dot =
    "the program 'dot' is not installed; get it with 'apt install graphviz'";

namespace {

using Out = std::back_insert_iterator<std::string>;

// Within single quotes gnuplot takes everything as it is; an apostrophe becomes the typographic one.
std::string literal(std::string_view text) {
  std::string result = "'";
  for (const char c : printable_lines(text)) {
    if (c == '\'')
      result += "\u2019";
    else
      result += c == '\n' ? ' ' : c;
  }
  return result + "'";
}

// Okabe and Ito's colours, dark ones first; every line has dashes and marks of its own as well.
constexpr std::string_view line_styles =
    "set style line 1 lc rgb '#0072B2' dt 1 lw 2 pt 7 ps 0.6\n"
    "set style line 2 lc rgb '#D55E00' dt (10,5) lw 2 pt 9 ps 0.8\n"
    "set style line 3 lc rgb '#009E73' dt (3,3) lw 2 pt 5 ps 0.6\n"
    "set style line 4 lc rgb '#CC79A7' dt (12,4,3,4) lw 2 pt 13 ps 0.9\n"
    "set style line 5 lc rgb '#E69F00' dt (16,4) lw 2 pt 11 ps 0.8\n"
    "set style line 6 lc rgb '#404040' lw 1 pt 6 ps 0.7\n";
constexpr std::size_t line_styles_count = 5;  // the last is for marks alone

// Cividis: the same to all eyes, and from dark to light in grey.
constexpr std::string_view cividis =
    "set palette defined (0 '#00204C', 1 '#213D6B', 2 '#555B6C', 3 '#7B7A77', 4 '#A59C74', 5 '#D3C064', 6 "
    "'#FFE945')\n";

void set_axis(Out out, std::string_view which, const Axis& axis) {
  const auto end = [](const std::optional<double>& value) { return value ? fmt::format("{}", *value) : "*"; };
  fmt::format_to(out, "set {}label {}\nset {}range [{}:{}]\n", which, literal(axis.label), which,
                 end(axis.from), end(axis.to));
  if (axis.logarithmic) fmt::format_to(out, "set logscale {0}\nset format {0} '%g'\n", which);
}

void data_block(Out out, std::size_t number, const std::vector<double>& x, const std::vector<double>& y) {
  fmt::format_to(out, "$d{} << END\n", number);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(y[i]))
      fmt::format_to(out, "{} {}\n", x[i], y[i]);
    else
      fmt::format_to(out, "\n");  // a gap
  }
  fmt::format_to(out, "END\n");
}

std::string body(const Chart& chart) {
  std::string text =
      "set key outside top center horizontal spacing 1.2 samplen 3\nset grid lc rgb '#D8D8D8' lt 1 lw 0.6\n";
  const Out out(text);
  set_axis(out, "x", chart.x);
  set_axis(out, "y", chart.y);
  if (!chart.note.empty())
    fmt::format_to(out, "set label 1 {} at graph 0.98, graph 0.95 right front\n", literal(chart.note));
  std::string plot;
  std::size_t lines = 0;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    data_block(out, i, s.x, s.y);
    std::string with = "points ls 6";
    if (s.style != Series::Style::marks)
      with = fmt::format("{} ls {}{}", s.style == Series::Style::line ? "lines" : "linespoints",
                         lines++ % line_styles_count + 1, s.broad ? " lw 5" : "");
    plot += fmt::format("{}$d{} using 1:2 with {} {}", i == 0 ? "plot " : ", \\\n  ", i, with,
                        chart.series.size() == 1 ? "notitle" : "title " + literal(s.name));
  }
  return text + plot + "\n";
}

// Black text with a white seam, which can be read on any colour.
void seamed_label(Out out, const Spot& spot, bool to_the_right) {
  constexpr double aside = 2, seam = 0.14;
  const auto label = [&](double dx, double dy, std::string_view colour) {
    fmt::format_to(out, "set label {} at {},{} {} offset {},{} front tc rgb '{}'\n", literal(spot.text),
                   spot.x, spot.y, to_the_right ? "left" : "right", (to_the_right ? aside : -aside) + dx, dy,
                   colour);
  };
  for (const double dx : {-seam, 0.0, seam})
    for (const double dy : {-seam / 2, 0.0, seam / 2}) label(dx, dy, "white");
  label(0, 0, "black");
}

std::string body(const Map& map) {
  std::string text(cividis);
  const Out out(text);
  set_axis(out, "x", map.x);
  set_axis(out, "y", map.y);
  fmt::format_to(out, "set cblabel {}\nset cbrange [{}:{}]\nunset key\n$grid << END\n",
                 literal(map.value.label), map.value.from.value(), map.value.to.value());
  const std::vector<double> points = grid_of(map);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    fmt::format_to(out, "{} {} {}\n", points[2 * i], points[2 * i + 1], map.values[i]);
    if ((i + 1) % static_cast<std::size_t>(map.columns) == 0) fmt::format_to(out, "\n");
  }
  fmt::format_to(out, "END\n$spots << END\n");
  for (const Spot& spot : map.spots) fmt::format_to(out, "{} {} {}\n", spot.x, spot.y, spot.known ? 1 : 0);
  fmt::format_to(out, "END\n");
  for (const Spot& spot : map.spots)
    seamed_label(out, spot, spot.x < (map.x.from.value() + map.x.to.value()) / 2);
  std::string lines;
  for (std::size_t i = 0; i < map.levels.size(); ++i) {
    fmt::format_to(out,
                   "set contour base\nset cntrparam levels discrete {}\nunset surface\nset table $level{}\n"
                   "splot $grid using 1:2:3\nunset table\nset surface\nunset contour\n",
                   map.levels[i], i);
    lines += fmt::format(", \\\n  $level{} using 1:2 with lines lw 2.5 lc rgb 'white' dt {}", i,
                         i == 0 ? "1" : "(8,5)");
  }
  return text + "plot $grid using 1:2:3 with image" + lines +
         ", \\\n  $spots using 1:($3 == 1 ? $2 : NaN) with points pt 7 ps 1.6 lc rgb 'white'"
         ", \\\n  $spots using 1:($3 == 1 ? $2 : NaN) with points pt 7 ps 1.1 lc rgb 'black'"
         ", \\\n  $spots using 1:($3 == 0 ? $2 : NaN) with points pt 9 ps 2.0 lc rgb 'white'"
         ", \\\n  $spots using 1:($3 == 0 ? $2 : NaN) with points pt 9 ps 1.4 lc rgb '#D55E00'\n";
}

std::string body(const Confusion& confusion) {
  std::string text =
      std::string(
          "set palette defined (0 'white', 1 '#FFE945', 2 '#A59C74', 3 '#555B6C', 4 '#00204C')\nunset "
          "key\nset size "
          "ratio -1\nset xlabel 'the network says'\nset ylabel 'the label says'\nset cblabel ") +
      literal("mistakes (" + confusion.counted + ")") + "\nset tics scale 0\n";
  const Out out(text);
  const std::size_t n = confusion.labels.size();
  const auto at = [&](std::size_t row, std::size_t column) { return confusion.counts[row * n + column]; };
  std::int64_t most = 1;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      if (i != j) most = std::max(most, at(i, j));
  // Side by side, names have room for so many characters; else they stand upright.
  constexpr std::size_t room = 60;
  const std::size_t longest = std::ranges::max(confusion.labels, {}, &std::string::size).size();
  const std::string_view how = n * longest > room ? "rotate by 90 right" : "offset 0,0.3";
  std::string x_tics, y_tics;
  for (std::size_t i = 0; i < n; ++i) {
    x_tics += fmt::format("{}{} {}", i == 0 ? "" : ", ", literal(confusion.labels[i]), i);
    y_tics += fmt::format("{}{} {}", i == 0 ? "" : ", ", literal(confusion.labels[i]), i);
  }
  fmt::format_to(out,
                 "set xtics {} ({})\nset ytics ({})\nset xrange [-0.5:{}]\nset yrange [{}:-0.5]\nset cbrange "
                 "[0:{}]\n$cells << END\n",
                 how, x_tics, y_tics, static_cast<double>(n) - 0.5, static_cast<double>(n) - 0.5, most);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) fmt::format_to(out, "{} {} {}\n", j, i, i == j ? 0 : at(i, j));
    fmt::format_to(out, "\n");
  }
  fmt::format_to(out, "END\n");
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      if (at(i, j) == 0) continue;
      const bool dark = i != j && 5 * at(i, j) > 2 * most;
      fmt::format_to(out, "set label '{}' at {},{} center front tc rgb '{}'{}\n", at(i, j), j, i,
                     dark ? "white" : "black", i == j ? " font ',15'" : "");
    }
  for (std::size_t i = 0; i < n; ++i)
    fmt::format_to(out,
                   "set object rectangle from {0}-0.5,{0}-0.5 to {0}+0.5,{0}+0.5 front fs empty border lc "
                   "rgb 'black' lw 1.2\n",
                   i);
  return text + "plot $cells using 1:2:3 with image pixels\n";
}

// Colours are for the many: a few outliers would leave them all alike.
constexpr double most_but_outliers = 0.995;

// The quantile of the absolute values of all pixels, for a colour scale that a few extreme ones do not set.
double largest(const std::vector<std::vector<double>>& images, double share) {
  std::vector<double> all;
  for (const auto& image : images)
    for (const double v : image) all.push_back(std::abs(v));
  if (all.empty()) return 1;
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
  std::ranges::nth_element(all, all.begin() + at);
  return std::max(all[static_cast<std::size_t>(at)], std::numeric_limits<double>::min());
}

// One image out of all: gaps and missing tiles are NaN, which nothing is drawn for.
std::string body(const Tiles& tiles) {
  const bool texts = !tiles.texts.empty();
  const std::int64_t gap = 2, line = texts ? tiles.height / 5 : 0;
  const auto count = static_cast<std::int64_t>(tiles.images.size());
  const std::int64_t rows = (count + tiles.columns - 1) / tiles.columns;
  const std::int64_t step_x = tiles.width + gap, step_y = tiles.height + gap + line;
  const std::int64_t width = tiles.columns * step_x - gap, height = rows * step_y - gap;
  std::string text(tiles.ink ? "set palette defined (0 'white', 1 'black')\n" : std::string(cividis));
  const Out out(text);
  const double limit = tiles.ink ? largest(tiles.images, 1) : largest(tiles.images, most_but_outliers);
  fmt::format_to(
      out,
      "unset key\nunset xtics\nunset ytics\nunset border\nset size ratio -1\nset xrange [-0.5:{}]\n"
      "set yrange [{}:{}]\nset cblabel {}\nset cbrange [{}:{}]\n{}$image << END\n",
      static_cast<double>(width) - 0.5, static_cast<double>(height) - 0.5, -0.5 - static_cast<double>(line),
      literal(tiles.value.label), tiles.ink ? 0 : -limit, limit, tiles.ink ? "unset colorbox\n" : "");
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t i = y / step_y * tiles.columns + x / step_x;
      const std::int64_t in_x = x % step_x, in_y = y % step_y;
      if (i < count && in_x < tiles.width && in_y < tiles.height)
        fmt::format_to(
            out, "{:.4g} ",
            tiles.images[static_cast<std::size_t>(i)][static_cast<std::size_t>(in_y * tiles.width + in_x)]);
      else
        fmt::format_to(out, "NaN ");
    }
    fmt::format_to(out, "\n");
  }
  fmt::format_to(out, "END\n");
  for (std::int64_t i = 0; texts && i < count; ++i) {
    const std::int64_t x = i % tiles.columns * step_x, y = i / tiles.columns * step_y;
    fmt::format_to(out, "set label {} at {},{} center front\n",
                   literal(tiles.texts[static_cast<std::size_t>(i)]),
                   static_cast<double>(x) + static_cast<double>(tiles.width) / 2,
                   static_cast<double>(y) - static_cast<double>(line) / 2 - 0.5);
  }
  if (tiles.ink)
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t x = i % tiles.columns * step_x, y = i / tiles.columns * step_y;
      fmt::format_to(
          out,
          "set object rectangle from {}-0.5,{}-0.5 to {}-0.5,{}-0.5 front fs empty border lc rgb '#999999'\n",
          x, y, x + tiles.width, y + tiles.height);
    }
  return text + "plot $image matrix with image\n";
}

struct Size {
  int width;
  int height;
};
Size size_of(const Chart&) { return {800, 500}; }
Size size_of(const Map&) { return {800, 600}; }
Size size_of(const Confusion&) { return {800, 700}; }
Size size_of(const Tiles& tiles) {
  const auto count = static_cast<std::int64_t>(tiles.images.size());
  const std::int64_t rows = (count + tiles.columns - 1) / tiles.columns;
  const double shape = static_cast<double>(rows * tiles.height) * (tiles.texts.empty() ? 1 : 1.25) /
                       static_cast<double>(tiles.columns * tiles.width);
  return {960, static_cast<int>(80 + (tiles.ink ? 900 : 820) * shape)};
}

std::string checked(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                    const std::string& input, const std::string& what) {
  Answer answer = run_program(program, arguments, input);
  if (answer.status != 0 || answer.output.empty())
    throw Error(fmt::format("{} could not draw {} (exit status {}): {}", program.string(), what,
                            answer.status, answer.errors));
  return std::move(answer.output);
}

}  // namespace

std::string_view ending(ImageFormat format) { return format == ImageFormat::svg ? "svg" : "png"; }

bool can_draw_charts() { return find_program("gnuplot").has_value(); }
bool can_draw_graphs() { return find_program("dot").has_value(); }

std::string gnuplot_script(const Picture& picture, ImageFormat format) {
  const Size size = std::visit([](const auto& content) { return size_of(content); }, picture.content);
  // Texts are plain: names such as val_loss hold no mark-up.
  const std::string terminal =
      format == ImageFormat::svg
          ? fmt::format("set terminal svg size {},{} font 'sans-serif,14' background 'white' noenhanced\n",
                        size.width, size.height)
          : fmt::format(
                "set terminal pngcairo size {},{} font 'sans,12' fontscale 1.5 linewidth 1.5 pointscale 1.5 "
                "background 'white' noenhanced\n",
                3 * size.width / 2, 3 * size.height / 2);
  return fmt::format("set encoding utf8\n{}set title {} font ',16'\n{}{}", terminal, literal(picture.title),
                     line_styles,
                     std::visit([](const auto& content) { return body(content); }, picture.content));
}

std::string drawn_by_gnuplot(const Picture& picture, ImageFormat format) {
  const auto gnuplot = find_program("gnuplot");
  if (!gnuplot) throw Error(std::string(how_to_get_gnuplot));
  // Without the settings of whoever runs it.
  return checked(*gnuplot, {"--default-settings"}, gnuplot_script(picture, format), "'" + picture.name + "'");
}

std::string drawn_by_dot(const std::string& dot, ImageFormat format) {
  const auto program = find_program("dot");
  if (!program)
    throw OptionError({"format=dot"},
                      "graph: " + std::string(how_to_get_dot) + ", or take it as text for dot");
  return checked(*program, {"-T" + std::string(ending(format))}, dot, "the graph");
}

}  // namespace gradus
