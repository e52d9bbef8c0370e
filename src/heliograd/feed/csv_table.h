// Tables in text as other programs write them: lines with numbers, fields without copies, and every problem of a file
// collected before the reader gives up.
//
// Enters: bytes of a file. Leaves: fields with the line they stand on, and an Error that lists what was wrong. Knows
// nothing of what a column means.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heliograd/base/result.h"

namespace heliograd {

/// No line of a table is longer than this; a longer one is refused (a file without line ends is no table).
inline constexpr size_t kLongestLine = size_t{64} << 10;

/// The problems of one file, in the order found. Keeps the first `kMostListed` and counts the others. Of those that
/// expect the same of the same column it keeps `kMostAlike`, so that one wrong column is not told line by line.
class ProblemList {
 public:
  static constexpr size_t kMostListed = 20;
  static constexpr size_t kMostAlike = 2;

  explicit ProblemList(std::string file) : file_(std::move(file)) {}

  /// "FILE: what". `what` is a sentence.
  void AddForFile(std::string_view what);
  /// "FILE:LINE: what".
  void AddForLine(size_t line, std::string_view what);
  /// "FILE:LINE: COLUMN is 'VALUE': expected EXPECTED."
  void AddForValue(size_t line, std::string_view column, std::string_view value, std::string_view expected);

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }
  const std::string& file() const { return file_; }
  /// All problems as a failure, with "N more lines with the same mistake" and "and N more" at the end where the list
  /// was cut.
  tl::unexpected<Error> Failure() const;

 private:
  /// Values of one column that should have been the same thing.
  struct Alike {
    std::string column, expected;
    size_t count = 0;
  };

  void Add(std::string problem);

  std::string file_;
  std::vector<Alike> alike_;  // at most kMostListed
  std::vector<std::string> problems_;
  size_t count_ = 0;
};

/// Walks over the lines of a text. Takes LF, CRLF and CR as line ends and skips a UTF-8 byte order mark. Fields are
/// views that stay valid until the next call of Next(); `text` must outlive the reader.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text, char separator = ',');

  /// Goes to the next line, empty ones included. False at the end of the text, or at a line that is too long.
  bool Next();
  /// Goes to the next line that is not blank.
  bool NextFilled();

  /// True when Next() stopped before a line longer than kLongestLine; line_number() is that line.
  bool too_long() const { return too_long_; }
  /// Counts from 1; 0 before the first call of Next().
  size_t line_number() const { return line_number_; }
  std::string_view line() const { return line_; }
  /// The line's fields without surrounding space. Double quotes group, "" inside quotes is a quote.
  const std::vector<std::string_view>& fields();
  /// The field, or an empty text where the line is shorter.
  std::string_view Field(size_t column);

 private:
  void Split();

  std::string_view rest_;
  char separator_;
  std::string_view line_;
  size_t line_number_ = 0;
  bool too_long_ = false;
  bool split_ = false;
  std::vector<std::string_view> fields_;
  std::vector<std::string> unquoted_;  // owns the fields of a line with quotes
};

/// The limits of a column's values, both included, and how they read in a message: "a number from -90 to 60 C".
struct NumberColumn {
  std::string name;
  double low = 0;
  double high = 0;
  std::string unit;
  size_t index = 0;  // from 0
};

/// The number that `text`, found on that line, stands for. A text that is empty, no finite number or out of range is
/// added to `problems` and gives nothing. `hint`, which may be empty, follows what was expected.
std::optional<double> NumberFromText(std::string_view text, size_t line, const NumberColumn& column,
                                     ProblemList& problems, std::string_view hint = {});

/// The same for that column of the reader's line.
std::optional<double> ReadNumber(CsvReader& reader, const NumberColumn& column, ProblemList& problems,
                                 std::string_view hint = {});

/// The same for whole numbers.
std::optional<int> ReadWholeNumber(CsvReader& reader, const NumberColumn& column, ProblemList& problems);

/// Position of the first header field that equals one of the names, ignoring case and a unit in brackets at its end:
/// "Wind Speed (m/s)" is "wind speed". Names must be in lower case.
std::optional<size_t> FindColumn(const std::vector<std::string_view>& header,
                                 std::initializer_list<std::string_view> names);

}  // namespace heliograd
