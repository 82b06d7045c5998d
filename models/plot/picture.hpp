#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gradus/models/training/history.hpp"

namespace gradus {

/// What is to be seen; how it looks is the business of draw.hpp alone.
struct Axis {
  std::string label;         ///< with the unit
  bool logarithmic = false;
  std::optional<double> from = {};  ///< automatic where they are not given
  std::optional<double> to = {};
};

/// Points (x, y) as a line, as marks, or both.
struct Series {
  enum class Style { line, marks, both };
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
  Style style = Style::line;
  bool broad = false;  ///< so that it is seen under others that cover it
};

/// Series over two axes.
struct Chart {
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::string note = {};  ///< a line of text within the picture
};

/// A mark in a map with its text.
struct Spot {
  double x;
  double y;
  std::string text;
  bool known = true;  ///< a sample of the training; otherwise one that the network was asked about
};

/// A function of the plane as colours, with lines at some levels.
struct Map {
  Axis x;  ///< from and to must be given
  Axis y;
  Axis value;
  std::int64_t columns;
  std::int64_t rows;
  std::vector<double> values;  ///< row-major, from the lowest y on
  std::vector<double> levels;
  std::vector<Spot> spots;
};

/// How often row was taken for column; the diagonal is right.
struct Confusion {
  std::vector<std::string> labels;
  std::vector<std::int64_t> counts;  ///< row-major
  std::string counted = "images";
};

/// Images side by side, each with a line of text.
struct Tiles {
  std::int64_t columns;
  std::int64_t width;  ///< of an image, in pixels
  std::int64_t height;
  std::vector<std::vector<double>> images;  ///< row-major, from the top
  std::vector<std::string> texts;           ///< or none at all
  Axis value;
  bool ink = false;  ///< 0 is white paper and the largest value black; otherwise colours around zero
};

/// A picture that a run leaves behind.
struct Picture {
  std::string name;     ///< of the file, without its ending
  std::string title;
  std::string caption;  ///< what to see in it, for the report
  std::variant<Chart, Map, Confusion, Tiles> content;
};

/// The course of the loss and of each metric over the epochs, training and validation in one picture each.
/// `units` gives the axis of a score a text other than its name.
std::vector<Picture> curves(const History& history, const std::vector<std::pair<std::string, std::string>>& units = {});

/// Several scores of a training in one picture, by their names and the texts for them.
Picture loss_curves(const History& history, const std::vector<std::pair<std::string, std::string>>& texts,
                    const std::string& unit);

/// `count` values from one end to the other.
std::vector<double> spread(double from, double to, std::int64_t count);

/// The points of a map's grid, x fastest, as rows of two numbers.
std::vector<double> grid_of(const Map& map);

}  // namespace gradus
