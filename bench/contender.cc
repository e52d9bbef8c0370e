#include "bench/contender.h"

#include <iostream>

#include "heliograd/base/file.h"

namespace heliograd::bench {

int AnswerRequests(const std::string& name, const Answer& answer) {
  std::cout << nlohmann::json{{"name", name}} << std::endl;
  std::string request;
  while (std::getline(std::cin, request)) {
    const Result<nlohmann::json> reply = answer(request);
    if (!reply) return Complain(reply.error());
    std::cout << *reply << std::endl;
  }
  return 0;
}

int WriteJson(const std::string& path, const nlohmann::json& content) {
  const Result<void> written = WriteFile(path, content.dump() + "\n");
  return written ? 0 : Complain(written.error());
}

int Complain(const Error& error) {
  std::cerr << error.Message() << "\n";
  return 1;
}

}  // namespace heliograd::bench
