// Any bytes as a run's journal and facts: no crash, no more memory than the text, and what reads back is what was
// written.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heliograd/app/run_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto journal = heliograd::ParseJournal(text, "journal.jsonl", 4, 3);
  if (journal && journal->left_over.slots.size() != 5) std::abort();
  if (!journal && journal.error().problems.empty()) std::abort();
  const auto facts = heliograd::RunFactsFromJson(text, "run.json");
  if (facts) {
    const auto again = heliograd::RunFactsFromJson(heliograd::RunFactsToJson(*facts), "run.json");
    if (!again || *again != *facts) std::abort();
  }
  return 0;
}
