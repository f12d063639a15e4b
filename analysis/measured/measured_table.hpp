#pragma once
/// A table of measurements: CSV with a header line, plain or compressed with xz, held whole.
///
///   MeasuredTable table("h100_sxm__gemm__vllm_0.14.0.csv.xz");
///   for (std::size_t row = 0; row < table.rows(); ++row) fit(table.number(row, "m"), table.number(row, "latency"));
///
/// Throws sim::InputError, naming file and line, for a file that cannot be read, a row of another width than the
/// header, a column that is not there, and a field that is no number, or not one that is possible, where one is asked
/// for.

#include <cstdint>
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
  /// Above 0: of times, rates and watts.
  double positive(std::size_t row, std::string_view column) const;
  /// A count.
  std::int64_t whole(std::size_t row, std::string_view column, std::int64_t least = 1,
                     std::int64_t most = 10'000'000) const;
  /// Nothing if the field is empty.
  std::optional<double> optional_number(std::size_t row, std::string_view column) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::size_t column(std::string_view name) const;
  [[noreturn]] void refuse(std::size_t row, std::string_view column, std::string allowed) const;

  std::filesystem::path path_;
  std::string text_;
  std::vector<std::string_view> header_, fields_;
  std::vector<std::uint64_t> lines_;  ///< of the header and the rows; a file may have empty ones between
};

}  // namespace tokenyard::analysis
