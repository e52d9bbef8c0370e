// Small tools for reading text that people and other programs wrote: numbers, nearest names, CSV records.
// Nothing here knows what the text means. All functions are pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heliograd {

std::string_view Trim(std::string_view text);
bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix);
std::string ToLower(std::string_view text);

/// A finite decimal number that fills the whole (trimmed) text: "1.5", "-3e2", "+4". No NaN, infinity, hex or locale.
std::optional<double> ParseNumber(std::string_view text);
/// A whole number that fills the whole (trimmed) text.
std::optional<long> ParseInteger(std::string_view text);

/// The candidate closest to `word` by edit distance, else the first that is `word` with something after an underscore,
/// or nothing when none is close enough to be a likely slip.
std::optional<std::string> NearestName(std::string_view word, const std::vector<std::string>& candidates);
/// " Did you mean 'x'?" or an empty string.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

/// The text quoted for an error message: cut after 40 characters, control bytes and non-UTF-8 bytes escaped.
std::string Quoted(std::string_view text);

/// Where the first byte stands that is no part of well-formed UTF-8, or nothing when all are.
std::optional<size_t> FirstInvalidUtf8(std::string_view text);

/// Text with a byte order mark removed and every line end (CRLF, CR) turned into LF.
std::string NormalizeLines(std::string_view bytes);

/// Splits one CSV line at commas (or another separator). Double quotes group, "" inside quotes is a quote. Fields are
/// trimmed.
std::vector<std::string> SplitCsvLine(std::string_view line, char separator = ',');

}  // namespace heliograd
