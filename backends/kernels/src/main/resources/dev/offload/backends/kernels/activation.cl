// Activations of feed-forward modules, numbered as in KernelNumbers.
#define SILU 0
#define GELU 1
#define GELU_TANH 2
#define RELU 3
#define CLAMPED_SWIGLU 4

FUNCTION float activated(int activation, float x) {
  if (activation == SILU) {
    return x * sigmoid(x);
  }
  if (activation == GELU) {
    return x * 0.5f * erfc(x * -0.70710678f);
  }
  if (activation == GELU_TANH) {
    // (1 + tanh(u)) / 2 is sigmoid(2u), which does not cancel.
    return x * sigmoid(1.5957691216f * x * fma(0.044715f * x, x, 1.0f));
  }
  return fmax(x, 0.0f);
}

// out[row][i] from the gate at x[row][i] and, if gated, x[row][width + i].
__kernel void activate(MATRIX(x), int width, int activation, int gated, MATRIX(out)) {
  int row = get_group_id(0);
  for (int i = get_local_id(0); i < width; i += get_local_size(0)) {
    float gate = LOAD(x, row, i);
    float up = gated ? LOAD(x, row, width + i) : 1.0f;
    if (activation == CLAMPED_SWIGLU) {
      gate = fmin(gate, 7.0f);
      up = fmin(fmax(up, -7.0f), 7.0f) + 1.0f;
      STORE(out, row, i, up * gate * sigmoid(1.702f * gate));
    } else {
      STORE(out, row, i, activated(activation, gate) * up);
    }
  }
}
