#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gradus/train/history.hpp"

namespace GRADUS_PUBLIC gradus {

/// An axis of a chart. This header describes what a picture shows; draw.hpp decides how it looks.
struct Axis {
  /// No aggregate: of one that is a member of another, gcc 12 destroys the members twice when a list behind
  /// it in the braces finds no memory.
  Axis(std::string text = {}, bool is_logarithmic = false, std::optional<double> begin = {},
       std::optional<double> end = {})
      : label(std::move(text)), logarithmic(is_logarithmic), from(begin), to(end) {}

  std::string label;           ///< with the unit
  bool logarithmic;            ///< with a logarithmic scale
  std::optional<double> from;  ///< automatic where they are not given
  std::optional<double> to;    ///< as from
};

/// Points (x, y) as a line, as marks, or both.
struct Series {
  /// How its points are shown.
  enum class Style { line, marks, both };
  std::string name;           ///< for the legend
  std::vector<double> x;      ///< of each point
  std::vector<double> y;      ///< not finite: a gap
  Style style = Style::line;  ///< how it is shown
  bool broad = false;         ///< so that it is seen under others that cover it
};

/// Series over two axes.
struct Chart {
  Axis x;                      ///< below
  Axis y;                      ///< on the left
  std::vector<Series> series;  ///< one over the other
  std::string note = {};       ///< a line of text within the picture
};

/// A mark in a map with its text.
struct Spot {
  double x;           ///< in the map's unit
  double y;           ///< in the map's unit
  std::string text;   ///< beside the mark
  bool known = true;  ///< a sample of the training; otherwise one that the network was asked about
};

/// A function of the plane as colours, with lines at some levels.
struct Map {
  Axis x;                      ///< from and to must be given
  Axis y;                      ///< as x
  Axis value;                  ///< what the colours mean
  std::int64_t columns;        ///< of the grid
  std::int64_t rows;           ///< of the grid
  std::vector<double> values;  ///< row-major, from the lowest y on
  std::vector<double> levels;  ///< lines of equal value
  std::vector<Spot> spots;     ///< over the map
};

/// How often row was taken for column; the diagonal is right.
struct Confusion {
  std::vector<std::string> labels;   ///< of the classes
  std::vector<std::int64_t> counts;  ///< row-major
  std::string counted = "images";    ///< what was counted
};

/// Images side by side, each with a line of text.
struct Tiles {
  std::int64_t columns;                     ///< of images
  std::int64_t width;                       ///< of an image, in pixels
  std::int64_t height;                      ///< of an image, in pixels
  std::vector<std::vector<double>> images;  ///< row-major, from the top
  std::vector<std::string> texts;           ///< or none at all
  Axis value;                               ///< what the colours mean
  bool ink = false;  ///< 0 is white paper and the largest value black; otherwise colours around zero
};

/// A picture that a run leaves behind.
struct Picture {
  std::string name;                                    ///< of the file, without its ending
  std::string title;                                   ///< a line above it
  std::string caption;                                 ///< what to see in it, for the report
  std::variant<Chart, Map, Confusion, Tiles> content;  ///< what is drawn
};

/// The course of the loss and of each metric over the epochs, training and validation in one picture each.
/// `units` gives the axis of a score a text other than its name.
std::vector<Picture> curves(const History& history,
                            const std::vector<std::pair<std::string, std::string>>& units = {});

/// Several scores of a training in one picture, by their names and the texts for them.
Picture loss_curves(const History& history, const std::vector<std::pair<std::string, std::string>>& texts,
                    const std::string& unit);

/// `count` values from one end to the other.
std::vector<double> spread(double from, double to, std::int64_t count);

/// The points of a map's grid, x fastest, as rows of two numbers.
std::vector<double> grid_of(const Map& map);

}  // namespace gradus
