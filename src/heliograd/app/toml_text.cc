#include "heliograd/app/toml_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "heliograd/base/text.h"
#include "heliograd/base/time.h"

namespace heliograd {
namespace {

constexpr size_t kMostRefused = 20;  // each costs a pass over the text

/// A line "key = value # comment" of a section.
struct KeyLine {
  std::string key;    // as it stands
  std::string name;   // with its section: "job.start"
  std::string value;  // trimmed, without the comment
};

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t from = 0; from <= text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    lines.emplace_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

std::string WithoutComment(std::string_view text) {
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == quote) quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '#') {
      return std::string(Trim(text.substr(0, i)));
    }
  }
  return std::string(Trim(text));
}

bool IsKey(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-' || c == '.');
  });
}

/// The section that line `number` (from 0) stands in: "tariff.bands", or empty.
std::string SectionAt(const std::vector<std::string>& lines, size_t number) {
  for (size_t i = number; i-- > 0;) {
    const std::string_view line = Trim(lines[i]);
    if (line.empty() || line.front() != '[') continue;
    const size_t first = line.find_first_not_of('[');
    if (first == std::string_view::npos) return "";
    return std::string(Trim(line.substr(first, line.find(']', first) - first)));
  }
  return "";
}

std::optional<KeyLine> KeyLineAt(const std::vector<std::string>& lines, size_t number, char sign = '=') {
  const std::string& line = lines[number];
  const size_t equals = line.find(sign);
  if (equals == std::string::npos) return std::nullopt;
  const std::string key(Trim(std::string_view(line).substr(0, equals)));
  if (!IsKey(key)) return std::nullopt;
  const std::string section = SectionAt(lines, number);
  return KeyLine{key, section.empty() ? key : section + "." + key,
                 WithoutComment(std::string_view(line).substr(equals + 1))};
}

bool LooksLikeDate(std::string_view value) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  if (value.size() < kForm.size()) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = value[i] >= '0' && value[i] <= '9';
    if (kForm[i] == 'd' ? !digit : value[i] != '-') return false;
  }
  return true;
}

/// True when the key's name says that unit: "W" of dc_capacity_w, "EUR/kWh" of f1_eur_per_kwh, "%" of losses_percent.
bool KeyHasUnit(std::string_view key, std::string_view unit) {
  std::string words = ToLower(unit);
  for (const auto& [symbol, word] : {std::pair{"/", "_per_"}, {"%", "percent"}, {"\u00B0", "deg"}, {"\u20AC", "eur"}}) {
    if (const size_t at = words.find(symbol); at != std::string::npos) {
      words.replace(at, std::string_view(symbol).size(), word);
    }
  }
  if (words == "h") words = "hours";
  return key == words || (key.size() > words.size() && key.substr(key.size() - words.size() - 1) == "_" + words);
}

/// What is wrong with a value that begins like a number, and what to write; empty when it is nothing known.
std::string NumberAdvice(const KeyLine& line) {
  const std::string_view text = line.value;
  const size_t sign = text.front() == '+' ? 1 : 0;
  double number = 0;
  const auto [end, code] = std::from_chars(text.data() + sign, text.data() + text.size(), number);
  if (code != std::errc()) return "";
  const std::string written(text.substr(0, static_cast<size_t>(end - text.data())));
  const std::string_view rest = Trim(text.substr(written.size()));
  if (rest.empty()) return fmt::format("write the number as {} = {}", line.key, number);
  if (rest.front() == ',' && written.find('.') == std::string::npos && ParseInteger(rest.substr(1))) {
    return fmt::format("write the number with a point: {} = {}.{}", line.key, written, rest.substr(1));
  }
  const bool is_unit = std::isalpha(static_cast<unsigned char>(rest.front())) || rest.front() == '%' ||
                       static_cast<unsigned char>(rest.front()) >= 0x80;
  if (!is_unit || rest.find('=') != std::string_view::npos) return "";
  if (KeyHasUnit(line.key, rest)) {
    return fmt::format("the key's name says the unit; write the number alone: {} = {}", line.key, written);
  }
  return "write the number alone, without a unit, in the unit that the key's name says";
}

/// The same for a value in quotes that do not hold.
std::string QuotedAdvice(const KeyLine& line, std::string_view description) {
  const bool has_backslash = line.value.find('\\') != std::string::npos;
  if (has_backslash && description.find("unescaped") == std::string_view::npos) {
    return fmt::format(
        "a backslash means something else between double quotes; write it twice, or use single quotes: "
        "{} = '...'",
        line.key);
  }
  const char quote = line.value.front();
  const bool closed = line.value.size() > 1 && line.value.find(quote, 1) != std::string::npos;
  return closed ? fmt::format("nothing may follow the closing quote: {} = {}...{}", line.key, quote, quote)
                : fmt::format("the quote is not closed: write {} = {}...{}", line.key, quote, quote);
}

/// Names the key, its value and what to write instead.
std::string KeySentence(const KeyLine& line, std::string_view description) {
  const std::string& value = line.value;
  if (description.find("cannot redefine") != std::string_view::npos) {
    return fmt::format("{} stands here for the second time: keep one of the two.", line.name);
  }
  if (value.empty()) {
    return fmt::format("{} has no value: write one after the =, or begin the line with # to leave the key out.",
                       line.name);
  }
  if (LooksLikeDate(value)) {
    if (const std::string why = WhyImpossible(value); !why.empty()) {
      return fmt::format("{} is {}, which does not exist: {}.", line.name, Quoted(value), why);
    }
    return fmt::format("{} is {} without quotes: write {} = \"{}\".", line.name, Quoted(value), line.key,
                       value.substr(0, 40));
  }
  const auto first = static_cast<unsigned char>(value.front());
  std::string advice;
  if (std::isdigit(first) || first == '.' || first == '-' || first == '+') advice = NumberAdvice(line);
  if (first == '"' || first == '\'') advice = QuotedAdvice(line, description);
  if (std::isalpha(first) || first >= 0x80) {
    for (const std::string_view typographic : {"\u201C", "\u201D", "\u201E", "\u2018", "\u2019", "\u00AB"}) {
      if (value.rfind(typographic, 0) == 0) advice = "these quotes are typographic: write straight ones (\")";
    }
    if (advice.empty()) {
      advice = value.size() <= 40 ? fmt::format("a text stands in quotes: write {} = \"{}\"", line.key, value)
                                  : fmt::format("a text stands in quotes: write {} = \"...\"", line.key);
    }
  }
  if (advice.empty()) advice = "write a number alone, and a text or a time in quotes";
  return fmt::format("{} is {}: {}.", line.name, Quoted(value), advice);
}

/// "expected ']', saw '\n'" of "Error while parsing table header: expected ']', saw '\n'".
std::string_view Bare(std::string_view description) {
  const size_t colon = description.find(": ");
  return description.rfind("Error while", 0) == 0 && colon != std::string_view::npos ? description.substr(colon + 2)
                                                                                     : description;
}

std::string LineSentence(const std::vector<std::string>& lines, size_t number, std::string_view description) {
  const std::string_view text = Trim(lines[number]);
  if (const auto line = KeyLineAt(lines, number)) return KeySentence(*line, description);
  if (const auto line = KeyLineAt(lines, number, ':')) {
    return fmt::format("{} is given with a colon: write {} = {}.", line->name, line->key,
                       line->value.empty() ? "..." : line->value.substr(0, 40));
  }
  if (!text.empty() && text.front() == '[' && description.find("cannot redefine") != std::string_view::npos) {
    return fmt::format("{} stands here for the second time: put its keys under one heading.", Quoted(text));
  }
  return fmt::format("{} is no TOML ({}): expected [section], key = value or # comment.", Quoted(text),
                     Bare(description));
}

/// The text as the same bytes read in Latin-1, the commonest encoding that is not UTF-8.
std::string FromLatin1(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) text += static_cast<char>(0xC0 | byte >> 6);
    text += static_cast<char>(byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
  }
  return text;
}

std::string EncodingSentence(const std::vector<std::string>& lines, size_t number) {
  const auto line = KeyLineAt(lines, number);
  std::string_view text = line ? std::string_view(line->value) : Trim(lines[number]);
  const bool in_quotes = text.size() > 1 && text.front() == '"' && text.back() == '"';
  if (in_quotes) text = text.substr(1, text.size() - 2);
  return fmt::format("{}{} is not UTF-8 (in Latin-1 it reads {}): save the file in the encoding UTF-8.",
                     line ? line->name + " = " : "", Quoted(text), Quoted(FromLatin1(text)));
}

/// Takes the value out of the line so that the next pass gets beyond it. False when the rest would mean something else
/// without the line.
bool PassOver(std::vector<std::string>& lines, size_t number, std::string_view description) {
  auto line = KeyLineAt(lines, number);
  if (!line) line = KeyLineAt(lines, number, ':');
  const bool twice = description.find("cannot redefine") != std::string_view::npos;
  if (!line && Trim(lines[number]).substr(0, 1) != "#") return false;
  lines[number] = line && !twice ? line->key + " = true" : std::string();
  return true;
}

/// The number of lines where not one of several looks like TOML, so that advice on each would only hide that; else 0.
size_t CountIfNoToml(const std::vector<std::string>& lines) {
  constexpr size_t kSeveral = 4;
  size_t count = 0;
  for (const std::string& line : lines) {
    const std::string_view text = Trim(line);
    if (text.empty() || text.front() == '#') continue;
    if (text.front() == '[' || text.find('=') != std::string_view::npos) return 0;
    ++count;
  }
  return count >= kSeveral ? count : 0;
}

std::string Joined(const std::vector<std::string>& lines) { return fmt::format("{}", fmt::join(lines, "\n")); }

}  // namespace

TomlText ReadTomlText(std::string_view content, const std::string& name) {
  TomlText read;
  const std::string_view mark = content.substr(0, 2);
  if (mark == "\xFF\xFE" || mark == "\xFE\xFF") {
    read.problems.push_back(fmt::format("{}: is in the encoding UTF-16: save it in UTF-8.", name));
    return read;
  }
  if (content.find('\0') != std::string_view::npos) {
    read.problems.push_back(fmt::format("{}: holds binary data: expected a TOML text.", name));
    return read;
  }
  std::vector<std::string> lines = SplitLines(content);
  if (const size_t count = CountIfNoToml(lines); count > 0) {
    read.problems.push_back(fmt::format(
        "{}: is no TOML: none of its {} lines is a [section] or key = value: is this the right file?", name, count));
    return read;
  }
  const auto refuse = [&](size_t number, const std::string& sentence, std::string_view description) {
    read.problems.push_back(fmt::format("{}:{}: {}", name, number + 1, sentence));
    read.refused_lines.insert(number + 1);
    return PassOver(lines, number, description);
  };
  bool encoding_told = false;
  for (size_t number = 0; number < lines.size(); ++number) {
    if (!FirstInvalidUtf8(lines[number])) continue;
    if (!encoding_told) {
      encoding_told = true;  // one sentence: the whole file is in another encoding
      if (!refuse(number, EncodingSentence(lines, number), "")) return read;
    } else {
      read.refused_lines.insert(number + 1);
      if (!PassOver(lines, number, "")) return read;
    }
  }
  while (read.problems.size() < kMostRefused) {
    try {
      read.root = toml::parse(Joined(lines), std::string_view(name));
      read.whole = true;
      return read;
    } catch (const toml::parse_error& error) {
      const size_t number = std::clamp(size_t{error.source().begin.line}, size_t{1}, lines.size()) - 1;
      const std::string description(error.description());
      const std::string sentence = LineSentence(lines, number, description);
      // The same line again: passing over it did not help.
      if (read.refused_lines.count(number + 1) > 0 || !refuse(number, sentence, description)) return read;
    }
  }
  return read;
}

std::string TomlString(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"' || c == '\\') c = ' ';
  }
  return '"' + text + '"';
}

}  // namespace heliograd
