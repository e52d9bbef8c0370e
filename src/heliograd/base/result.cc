#include "heliograd/base/result.h"

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

}  // namespace heliograd
