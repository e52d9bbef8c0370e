#include "heliograd/profile/torch/operator_count.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace heliograd {
namespace {

using Values = c10::ArrayRef<c10::IValue>;

int64_t Product(c10::IntArrayRef sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

struct Products {
  int64_t macs = 0, bias = 0;
  bool between_activations = false;
};

const at::Tensor* TensorAt(Values values, size_t index) {
  if (index >= values.size() || !values[index].isTensor() || !values[index].toTensor().defined()) return nullptr;
  return &values[index].toTensor();
}

/// What one forward pass did so far. Operators call each other: within one that is counted nothing else is.
class Counter {
 public:
  explicit Counter(const std::vector<at::Tensor>& parameters) {
    for (const at::Tensor& parameter : parameters) parameters_.insert(parameter.storage().unsafeGetStorageImpl());
  }

  void Enter(const at::RecordFunction& function) {
    if (depth_++ > 0 && counted_at_ > 0) return;
    const std::string_view name = function.name();
    if (Hides(name)) hidden_.insert(std::string(name));
    if (!Counts(name)) return;
    counted_at_ = depth_;
    inputs_ = InputsOf(function);
    waiting_ = {std::string(name), ProductsOf(name, inputs_)};
  }

  void Leave(const at::RecordFunction& function) {
    if (counted_at_ == depth_) {
      if (IsConvolution(waiting_.name)) waiting_.products = Convolved(inputs_, OutputsOf(function));
      Add();
      counted_at_ = 0;
      inputs_.clear();
    }
    --depth_;
  }

  Result<ForwardCount> Finish() const {
    if (!hidden_.empty()) {
      return Fail(
          "operator " + *hidden_.begin() +
          " does its products out of sight: they cannot be counted from sizes; export the network without fused, "
          "recurrent and quantised layers");
    }
    ForwardCount count = count_;
    for (const auto& [name, one] : operators_) count.operators.push_back(one);
    std::stable_sort(count.operators.begin(), count.operators.end(),
                     [](const OperatorCount& a, const OperatorCount& b) { return a.macs > b.macs; });
    return count;
  }

 private:
  struct Waiting {
    std::string name;
    Products products;
  };

  static bool IsConvolution(std::string_view name) {
    return name == "aten::convolution" || name == "aten::_convolution";
  }

  /// Called by the TorchScript interpreter, an operator is told the whole stack: its own values lie at the end.
  static Values LastOf(Values values, size_t count) {
    return values.size() > count ? values.slice(values.size() - count) : values;
  }

  static std::vector<c10::IValue> InputsOf(const at::RecordFunction& function) {
    const auto schema = function.operator_schema();
    const Values all(function.inputs().data(), function.inputs().size());
    return (schema ? LastOf(all, schema->arguments().size()) : all).vec();
  }

  static std::vector<c10::IValue> OutputsOf(const at::RecordFunction& function) {
    const auto schema = function.operator_schema();
    const Values all(function.outputs().data(), function.outputs().size());
    return (schema ? LastOf(all, schema->returns().size()) : all).vec();
  }

  static bool Counts(std::string_view name) {
    static constexpr std::array<std::string_view, 10> kNames = {
        "aten::convolution", "aten::_convolution", "aten::linear",
        "aten::matmul",      "aten::mm",           "aten::bmm",
        "aten::addmm",       "aten::baddbmm",      "aten::scaled_dot_product_attention",
        "aten::mv"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  static bool Hides(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kNames = {"aten::_native_multi_head_attention",
                                                               "aten::_transformer_encoder_layer_fwd",
                                                               "aten::mkldnn_rnn_layer",
                                                               "aten::_cudnn_rnn",
                                                               "aten::miopen_rnn",
                                                               "aten::lstm_mps"};
    return name.starts_with("quantized::") || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
  }

  bool IsParameter(const at::Tensor& tensor) const {
    return tensor.has_storage() && parameters_.contains(tensor.storage().unsafeGetStorageImpl());
  }

  Products ProductsOf(std::string_view name, Values inputs) const {
    if (name == "aten::linear") return Connected(inputs);
    if (name == "aten::scaled_dot_product_attention") return Attended(inputs);
    if (name == "aten::addmm" || name == "aten::baddbmm") {
      Products products = Multiplied(TensorAt(inputs, 1), TensorAt(inputs, 2));
      const at::Tensor *a = TensorAt(inputs, 1), *b = TensorAt(inputs, 2);
      if (a != nullptr && b != nullptr) products.bias = products.macs / std::max<int64_t>(1, a->size(-1));
      return products;
    }
    if (IsConvolution(name)) return {};  // when its output is known
    return Multiplied(TensorAt(inputs, 0), TensorAt(inputs, 1));
  }

  /// Batched or not: every element of `a` meets every column of `b`; where only `b` is batched, once per batch.
  Products Multiplied(const at::Tensor* a, const at::Tensor* b) const {
    if (a == nullptr || b == nullptr || a->dim() == 0 || b->dim() == 0) return {};
    const int64_t columns = b->dim() > 1 ? b->size(-1) : 1;
    const auto batch = [](const at::Tensor& t) {
      return t.dim() > 2 ? Product(t.sizes().slice(0, static_cast<size_t>(t.dim()) - 2)) : 1;
    };
    const int64_t batches = BroadcastBatches(*a, *b);
    const int64_t rows_times_inner = Product(a->sizes()) / std::max<int64_t>(1, batch(*a));
    return {batches * rows_times_inner * columns, 0, !IsParameter(*a) && !IsParameter(*b)};
  }

  static int64_t BroadcastBatches(const at::Tensor& a, const at::Tensor& b) {
    int64_t batches = 1;
    for (int64_t from_end = 3; from_end <= std::max(a.dim(), b.dim()); ++from_end) {
      const int64_t in_a = from_end <= a.dim() ? a.size(-from_end) : 1,
                    in_b = from_end <= b.dim() ? b.size(-from_end) : 1;
      batches *= std::max(in_a, in_b);
    }
    return batches;
  }

  static Products Connected(Values inputs) {
    const at::Tensor *x = TensorAt(inputs, 0), *weight = TensorAt(inputs, 1);
    if (x == nullptr || weight == nullptr || x->dim() == 0) return {};
    const int64_t outputs = weight->dim() > 1 ? weight->size(0) : 1;
    const int64_t macs = Product(x->sizes()) * outputs;
    return {macs, TensorAt(inputs, 2) != nullptr ? macs / std::max<int64_t>(1, x->size(-1)) : 0, false};
  }

  /// Queries {..., L, E}, keys {..., S, E}, values {..., S, V}.
  static Products Attended(Values inputs) {
    const at::Tensor *q = TensorAt(inputs, 0), *k = TensorAt(inputs, 1), *v = TensorAt(inputs, 2);
    if (q == nullptr || k == nullptr || v == nullptr) return {};
    const int64_t batches = Product(q->sizes()) / std::max<int64_t>(1, q->size(-1) * q->size(-2));
    return {batches * q->size(-2) * k->size(-2) * (q->size(-1) + v->size(-1)), 0, true};
  }

  /// aten::convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
  static Products Convolved(Values inputs, Values outputs) {
    const at::Tensor *x = TensorAt(inputs, 0), *weight = TensorAt(inputs, 1), *y = TensorAt(outputs, 0);
    if (x == nullptr || weight == nullptr || y == nullptr || inputs.size() < 7) return {};
    const bool transposed = inputs[6].isBool() && inputs[6].toBool();
    // Each output element (transposed: input element) meets one filter, which is a row of the weight.
    const int64_t positions = Product(transposed ? x->sizes() : y->sizes());
    return {positions * (Product(weight->sizes()) / std::max<int64_t>(1, weight->size(0))),
            TensorAt(inputs, 2) != nullptr ? Product(y->sizes()) : 0, false};
  }

  void Add() {
    const auto& [name, products] = waiting_;
    (products.between_activations ? count_.attention : count_.convolution_linear) += products.macs;
    count_.bias += products.bias;
    OperatorCount& one = operators_[name];
    one.name = name;
    ++one.calls;
    one.macs += products.macs;
  }

  std::set<const void*> parameters_;
  int depth_ = 0, counted_at_ = 0;
  Waiting waiting_;
  std::vector<c10::IValue> inputs_;
  ForwardCount count_;
  std::map<std::string, OperatorCount> operators_;
  std::set<std::string> hidden_;
};

// A callback is a plain function; the counter of this thread is where it finds its state.
thread_local Counter* current = nullptr;

std::unique_ptr<at::ObserverContext> OnEnter(const at::RecordFunction& function) {
  if (current != nullptr) current->Enter(function);
  return nullptr;
}

void OnLeave(const at::RecordFunction& function, at::ObserverContext*) {
  if (current != nullptr) current->Leave(function);
}

/// Watches the operators of this thread while it lives.
class Watch {
 public:
  explicit Watch(Counter& counter)
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(OnEnter, OnLeave)
                                               .needsInputs(true)
                                               .needsOutputs(true)
                                               .scopes({at::RecordScope::FUNCTION}))) {
    current = &counter;
  }
  ~Watch() {
    current = nullptr;
    at::removeCallback(handle_);
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

}  // namespace

Result<ForwardCount> CountOperators(const std::vector<torch::Tensor>& parameters,
                                    const std::function<void()>& forward) {
  Counter counter(parameters);
  {
    const Watch watch(counter);
    forward();
  }
  return counter.Finish();
}

}  // namespace heliograd
