// out = x * transposed(w) + bias, plus out if accumulated. Compiled for X_TYPE and W_TYPE. A work-item computes
// ITEM_ROWS x ITEM_OUTPUTS sums, each over inputs i, i + 8, i + 16 ... in eight parts: how a number is computed does
// not depend on the others. A work-group has row_items work-items one below the other.
#define ITEM_ROWS 4
#define ITEM_OUTPUTS 3

// A number of the product from the sum over the inputs before done.
FUNCTION void finish_product(
    MATRIX(x), int inputs, int done, VECTOR(w), VECTOR(bias), int accumulate, MATRIX(out), int row, int output,
    float sum) {
  for (int i = done; i < inputs; i++) {
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
      finish_product(
          x, x_offset, x_type, x_stride, inputs, whole, w, w_offset, bias, bias_offset, accumulate, out, out_offset,
          out_type, out_stride, row, output, totals[n]);
    }
  }
}

// The same for devices with local memory of their own: a work-group brings TILE_INPUTS numbers of TILE rows and of the
// weights of TILE outputs there at a time, each work-item eight of both, and reads every one TILE_SIDE times. A
// work-item computes every TILE_SIDE-th row and output, so that neighbours write side by side, and sums over inputs in
// their order.
#define TILE 64
#define TILE_INPUTS 32
#define TILE_SIDE 16
#define TILE_SUMS 4
// Four floats more than there are: eight work-items that read four each, or write four each, meet all 32 banks.
#define TILE_STRIDE 36

// Zeros behind the last eight.
FUNCTION floats8 load8_before(int end, const __global uchar *base, ulong start, int i, int type) {
  return i < end ? load8(base, start + i, type) : zero8();
}

__kernel void matmul_tiled(
    MATRIX(x), int rows, int inputs, VECTOR(w), int outputs, VECTOR(bias), int accumulate,
    MATRIX(out) LOCAL_PARAMETER(memory)) {
  LOCAL_MEMORY(memory)
  __local float *x_tile = memory;
  __local float *w_tile = memory + TILE * TILE_STRIDE;
  int first_row = get_group_id(1) * TILE;
  int first_output = get_group_id(0) * TILE;
  int across = get_local_id(0) % TILE_SIDE;
  int down = get_local_id(0) / TILE_SIDE;
  // What this work-item brings. Rows and outputs beyond the last repeat it.
  int line = get_local_id(0) / (TILE_INPUTS / 8);
  int column = get_local_id(0) % (TILE_INPUTS / 8) * 8;
  int place = line * TILE_STRIDE + column;
  ulong x_start = (ulong)(first_row + line < rows ? first_row + line : rows - 1) * x_stride;
  ulong w_start = (ulong)(first_output + line < outputs ? first_output + line : outputs - 1) * inputs;
  int whole = inputs / 8 * 8;
  float sums[TILE_SUMS][TILE_SUMS];
#pragma unroll
  for (int r = 0; r < TILE_SUMS; r++) {
#pragma unroll
    for (int o = 0; o < TILE_SUMS; o++) {
      sums[r][o] = 0.0f;
    }
  }
  floats8 x_next = load8_before(whole, x + x_offset, x_start, column, X_TYPE);
  floats8 w_next = load8_before(whole, w + w_offset, w_start, column, W_TYPE);
  for (int i = 0; i < whole; i += TILE_INPUTS) {
    store_local8(x_next, x_tile + place);
    store_local8(w_next, w_tile + place);
    barrier(CLK_LOCAL_MEM_FENCE);
    // On their way while the tile is multiplied.
    x_next = load8_before(whole, x + x_offset, x_start, i + TILE_INPUTS + column, X_TYPE);
    w_next = load8_before(whole, w + w_offset, w_start, i + TILE_INPUTS + column, W_TYPE);
    for (int k = 0; k < TILE_INPUTS; k += 4) {
      floats4 weights[TILE_SUMS];
#pragma unroll
      for (int o = 0; o < TILE_SUMS; o++) {
        weights[o] = load_local4(w_tile + (o * TILE_SIDE + across) * TILE_STRIDE + k);
      }
#pragma unroll
      for (int r = 0; r < TILE_SUMS; r++) {
        floats4 row = load_local4(x_tile + (r * TILE_SIDE + down) * TILE_STRIDE + k);
#pragma unroll
        for (int o = 0; o < TILE_SUMS; o++) {
          float sum = fma(row.x, weights[o].x, sums[r][o]);
          sum = fma(row.y, weights[o].y, sum);
          sum = fma(row.z, weights[o].z, sum);
          sums[r][o] = fma(row.w, weights[o].w, sum);
        }
      }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  float totals[TILE_SUMS * TILE_SUMS];
#pragma unroll
  for (int r = 0; r < TILE_SUMS; r++) {
#pragma unroll
    for (int o = 0; o < TILE_SUMS; o++) {
      totals[r * TILE_SUMS + o] = sums[r][o];
    }
  }
#pragma unroll 1
  for (int n = 0; n < TILE_SUMS * TILE_SUMS; n++) {
    int row = first_row + n / TILE_SUMS * TILE_SIDE + down;
    int output = first_output + n % TILE_SUMS * TILE_SIDE + across;
    if (row < rows && output < outputs) {
      finish_product(
          x, x_offset, x_type, x_stride, inputs, whole, w, w_offset, bias, bias_offset, accumulate, out, out_offset,
          out_type, out_stride, row, output, totals[n]);
    }
  }
}
