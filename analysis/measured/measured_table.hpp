#pragma once
/// A table of measurements: CSV with a header line, plain or compressed with xz, held whole.
///
///   MeasuredTable table("h100_sxm__gemm__vllm_0.14.0.csv.xz");
///   for (std::size_t row = 0; row < table.rows(); ++row) fit(table.number(row, "m"), table.number(row, "latency"));
///
/// Throws sim::InputError, naming file and line, for a file that cannot be read, a row of another width than the
/// header, a column that is not there, and a field that is no number where one is asked for.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tokenyard::analysis {

class MeasuredTable {
 public:
  explicit MeasuredTable(const std::filesystem::path& path);
  MeasuredTable(const MeasuredTable&) = delete;  // the fields are views into its text
  MeasuredTable& operator=(const MeasuredTable&) = delete;

  std::size_t rows() const { return header_.empty() ? 0 : fields_.size() / header_.size() - 1; }
  bool has(std::string_view column) const;
  std::string_view text(std::size_t row, std::string_view column) const;
  double number(std::size_t row, std::string_view column) const;
  /// Nothing if the field is empty.
  std::optional<double> optional_number(std::size_t row, std::string_view column) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::size_t column(std::string_view name) const;

  std::filesystem::path path_;
  std::string text_;
  std::vector<std::string_view> header_, fields_;
};

}  // namespace tokenyard::analysis
