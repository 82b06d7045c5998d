#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gradus/data/npy.hpp"
#include "gradus/data/npz.hpp"

/// One table in every format.
namespace gradus::test {

/// A file of a table with two columns.
struct TableForm {
  std::string file;     ///< its name within the folder
  std::string options;  ///< by which the program reads it
  std::string x, y;     ///< the columns
  char decimal;         ///< the sign in its numbers

  /// A number in this form's spelling, of one with a point.
  std::string spelled(std::string number) const {
    std::ranges::replace(number, '.', decimal);
    return number;
  }
};

inline void write_columns(const std::filesystem::path& path, const TableForm& form,
                          const std::vector<std::string>& x, const std::vector<std::string>& y) {
  std::ofstream file(path);
  const std::string delimiter = form.decimal == ',' ? ";" : ",";
  file << "x" << delimiter << "y\n";
  for (std::size_t i = 0; i < x.size(); ++i)
    file << form.spelled(x[i]) << delimiter << form.spelled(y[i]) << "\n";
}

/// Writes the columns as CSV of two styles, as NPY, and as NPZ of floats and of doubles.
inline std::vector<TableForm> write_forms(const std::filesystem::path& folder, const std::string& name,
                                          const std::vector<std::string>& x,
                                          const std::vector<std::string>& y) {
  const std::vector<TableForm> forms{{name + ".csv", "", "x", "y", '.'},
                                     {name + "_comma.csv", " --delimiter ';' --decimal ,", "x", "y", ','},
                                     {name + "_float.npz", "", "x", "y", '.'},
                                     {name + "_double.npz", "", "x", "y", '.'},
                                     {name + ".npy", "", "c1", "c2", '.'}};
  for (int i = 0; i < 2; ++i) write_columns(folder / forms[i].file, forms[i], x, y);
  std::vector<double> xs, ys, both;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xs.push_back(std::strtod(x[i].c_str(), nullptr));
    ys.push_back(std::strtod(y[i].c_str(), nullptr));
    both.insert(both.end(), {xs.back(), ys.back()});
  }
  const std::vector<float> xf(xs.begin(), xs.end()), yf(ys.begin(), ys.end());
  const auto rows = static_cast<std::int64_t>(x.size());
  write_npz(folder / forms[2].file,
            std::vector{tensor_bytes("x", {rows}, xf), tensor_bytes("y", {rows}, yf)});
  write_npz(folder / forms[3].file,
            std::vector{tensor_bytes("x", {rows}, xs), tensor_bytes("y", {rows}, ys)});
  write_npy(folder / forms[4].file, tensor_bytes("", {rows, 2}, both));
  return forms;
}

}  // namespace gradus::test
