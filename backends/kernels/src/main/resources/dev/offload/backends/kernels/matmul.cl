// out = x * transposed(w) + bias, plus out if accumulated. Compiled for X_TYPE and W_TYPE. A work-item computes
// ITEM_ROWS x ITEM_OUTPUTS sums, each over inputs i, i + 8, i + 16 ... in eight parts: how a number is computed does
// not depend on the others. A work-group has row_items work-items one below the other.
#define ITEM_ROWS 4
#define ITEM_OUTPUTS 3

__kernel void matmul(
    MATRIX(x), int rows, int inputs, VECTOR(w), int outputs, VECTOR(bias), int accumulate, int row_items,
    MATRIX(out)) {
  int output_items = get_local_size(0) / row_items;
  int first_output = (get_group_id(0) * output_items + get_local_id(0) % output_items) * ITEM_OUTPUTS;
  int first_row = (get_group_id(1) * row_items + get_local_id(0) / output_items) * ITEM_ROWS;
  if (first_output >= outputs || first_row >= rows) {
    return;
  }
  ulong x_at[ITEM_ROWS];
  ulong w_at[ITEM_OUTPUTS];
  floats8 sums[ITEM_ROWS][ITEM_OUTPUTS];
  // Rows and outputs beyond the last repeat it.
#pragma unroll
  for (int r = 0; r < ITEM_ROWS; r++) {
    x_at[r] = (ulong)(first_row + r < rows ? first_row + r : rows - 1) * x_stride;
#pragma unroll
    for (int o = 0; o < ITEM_OUTPUTS; o++) {
      sums[r][o] = zero8();
    }
  }
#pragma unroll
  for (int o = 0; o < ITEM_OUTPUTS; o++) {
    w_at[o] = (ulong)(first_output + o < outputs ? first_output + o : outputs - 1) * inputs;
  }
  int whole = inputs / 8 * 8;
  for (int i = 0; i < whole; i += 8) {
    floats8 columns[ITEM_OUTPUTS];
#pragma unroll
    for (int o = 0; o < ITEM_OUTPUTS; o++) {
      columns[o] = load8(w + w_offset, w_at[o] + i, W_TYPE);
    }
#pragma unroll
    for (int r = 0; r < ITEM_ROWS; r++) {
      floats8 row = load8(x + x_offset, x_at[r] + i, X_TYPE);
#pragma unroll
      for (int o = 0; o < ITEM_OUTPUTS; o++) {
        sums[r][o] = fma8(row, columns[o], sums[r][o]);
      }
    }
  }
  float totals[ITEM_ROWS * ITEM_OUTPUTS];
#pragma unroll
  for (int r = 0; r < ITEM_ROWS; r++) {
#pragma unroll
    for (int o = 0; o < ITEM_OUTPUTS; o++) {
      totals[r * ITEM_OUTPUTS + o] = sum8(sums[r][o]);
    }
  }
  // Not unrolled: compilers would take seconds.
#pragma unroll 1
  for (int n = 0; n < ITEM_ROWS * ITEM_OUTPUTS; n++) {
    int row = first_row + n / ITEM_OUTPUTS;
    int output = first_output + n % ITEM_OUTPUTS;
    if (row < rows && output < outputs) {
      float sum = totals[n];
      for (int i = whole; i < inputs; i++) {
        sum = fma(LOAD(x, row, i), load_number(w + w_offset, (ulong)output * inputs + i, W_TYPE), sum);
      }
      if (bias) {
        sum += FLOATS(bias)[output];
      }
      if (accumulate) {
        sum += LOAD(out, row, output);
      }
      STORE(out, row, output, sum);
    }
  }
}
