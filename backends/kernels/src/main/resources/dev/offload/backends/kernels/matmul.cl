// out = x * transposed(w) + bias, plus out if accumulated. Compiled for X_TYPE and W_TYPE. A work-group of 128 has a
// tile of TILE_ROWS x TILE_OUTPUTS, a work-item 4 x 4 of it; every sum runs over the inputs in order.
#define TILE_ROWS 32
#define TILE_OUTPUTS 64
#define TILE_INPUTS 16

__kernel void matmul(
    MATRIX(x), int rows, int inputs, VECTOR(w), int outputs, VECTOR(bias), int accumulate,
    MATRIX(out) LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  __local float *xs = memory;                           // [TILE_INPUTS][TILE_ROWS]
  __local float *ws = memory + TILE_INPUTS * TILE_ROWS; // [TILE_INPUTS][TILE_OUTPUTS]
  int item = get_local_id(0);
  int first_output = get_group_id(0) * TILE_OUTPUTS;
  int first_row = get_group_id(1) * TILE_ROWS;
  int my_output = (item % 16) * 4;
  int my_row = (item / 16) * 4;
  float sums[4][4];
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      sums[i][j] = 0.0f;
    }
  }
  for (int k0 = 0; k0 < inputs; k0 += TILE_INPUTS) {
    for (int i = item; i < TILE_ROWS * TILE_INPUTS; i += 128) {
      int row = first_row + i / TILE_INPUTS;
      int k = k0 + i % TILE_INPUTS;
      xs[(i % TILE_INPUTS) * TILE_ROWS + i / TILE_INPUTS] =
          row < rows && k < inputs ? load_number(x + x_offset, (ulong)row * x_stride + k, X_TYPE) : 0.0f;
    }
    for (int i = item; i < TILE_OUTPUTS * TILE_INPUTS; i += 128) {
      int output = first_output + i / TILE_INPUTS;
      int k = k0 + i % TILE_INPUTS;
      ws[(i % TILE_INPUTS) * TILE_OUTPUTS + i / TILE_INPUTS] =
          output < outputs && k < inputs ? load_number(w + w_offset, (ulong)output * inputs + k, W_TYPE) : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < TILE_INPUTS; k++) {
      for (int i = 0; i < 4; i++) {
        float a = xs[k * TILE_ROWS + my_row + i];
        for (int j = 0; j < 4; j++) {
          sums[i][j] = fma(a, ws[k * TILE_OUTPUTS + my_output + j], sums[i][j]);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      int row = first_row + my_row + i;
      int output = first_output + my_output + j;
      if (row < rows && output < outputs) {
        float sum = sums[i][j];
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
}
