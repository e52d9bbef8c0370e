// A load like training on a processor: a network of two layers, forward, backward and update, for so many seconds on
// one thread. Prints a line for each iteration, "END WALL PROCESSOR" in seconds: when it ended on the monotonic clock,
// and how long it took on the wall clock and of processor time.
//
//     cpu_training SECONDS
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>

namespace {

constexpr int kBatch = 64, kInputs = 256, kHidden = 256, kOutputs = 10;
constexpr float kRate = 0.01f;

using Matrix = std::vector<float>;

/// c (m x n) += a (m x k) b (k x n); with `transposed_a`, a is (k x m).
void MultiplyAdd(const Matrix& a, const Matrix& b, Matrix& c, int m, int k, int n, bool transposed_a) {
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < k; ++j) {
      const float factor = transposed_a ? a[static_cast<size_t>(j * m + i)] : a[static_cast<size_t>(i * k + j)];
      const float* row = &b[static_cast<size_t>(j * n)];
      float* out = &c[static_cast<size_t>(i * n)];
      for (int l = 0; l < n; ++l) out[l] += factor * row[l];
    }
  }
}

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Matrix Random(int size, float scale, std::mt19937& random) {
  std::normal_distribution<float> normal(0, scale);
  Matrix matrix(static_cast<size_t>(size));
  for (float& value : matrix) value = normal(random);
  return matrix;
}

Matrix Transposed(const Matrix& matrix, int rows, int columns) {
  Matrix turned(matrix.size());
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      turned[static_cast<size_t>(j * rows + i)] = matrix[static_cast<size_t>(i * columns + j)];
    }
  }
  return turned;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "cpu_training takes the seconds to run, as in `cpu_training 60`\n");
    return 2;
  }
  const double end = Seconds(CLOCK_MONOTONIC) + std::atof(arguments[1]);
  std::mt19937 random(1);
  const Matrix input = Random(kBatch * kInputs, 1, random), target = Random(kBatch * kOutputs, 1, random);
  Matrix first = Random(kInputs * kHidden, 0.05f, random), second = Random(kHidden * kOutputs, 0.05f, random);
  double loss = 0;
  for (double wall = Seconds(CLOCK_MONOTONIC), processor = Seconds(CLOCK_THREAD_CPUTIME_ID); wall < end;) {
    Matrix hidden(kBatch * kHidden, 0), output(kBatch * kOutputs, 0);
    MultiplyAdd(input, first, hidden, kBatch, kInputs, kHidden, false);
    for (float& value : hidden) value = std::tanh(value);
    MultiplyAdd(hidden, second, output, kBatch, kHidden, kOutputs, false);
    loss = 0;
    for (size_t i = 0; i < output.size(); ++i) {
      output[i] -= target[i];
      loss += static_cast<double>(output[i] * output[i]);
      output[i] /= kBatch;
    }
    Matrix hidden_error(kBatch * kHidden, 0), first_step(first.size(), 0), second_step(second.size(), 0);
    MultiplyAdd(output, Transposed(second, kHidden, kOutputs), hidden_error, kBatch, kOutputs, kHidden, false);
    for (size_t i = 0; i < hidden.size(); ++i) hidden_error[i] *= 1 - hidden[i] * hidden[i];
    MultiplyAdd(hidden, output, second_step, kHidden, kBatch, kOutputs, true);
    MultiplyAdd(input, hidden_error, first_step, kInputs, kBatch, kHidden, true);
    for (size_t i = 0; i < first.size(); ++i) first[i] -= kRate * first_step[i];
    for (size_t i = 0; i < second.size(); ++i) second[i] -= kRate * second_step[i];
    const double now = Seconds(CLOCK_MONOTONIC), used = Seconds(CLOCK_THREAD_CPUTIME_ID);
    std::printf("%.6f %.6f %.6f\n", now, now - wall, used - processor);
    wall = now;
    processor = used;
  }
  std::fprintf(stderr, "loss %.6f\n", loss);  // so that nothing is left out
}
