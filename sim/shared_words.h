// Copies of plain structs out of and into memory that other processes write at the same time, word by word and without
// a data race. Whether a copy is whole must be checked by other means.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace heliograd::sim {

template <typename T>
void LoadShared(const T& from, T& into) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint64_t) == 0 && alignof(T) == 8);
  auto* source = reinterpret_cast<uint64_t*>(const_cast<T*>(&from));
  auto* target = reinterpret_cast<unsigned char*>(&into);
  for (size_t k = 0; k < sizeof(T) / sizeof(uint64_t); ++k) {
    const uint64_t word = std::atomic_ref<uint64_t>(source[k]).load(std::memory_order_relaxed);
    std::memcpy(target + k * sizeof word, &word, sizeof word);
  }
}

template <typename T>
void StoreShared(const T& from, T& into) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint64_t) == 0 && alignof(T) == 8);
  const auto* source = reinterpret_cast<const unsigned char*>(&from);
  auto* target = reinterpret_cast<uint64_t*>(&into);
  for (size_t k = 0; k < sizeof(T) / sizeof(uint64_t); ++k) {
    uint64_t word = 0;
    std::memcpy(&word, source + k * sizeof word, sizeof word);
    std::atomic_ref<uint64_t>(target[k]).store(word, std::memory_order_relaxed);
  }
}

}  // namespace heliograd::sim
