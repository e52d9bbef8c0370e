#include "heliograd/base/result.h"

#include <fmt/format.h>

namespace heliograd {

std::string Error::Message() const {
  std::string text;
  for (const std::string& problem : problems) {
    if (!text.empty()) text += '\n';
    text += problem;
  }
  return text;
}

tl::unexpected<Error> Fail(std::string problem, ErrorKind kind) {
  return tl::unexpected<Error>(Error{kind, {std::move(problem)}});
}

tl::unexpected<Error> Fail(std::vector<std::string> problems, ErrorKind kind) {
  return tl::unexpected<Error>(Error{kind, std::move(problems)});
}

void ProblemList::Add(std::string problem) {
  if (count_++ < most_) first_.push_back(std::move(problem));
}

tl::unexpected<Error> ProblemList::ToFailure(ErrorKind kind) const {
  std::vector<std::string> problems = first_;
  if (count_ > first_.size()) problems.push_back(fmt::format("and {} more.", count_ - first_.size()));
  return Fail(std::move(problems), kind);
}

}  // namespace heliograd
