// heliograd's MAC counter as a contender: a request is the name of a network (3 channels, 100 classes), of which the
// layers are put together and counted.
#include "bench/contender.h"
#include "heliograd/profile/mac_count.h"
#include "heliograd/profile/networks.h"

namespace heliograd::bench {
namespace {

using nlohmann::json;

Result<json> CountOnce(const std::string& request) {
  const Stopwatch watch;
  const auto network = MakeNetwork(request);
  if (!network) return Fail(network.error());
  const NetworkCount count = CountNetwork(*network);
  const double wall_ms = watch.ElapsedMs(), cpu_ms = watch.ElapsedCpuMs();
  return json{{"wall_ms", wall_ms},
              {"cpu_ms", cpu_ms},
              {"macs", count.macs.Macs()},
              {"ptflops", count.ptflops.pytorch},
              {"parameters", count.parameters}};
}

}  // namespace
}  // namespace heliograd::bench

int main() { return heliograd::bench::AnswerRequests("heliograd", heliograd::bench::CountOnce); }
