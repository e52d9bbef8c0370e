// A load like training on a processor: a network of two layers, forward, backward and update, a fixed number of
// iterations on one thread. Prints the loss, so that nothing is left out.
//
//     cpu_training ITERATIONS
#include <cmath>
#include <cstdio>
#include <cstdlib>
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
  const int iterations = count == 2 ? std::atoi(arguments[1]) : 100;
  std::mt19937 random(1);
  const Matrix input = Random(kBatch * kInputs, 1, random), target = Random(kBatch * kOutputs, 1, random);
  Matrix first = Random(kInputs * kHidden, 0.05f, random), second = Random(kHidden * kOutputs, 0.05f, random);
  double loss = 0;
  for (int iteration = 0; iteration < iterations; ++iteration) {
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
  }
  std::printf("loss %.6f\n", loss);
}
