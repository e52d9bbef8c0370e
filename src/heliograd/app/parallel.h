// The same work for many indices on all cores.
#pragma once

#include <cstddef>
#include <functional>

namespace heliograd {

/// Calls `work(i)` for i = 0 .. count-1, each once, on as many threads as the machine has cores. Which thread takes
/// which index is not fixed: results must be stored by index. Stops handing out indices once Interrupted() is true.
/// `progress(done)`, when given, is called on the calling thread a few times a second.
void ParallelFor(size_t count, const std::function<void(size_t)>& work,
                 const std::function<void(size_t)>& progress = nullptr);

}  // namespace heliograd
